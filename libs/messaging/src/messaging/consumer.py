"""The Kafka door: polls, decodes, opens one transaction per topic's batch, calls its verb, commits, then the offsets.

Delivery is at-least-once and effects are exactly-once. Transient trouble pauses a partition and never loses or
dead-letters anything; a record that nobody can read becomes a dead letter; an event whose handler fails parks its key.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import structlog

from messaging import metrics
from messaging.batch import Batch, Worker
from messaging.broker import Delivered, Place, Producer, Source
from messaging.outbox import Transactions
from messaging.subscription import Subscription
from messaging.watchdog import Watchdog

POLL_SECONDS = 0.25
BATCH_LIMIT = 500
BACKOFF_SECONDS = (0.1, 0.3, 1.0, 2.0)
REVOKE_SECONDS = 5.0
CATCH_UP_PAUSE = 0.1

_LOG = structlog.get_logger("consumer")


class Consumer:
    """A member of `group`. `source` and `producer` make fresh clients, since a broken one is replaced, never mended."""

    def __init__(
        self,
        group: str,
        subscriptions: Sequence[Subscription],
        *,
        source: Callable[[], Source],
        producer: Callable[[], Producer],
        transactions: Transactions,
        is_transient: Callable[[BaseException], bool],
        session_seconds: float = 6.0,
    ) -> None:
        self._group, self._make = group, source
        self._is_transient = is_transient
        self._workers = {s.topic.name: Worker(group, s, transactions, producer, is_transient) for s in subscriptions}
        self._session_seconds = session_seconds
        self._paused: set[Place] = set()
        self._paused_until: dict[Place, float] = {}
        self._failures: dict[Place, int] = {}
        self._busy = asyncio.Lock()
        self._source: Source | None = None
        self.recoveries = 0
        """Rises when trouble has ended: what waited meanwhile must be caught up with before deadlines are judged."""
        self.healthy = True
        self.connected = False

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; then finish the batch, commit and leave the group."""
        for attempt in itertools.count():
            source = self._make()
            try:
                await source.start(self._finish_batch)
            except Exception as error:
                _LOG.warning("broker unreachable", error=f"{type(error).__name__}: {error}")
                await source.stop()
                if await _stopped(stop, BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)]):
                    return
                continue
            if await self._member(source, stop):
                return
            self.recoveries += 1

    async def catch_up(self, seconds: float) -> bool:
        """Wait until the group has committed every offset that existed at this call; False when time ran out."""
        goal: Mapping[Place, int] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    source = await self._joined()
                    try:
                        goal = goal or await source.end_offsets()
                        if goal and _reached(goal, await source.committed()):
                            return True
                    except Exception as error:
                        # The broker went away, or the watchdog replaced this source: the next one is asked.
                        _LOG.warning("not caught up", error=f"{type(error).__name__}: {error}")
                    await asyncio.sleep(CATCH_UP_PAUSE)
        return False

    async def _joined(self) -> Source:
        while self._source is None:  # noqa: ASYNC110 (a source comes and goes with rebuilds)
            await asyncio.sleep(0.1)
        return self._source

    async def _member(self, source: Source, stop: asyncio.Event) -> bool:
        """From joining the group to leaving it: True when asked to stop, False when the watchdog wants a new source."""
        self._source, self.connected = source, True
        watchdog = Watchdog(source, self._paused_until, self._group, self._session_seconds)
        watching = asyncio.create_task(watchdog.run(), name="watchdog")
        polling = asyncio.create_task(self._poll_until(source, stop, watchdog), name="poll")
        try:
            await asyncio.wait({watching, polling}, return_when=asyncio.FIRST_COMPLETED)
            if polling.done():
                polling.result()
                return True
            _LOG.error("no progress: the consumer is rebuilt", reason=watching.result())
            metrics.REBUILDS.labels(self._group).inc()
            self.healthy = False  # until a rebuilt consumer has proven itself
            return stop.is_set()
        finally:
            self._source, self.connected = None, False
            for task in (watching, polling):
                task.cancel()
            await asyncio.gather(watching, polling, return_exceptions=True)
            self._paused.clear()
            await source.stop()

    async def _poll_until(self, source: Source, stop: asyncio.Event, watchdog: Watchdog) -> None:
        while not stop.is_set():
            self._resume_due(source)
            delivered = await source.poll(POLL_SECONDS, BATCH_LIMIT)
            if delivered:
                async with self._busy:
                    await self._take(source, delivered)
            if delivered or watchdog.content:
                self.healthy = True

    async def _take(self, source: Source, delivered: Sequence[Delivered]) -> None:
        """Every topic's share in a transaction of its own, then the offsets."""
        ours = source.assignment()
        by_topic: dict[str, list[Delivered]] = {}
        for one in delivered:
            if one.place in ours:
                by_topic.setdefault(one.record.topic, []).append(one)
        for topic, share in by_topic.items():
            try:
                await self._workers[topic].apply(Batch(share))
            except Exception as error:
                if not self._is_transient(error):
                    raise
                self._back_off(source, share, error)
                continue
            self._recovered(share)
            await source.commit({one.place: one.offset + 1 for one in share})

    def _back_off(self, source: Source, share: Sequence[Delivered], error: Exception) -> None:
        """Rewind and pause the partitions concerned; the others go on and the member keeps heart-beating."""
        first: Mapping[Place, int] = {one.place: one.offset for one in reversed(share)}
        tries = max(self._failures.get(place, 0) for place in first)
        pause = BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)]
        _LOG.warning("transient trouble: paused", seconds=pause, error=f"{type(error).__name__}: {error}")
        metrics.PAUSES.labels(self._group).inc()
        source.seek(first)
        source.pause(list(first))
        self._paused.update(first)
        for place in first:
            self._failures[place] = tries + 1
            self._paused_until[place] = time.monotonic() + pause

    def _recovered(self, share: Sequence[Delivered]) -> None:
        places = {one.place for one in share}
        if any(self._failures.pop(place, 0) for place in places):
            self.recoveries += 1

    def _resume_due(self, source: Source) -> None:
        now = time.monotonic()
        due = [place for place in self._paused if self._paused_until[place] <= now]
        self._paused.difference_update(due)
        source.resume(due)

    async def _finish_batch(self) -> None:
        """Before partitions are given away: let the batch under way end, bounded."""
        with suppress(TimeoutError):
            async with asyncio.timeout(REVOKE_SECONDS), self._busy:
                pass


def _reached(goal: Mapping[Place, int], committed: Mapping[Place, int]) -> bool:
    return all(committed.get(place, 0) >= end for place, end in goal.items())


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
