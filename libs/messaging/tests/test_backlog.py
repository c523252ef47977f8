"""The backlog: an estimate of the own outbox, by which the HTTP door refuses in time."""

from messaging import Backlog


async def test_a_full_backlog_says_so(store, announcement, keys, is_transient, eventually):
    backlog = Backlog(store.transactions, is_transient, limit=3)
    await backlog.refresh()
    assert not backlog.full
    await store.announce(*(announcement(key) for key in keys(5)))

    async def full():
        await store.pool.execute("SELECT pg_stat_force_next_flush()")
        await backlog.refresh()
        return backlog.full

    await eventually(full)
