"""Replaying what was set aside: runs the handler here, in one transaction that also moves the outcome to `applied`.

Nothing is published again: that would reach every group. Version and status rules apply as always; the age floor does
not, since a person decided.
"""

from collections.abc import Mapping
from typing import Any

import asyncpg

from contracts import Envelope, OrderCancelled, OrderConfirmed, Undecodable, decode
from messaging import inbox
from messaging.outbox import Transaction, Transactions
from messaging.parking import COLUMNS, record_of, text_key
from messaging.subscription import Received, Subscription

KEPT = ("parked", "dead")
UNDISCARDABLE = {OrderCancelled.type, OrderConfirmed.type}
FIND = f"SELECT {COLUMNS} FROM dead_letters WHERE id = $1 AND consumer_group = $2"  # noqa: S608 (a constant)
LOCK = "SELECT key FROM parked_keys WHERE consumer_group = $1 AND topic = $2 AND key = $3 FOR UPDATE"
HOLD = f"{FIND} AND state IN ('parked', 'dead') FOR UPDATE"
HEAD = f"""
SELECT {COLUMNS} FROM dead_letters
WHERE consumer_group = $1 AND topic = $2 AND key = $3 AND state = 'parked' ORDER BY id LIMIT 1 FOR UPDATE
"""  # noqa: S608 (a constant)
MOVE = "UPDATE dead_letters SET state = $2, last_at = clock_timestamp(), tries = tries + 1 WHERE id = $1"
UNPARK = "DELETE FROM parked_keys WHERE consumer_group = $1 AND topic = $2 AND key = $3"


class Refused(Exception):
    """The operator asked for something that would break a promise; the text says which."""


class Replay:
    """Replays and discards the messages of one group."""

    def __init__(self, group: str, subscriptions: Mapping[str, Subscription], transactions: Transactions) -> None:
        self._group, self._subscriptions, self._transactions = group, subscriptions, transactions

    async def replay(self, message: int) -> int:
        """Apply a dead letter, or drain a parked key in order; returns how many events were applied."""
        row = await self._find(message)
        if row["state"] == "dead" and not await self._revive(row):
            return 1
        applied = 0
        while await self._drain_one(row):
            applied += 1
        return applied

    async def discard(self, message: int) -> None:
        """Give up on a message; refused for events whose loss would leave stock held or sold wrongly."""
        row = await self._find(message)
        headers = dict(record_of(row).headers)
        if headers.get("ce_type", b"").decode(errors="replace") in UNDISCARDABLE:
            raise Refused(f"message {message} is {headers['ce_type'].decode()}: replay it, it must not be lost")
        async with self._transactions() as tx:
            await self._lock(tx, row)
            await self._hold(tx, row)
            await tx.raw.execute(MOVE, message, "discarded")
            await self._unpark_if_empty(tx, row)

    async def _find(self, message: int) -> asyncpg.Record:
        async with self._transactions() as tx:
            row: asyncpg.Record | None = await tx.raw.fetchrow(FIND, message, self._group)
        if row is None or row["state"] not in KEPT:
            raise Refused(f"there is no dead or parked message {message} in {self._group}")
        return row

    async def _revive(self, row: asyncpg.Record) -> bool:
        """Apply a dead letter at once, unless its key is parked: then it takes its place among the others (True)."""
        async with self._transactions() as tx:
            parked = await self._lock(tx, row)
            await self._hold(tx, row)
            _readable(row)  # one that is not would stand before the others of its key
            if parked:
                await tx.raw.execute(MOVE, row["id"], "parked")
                await inbox.settle(tx.raw, self._group, [row["event_id"]], "parked")
                return True
            await self._apply(tx, row)
            return False

    async def _drain_one(self, row: asyncpg.Record) -> bool:
        """One event per transaction; unparks only in a transaction that saw no rows under the key's lock."""
        async with self._transactions() as tx:
            await self._lock(tx, row)
            head = await tx.raw.fetchrow(HEAD, self._group, row["topic"], row["key"])
            if head is None:
                await tx.raw.execute(UNPARK, *self._place(row))
                return False
            await self._apply(tx, head)
            return True

    async def _apply(self, tx: Transaction, row: asyncpg.Record) -> None:
        envelope = _readable(row)
        if await inbox.revive(tx.raw, self._group, envelope.id):
            try:
                await self._subscriptions[row["topic"]].verb(tx, [Received(envelope, envelope.traceparent)])
            except Exception as error:
                raise Refused(f"message {row['id']} still fails: {type(error).__name__}: {error}") from error
        await tx.raw.execute(MOVE, row["id"], "replayed")

    async def _unpark_if_empty(self, tx: Transaction, row: asyncpg.Record) -> None:
        if await tx.raw.fetchrow(HEAD, self._group, row["topic"], row["key"]) is None:
            await tx.raw.execute(UNPARK, *self._place(row))

    async def _lock(self, tx: Transaction, row: asyncpg.Record) -> bool:
        return await tx.raw.fetchval(LOCK, *self._place(row)) is not None

    async def _hold(self, tx: Transaction, row: asyncpg.Record) -> None:
        """Another operator may have been faster."""
        if await tx.raw.fetchrow(HOLD, row["id"], self._group) is None:
            raise Refused(f"message {row['id']} has been settled meanwhile")

    def _place(self, row: asyncpg.Record) -> tuple[Any, ...]:
        return (self._group, row["topic"], text_key(row["key"]))


def _readable(row: asyncpg.Record) -> Envelope:
    try:
        return decode(record_of(row))
    except Undecodable as error:
        raise Refused(f"message {row['id']} still cannot be read: {error.reason}") from error
