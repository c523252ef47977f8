"""Kafka behind the Source protocol: earliest, no automatic commits, eager rebalancing, bounded start and stop."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from ssl import SSLContext
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord

from contracts import Record
from messaging.broker import Delivered, Place
from messaging.tls import client_options

START_SECONDS = 15.0
STOP_SECONDS = 5.0
COMMIT_SECONDS = 3.0
FETCH_BYTES = 8 * 1024 * 1024
PARTITION_BYTES = 256 * 1024

MEMBERS = 5
"""Place of the members in a described group: error, group, state, protocol type, protocol, members, .."""

_LOG = structlog.get_logger("source")


class KafkaSource:
    """One aiokafka consumer in `group`."""

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        *,
        session_seconds: float = 6.0,
        heartbeat_seconds: float = 2.0,
        tls: SSLContext | None = None,
    ) -> None:
        self._cluster = {"bootstrap_servers": bootstrap, **client_options(tls)}
        self._group, self._topics = group, topics
        self._owed: dict[Place, int] = {}
        self._consumer = AIOKafkaConsumer(
            **self._cluster,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=int(session_seconds * 1000),
            heartbeat_interval_ms=int(heartbeat_seconds * 1000),
            rebalance_timeout_ms=10_000,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_wait_ms=100,
        )

    async def start(self, revoked: Callable[[], Awaitable[None]]) -> None:
        """Join the group."""
        self._consumer.subscribe(self._topics, listener=_Listener(revoked, self._owed))
        async with asyncio.timeout(START_SECONDS):
            await self._consumer.start()

    async def stop(self) -> None:
        """Leave the group; a client that cannot say good-bye is abandoned and expires with its session."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._consumer.stop()
        except Exception as error:
            _LOG.warning("source abandoned", error=f"{type(error).__name__}: {error}")

    async def poll(self, seconds: float, limit: int) -> list[Delivered]:
        """getmany only, and never inside wait_for: a cancelled fetch loses what it had taken."""
        if self._owed:
            await self.commit({})
        found = await self._consumer.getmany(timeout_ms=int(seconds * 1000), max_records=limit)
        return [
            Delivered(_record(place.topic, one), place.partition, one.offset)
            for place, records in found.items()
            for one in records
        ]

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Only what is still ours; after a revocation the new owner reads again and the inbox knows it all.

        Bounded, since the client waits for a coordinator for ever; what ran out of time is owed to the next poll.
        """
        self._owed.update(offsets)
        ours = self.assignment()
        wanted = {TopicPartition(*place): offset for place, offset in self._owed.items() if place in ours}
        try:
            if wanted:
                async with asyncio.timeout(COMMIT_SECONDS):
                    await self._consumer.commit(wanted)
            self._owed.clear()
        except TimeoutError:
            _LOG.warning("offsets not committed in time", seconds=COMMIT_SECONDS)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            self._owed.clear()
            _LOG.info("offsets not committed", error=f"{type(error).__name__}: {error}")

    def seek(self, offsets: Mapping[Place, int]) -> None:
        """Back to where a batch began."""
        ours = self.assignment()
        for place, offset in offsets.items():
            if place in ours:
                self._consumer.seek(TopicPartition(*place), offset)

    def pause(self, places: Sequence[Place]) -> None:
        """Fetch nothing of these."""
        self._consumer.pause(*self._ours(places))

    def resume(self, places: Sequence[Place]) -> None:
        """Fetch them again."""
        self._consumer.resume(*self._ours(places))

    def assignment(self) -> frozenset[Place]:
        """What the last rebalance gave us."""
        return frozenset(Place(one.topic, one.partition) for one in self._consumer.assignment())

    async def end_offsets(self) -> dict[Place, int]:
        """Asked of the broker."""
        ends = await self._consumer.end_offsets(self._everything())
        return {Place(one.topic, one.partition): offset for one, offset in ends.items()}

    async def committed(self) -> dict[Place, int]:
        """Asked of the group's coordinator, for partitions of other members too.

        What expired before the group came to read it will never be committed, so it counts from the log's beginning.
        """
        everything = self._everything()
        begins = await self._consumer.beginning_offsets(everything)
        offsets = await asyncio.gather(*(self._consumer.committed(one) for one in everything))
        return {
            Place(one.topic, one.partition): max(offset or 0, begins[one])
            for one, offset in zip(everything, offsets, strict=True)
        }

    async def members(self) -> int:
        """Asked of the coordinator by a short-lived admin client; the watchdog asks seldom."""
        admin = AIOKafkaAdminClient(**self._cluster)
        await admin.start()
        try:
            answers: Any = await admin.describe_consumer_groups([self._group])
            return len(answers[0].groups[0][MEMBERS])
        finally:
            await admin.close()

    def _everything(self) -> list[TopicPartition]:
        return [
            TopicPartition(topic, partition)
            for topic in self._topics
            for partition in sorted(self._consumer.partitions_for_topic(topic) or ())
        ]

    def _ours(self, places: Sequence[Place]) -> list[TopicPartition]:
        ours = self.assignment()
        return [TopicPartition(*place) for place in places if place in ours]


def _record(topic: str, one: "ConsumerRecord[bytes, bytes]") -> Record:
    """Kafka knows null keys and null header values; both read as empty."""
    headers = tuple((name, value or b"") for name, value in one.headers)
    return Record(topic, one.key or b"", one.value, headers)


class _Listener(ConsumerRebalanceListener):
    """Lets the batch under way end before its partitions are given away; nothing is owed for them afterwards."""

    def __init__(self, revoked: Callable[[], Awaitable[None]], owed: dict[Place, int]) -> None:
        self._revoked, self._owed = revoked, owed

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        if revoked:
            await self._revoked()
        self._owed.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        _LOG.info("partitions assigned", count=len(assigned))
