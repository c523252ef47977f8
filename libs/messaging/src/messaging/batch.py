"""One topic's share of a poll, and the worker that applies it: together first, one by one when that fails.

Lock order of every path that touches these rows: parked keys, inbox rows by id, then what the verb locks.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from opentelemetry.trace import Span

from contracts import Envelope, Undecodable, decode, record_id
from messaging import dead_letters, inbox, metrics, parking, spans
from messaging.broker import Delivered, Producer
from messaging.outbox import Transaction, Transactions
from messaging.parking import Kept, text_key
from messaging.subscription import Received, Subscription

TRIES = 3
TRY_PAUSES = (0.1, 0.4)

_LOG = structlog.get_logger("consumer")


@dataclass(frozen=True, slots=True)
class Member:
    """A decoded event with the record it came in."""

    delivered: Delivered
    envelope: Envelope
    span: Span | None

    @property
    def received(self) -> Received:
        """What the verb sees."""
        traceparent = spans.traceparent_of(self.span) if self.span else self.envelope.traceparent
        return Received(self.envelope, traceparent)

    @property
    def key(self) -> str:
        """The aggregate's key."""
        return text_key(self.delivered.record.key)


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one topic in offset order per partition."""

    delivered: Sequence[Delivered]


class Worker:
    """Applies batches of one subscription."""

    def __init__(
        self,
        group: str,
        subscription: Subscription,
        transactions: Transactions,
        producer: Callable[[], Producer],
        is_transient: Callable[[BaseException], bool],
    ) -> None:
        self._group, self._subscription, self._transactions = group, subscription, transactions
        self._make_producer, self._is_transient = producer, is_transient
        self._count = partial(metrics.CONSUMED.labels, group, subscription.topic.name)

    async def apply(self, batch: Batch) -> None:
        """Give every record its outcome; raises only what is transient."""
        members = [member for one in batch.delivered if (member := await self._decoded(one))]
        unique = list({member.envelope.id: member for member in members}.values())
        if unique:
            try:
                await self._together(unique)
            finally:
                for member in members:
                    if member.span:
                        member.span.end()

    async def _together(self, members: Sequence[Member]) -> None:
        try:
            with spans.batch(self._subscription.topic.name, [m.span for m in members if m.span]):
                await self._transact(members)
        except Exception as error:
            if self._is_transient(error):
                raise
            _LOG.warning("batch failed, running singly", size=len(members), error=f"{type(error).__name__}: {error}")
            for member in members:
                await self._singly(member)

    async def _singly(self, member: Member) -> None:
        """Three tries in about a second, then the key is parked; transient trouble does not count as a try."""
        for pause in (*TRY_PAUSES, None):
            try:
                return await self._transact([member])
            except Exception as error:
                if self._is_transient(error):
                    raise
                failure = error
                if pause:
                    await asyncio.sleep(pause)
        _LOG.error("handler failed, key parked", key=member.key, type=member.envelope.type, exc_info=failure)
        return await self._park(member, failure)

    async def _park(self, member: Member, failure: Exception) -> None:
        """Unless another owner of the partition has applied the event meanwhile: its outcome stands."""
        async with self._transactions() as tx:
            await parking.parked_among(tx.raw, self._group, self._topic, {member.key})
            if fresh := await self._fresh(tx, [member]):
                await parking.park(tx.raw, self._group, [self._kept(member, failure, TRIES)])
        self._count("parked").inc(len(fresh))

    async def _transact(self, members: Sequence[Member]) -> None:
        async with self._transactions() as tx:
            parked = await parking.parked_among(tx.raw, self._group, self._topic, {m.key for m in members})
            live = [m for m in members if m.key not in parked]
            behind = [m for m in members if m.key in parked]
            fresh = await self._fresh(tx, members)
            await self._follow(tx, [m for m in behind if m.envelope.id in fresh])
            todo = [m for m in live if m.envelope.id in fresh]
            stale = await self._subscription.verb(tx, [m.received for m in todo]) if todo else ()
            if stale and not self._subscription.projection:
                await inbox.settle(tx.raw, self._group, list(stale), "stale")
        self._count("stale").inc(len(stale))
        self._count("applied").inc(len(todo) - len(stale))
        self._count("repeated").inc(len(members) - len(fresh))

    async def _fresh(self, tx: Transaction, members: Sequence[Member]) -> set[UUID]:
        """Ids that have had no effect yet. A projection judges by version, so all of its events pass."""
        ids = {m.envelope.id for m in members}
        if self._subscription.projection:
            return ids
        return await inbox.claim(tx.raw, self._group, ids)

    async def _follow(self, tx: Transaction, members: Sequence[Member]) -> None:
        """Events of a parked key wait behind it, in order."""
        reason = RuntimeError("an earlier event of this key is parked")
        await parking.park(tx.raw, self._group, [self._kept(m, reason, 0) for m in members])
        self._count("parked").inc(len(members))

    async def _decoded(self, delivered: Delivered) -> Member | None:
        """The typed event; None when there is nothing to do, after burying what cannot be executed."""
        projection = self._subscription.projection
        if delivered.record.value is None and projection:
            return None  # a tombstone of a compacted topic is no poison
        try:
            envelope = decode(delivered.record)
        except Undecodable as error:
            await self._bury(delivered, error)
            return None
        if type(envelope.event) not in self._subscription.handles:
            self._count("ignored").inc()
            return None
        if not projection and inbox.too_old(envelope.id):
            await self._bury(delivered, TooOld("the event is older than the inbox remembers"))
            return None
        return Member(delivered, envelope, spans.start_process(envelope, self._topic, self._group))

    async def _bury(self, delivered: Delivered, error: Exception) -> None:
        """Dead-letter topic first, then the inbox, then (by the caller) the offset: a crash repeats, never loses."""
        event_id = record_id(delivered.record, delivered.partition, delivered.offset)
        kept = _kept(delivered, event_id, error, 1)
        await dead_letters.publish(self._make_producer, self._group, kept)
        async with self._transactions() as tx:
            await parking.bury(tx.raw, self._group, kept)
        self._count("dead").inc()
        _LOG.error("record dead-lettered", topic=self._topic, offset=delivered.offset, reason=str(error))

    @property
    def _topic(self) -> str:
        return self._subscription.topic.name

    @staticmethod
    def _kept(member: Member, error: Exception, tries: int) -> Kept:
        return _kept(member.delivered, member.envelope.id, error, tries)


class TooOld(Exception):
    """By its own date the event may already have had its effect, and the inbox no longer knows."""


def _kept(delivered: Delivered, event_id: UUID, error: Exception, tries: int) -> Kept:
    name = type(error).__name__
    return Kept(delivered.record, delivered.partition, delivered.offset, event_id, name, str(error), tries)
