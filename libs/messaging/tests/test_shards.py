"""Shards: shared fairly between relays, given back, and never through a pooler."""

from urllib.parse import urlsplit

import asyncpg
import pytest

from messaging.shards import Pooled, Shards


async def test_shards_are_shared_fairly_and_given_back(store):
    first, second = await Shards.connect(store.dsn), None
    await first.balance()
    assert len(first.held) == 16
    second = await Shards.connect(store.dsn)
    await first.balance()
    await second.balance()
    assert (len(first.held), len(second.held)) == (8, 8)
    assert not set(first.held) & set(second.held)
    await first.close()
    await second.balance()
    assert len(second.held) == 16
    await second.close()


async def test_a_pooler_is_refused(store, monkeypatch):
    monkeypatch.setattr("asyncpg.Connection.get_server_pid", lambda self: 1)
    with pytest.raises(Pooled, match="direct connection"):
        await Shards.connect(store.dsn)


async def test_the_password_is_asked_at_each_connection_and_wins_over_the_address(store):
    address = urlsplit(store.dsn)
    stale = store.dsn.replace(address.password, "stale")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await Shards.connect(stale)
    shards = await Shards.connect(stale, lambda: address.password)
    await shards.close()
