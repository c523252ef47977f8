"""What operators do: list, show, replay in order, discard; and what they are refused."""

from uuid import UUID

import pytest

from contracts import ORDER_EVENTS, OrderConfirmed, encode
from messaging import Announcement, Subscription, operator, parking
from messaging.parking import Kept
from messaging.replay import Refused, Replay

GROUP = "order-service"


@pytest.fixture
def replay(store, subscription):
    return Replay(GROUP, {subscription.topic.name: subscription}, store.transactions)


@pytest.fixture
def park(store, announcement):
    """Parks a key with events of these versions."""

    async def run(key, *versions):
        envelopes = await store.announce(*(announcement(key, version) for version in versions))
        kept = [Kept(encode(e), 0, n, e.id, "RuntimeError", "broken", 3) for n, e in enumerate(envelopes)]
        async with store.transactions() as tx:
            await parking.park(tx.raw, GROUP, kept)
        return envelopes

    return run


async def test_a_parked_key_is_drained_in_order_and_freed(store, replay, park, keys):
    (key,) = keys(1)
    envelopes = await park(key, 1, 2, 3)
    assert await replay.replay(2) == 3
    assert await store.applied(key) == [1, 2, 3]
    assert await store.outcomes() == {e.id: "applied" for e in envelopes}
    assert await store.column("SELECT count(*) FROM parked_keys") == [0]


async def test_a_replay_that_fails_keeps_everything(store, recorder, replay, park, keys):
    (key,) = keys(1)
    await park(key, 1, 2)
    recorder.broken = {key}
    with pytest.raises(Refused, match="still fails: RuntimeError"):
        await replay.replay(1)
    assert await store.column("SELECT state FROM dead_letters") == ["parked", "parked"]
    assert await store.column("SELECT key FROM parked_keys") == [key]


async def test_a_dead_letter_is_applied_once_its_handler_is_repaired(store, replay, announcement, keys):
    (key,) = keys(1)
    (envelope,) = await store.announce(announcement(key))
    async with store.transactions() as tx:
        await parking.bury(tx.raw, GROUP, Kept(encode(envelope), 0, 0, envelope.id, "X", "y", 1))
    assert await replay.replay(1) == 1
    assert await store.applied(key) == [1]
    with pytest.raises(Refused, match="no dead or parked message 1"):
        await replay.replay(1)


async def test_an_unreadable_record_stays_dead_until_it_is_discarded(store, replay, announcement, keys):
    (envelope,) = await store.announce(announcement(keys(1)[0]))
    broken = encode(envelope)._replace(value=b"{")
    async with store.transactions() as tx:
        await parking.bury(tx.raw, GROUP, Kept(broken, 0, 0, envelope.id, "Undecodable", "y", 1))
    with pytest.raises(Refused, match="still cannot be read"):
        await replay.replay(1)
    await replay.discard(1)
    assert await store.column("SELECT state FROM dead_letters") == ["discarded"]


async def test_saga_events_are_never_discarded(store, recorder, keys):
    (key,) = keys(1)
    event = OrderConfirmed(order_id=UUID(key))
    (envelope,) = await store.announce(Announcement(event, key, 2, None, key, None))
    async with store.transactions() as tx:
        await parking.park(tx.raw, GROUP, [Kept(encode(envelope), 0, 0, envelope.id, "X", "y", 3)])
    confirmed = Subscription(ORDER_EVENTS, recorder, frozenset({OrderConfirmed}))
    with pytest.raises(Refused, match="must not be lost"):
        await Replay(GROUP, {"order-events": confirmed}, store.transactions).discard(1)


async def test_discarding_the_last_message_frees_the_key(store, replay, park, keys):
    await park(keys(1)[0], 1)
    await replay.discard(1)
    assert await store.column("SELECT count(*) FROM parked_keys") == [0]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["list"], 0, "2 messages"),
        (["show", "1"], 0, '"error_text": "broken"'),
        (["replay", "1"], 0, "applied 2"),
        (["discard", "2"], 0, "discarded 2"),
        (["show", "99"], 2, "no message 99"),
        (["replay", "99"], 2, "no dead or parked message 99"),
    ],
)
async def test_the_command_line(store, subscription, park, keys, capsys, arguments, code, words):
    await park(keys(1)[0], 1, 2)
    assert await operator.main(arguments, GROUP, [subscription], store.transactions) == code
    said = capsys.readouterr()
    assert words in said.out + said.err
