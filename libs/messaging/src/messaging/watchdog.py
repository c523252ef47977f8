"""Judges a consumer by its progress, since a client can be connected, silent and useless for ever.

Cures what was seen in aiokafka: a member that never rejoins after a broker's restart, and one that stays silent after
its loop was blocked. A pause on purpose counts as progress until it ends; a member without partitions is healthy where
members outnumber partitions.
"""

import asyncio
import time
from collections.abc import Mapping

import structlog

from messaging import metrics
from messaging.broker import Place, Source

CHECK_SECONDS = 5.0
STUCK_SECONDS = 30.0

_LOG = structlog.get_logger("watchdog")


class Watchdog:
    """`run` returns the reason when the source should be replaced."""

    def __init__(
        self,
        source: Source,
        paused: Mapping[Place, float],
        group: str,
        session_seconds: float,
        *,
        check: float = CHECK_SECONDS,
        stuck: float = STUCK_SECONDS,
    ) -> None:
        self._source, self._paused, self._group = source, paused, group
        self._unassigned_limit, self._check, self._stuck = 2 * session_seconds, check, stuck
        self._committed: dict[Place, int] = {}
        self._moved_at: dict[Place, float] = {}
        self._assigned_at = time.monotonic()
        self.content = False
        """Whether the last judgement found every partition of ours moving or read to its end."""

    async def run(self) -> str:
        """Check until there is a reason to replace the source."""
        while True:
            await asyncio.sleep(self._check)
            try:
                async with asyncio.timeout(self._stuck):
                    reason = await self._judge()
            except Exception as error:
                # A broker that is away is no fault of the client, which reconnects by itself.
                _LOG.warning("progress unknown", error=f"{type(error).__name__}: {error}")
                continue
            if reason:
                return reason

    async def _judge(self) -> str | None:
        now = time.monotonic()
        ends, committed = await self._source.end_offsets(), await self._source.committed()
        metrics.LAG.labels(self._group).set(sum(max(0, end - committed[place]) for place, end in ends.items()))
        ours = self._source.assignment()
        if ours:
            self._assigned_at = now
        elif now - self._assigned_at > self._unassigned_limit and await self._source.members() <= len(ends):
            return f"no partition for {now - self._assigned_at:.0f} s"
        still = [place for place in ours if not self._moving(place, ends, committed)]
        self._moved_at.update({place: now for place in ours if place not in still})
        self._committed = committed
        self.content = not still and (bool(ours) or await self._source.members() > len(ends))
        for place in still:
            if now - self._last_moved(place, now) > self._stuck:
                return f"{place.topic}/{place.partition} has lag and does not move"
        return None

    def _moving(self, place: Place, ends: Mapping[Place, int], committed: Mapping[Place, int]) -> bool:
        return committed[place] != self._committed.get(place, committed[place]) or committed[place] >= ends[place]

    def _last_moved(self, place: Place, now: float) -> float:
        """A try that follows a pause may be slow itself; it is given as long as any other standstill."""
        return max(self._moved_at.setdefault(place, now), self._paused.get(place, 0.0))
