"""The broker's double: topics in memory, for handlers' tests. Held to the same suite as Kafka (test_broker.py)."""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from contracts import Record
from messaging.broker import Delivered, Place, Stuck, Unsendable

MAX_BYTES = 1024 * 1024
Revoked = Callable[[], Awaitable[None]]


class MemoryBroker:
    """Topics with partitions, and what each group has committed. `away` makes every call fail like a lost broker."""

    def __init__(self, partitions: int = 12) -> None:
        self.partitions = partitions
        self.away = False
        self._logs: defaultdict[Place, list[Record]] = defaultdict(list)
        self._groups: defaultdict[str, MemoryGroup] = defaultdict(MemoryGroup)

    def producer(self) -> "MemoryProducer":
        """A new producer."""
        return MemoryProducer(self)

    def source(self, group: str, topics: Sequence[str]) -> "MemorySource":
        """A new member for a group; it joins when it starts."""
        return MemorySource(self, self._groups[group], topics)

    def append(self, record: Record) -> Place:
        """Store a record in the partition that its key hashes to."""
        place = Place(record.topic, zlib.crc32(record.key) % self.partitions)
        self._logs[place].append(record)
        return place

    def log(self, place: Place) -> list[Record]:
        """Everything of one partition."""
        return self._logs[place]

    def records(self, topic: str) -> list[Record]:
        """Everything of a topic, partition by partition."""
        return [record for number in range(self.partitions) for record in self._logs[Place(topic, number)]]

    def places(self, topics: Sequence[str]) -> list[Place]:
        """All partitions of some topics."""
        return [Place(topic, number) for topic in topics for number in range(self.partitions)]

    def require(self) -> None:
        """Raises ConnectionError while the broker is away."""
        if self.away:
            raise ConnectionError("the broker is away")


class MemoryGroup:
    """Members in the order of joining, and committed offsets."""

    def __init__(self) -> None:
        self.members: list[MemorySource] = []
        self.offsets: dict[Place, int] = {}

    async def rebalance(self) -> None:
        """Eager, as Kafka's: everybody gives everything away before anybody gets anything."""
        for member in self.members:
            await member.give_away()
        for number, member in enumerate(self.members):
            member.take(number, len(self.members), self.offsets)


class MemoryProducer:
    """Sends at once, in order."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def start(self) -> None:
        """Fails while the broker is away."""
        self._broker.require()

    async def stop(self) -> None:
        """Nothing to close."""

    async def send_batch(self, records: Sequence[Record], deadline: float) -> list[Exception | None]:  # noqa: ARG002
        """One outcome per record; nothing is known of any of them while the broker is away."""
        await asyncio.sleep(0)
        stuck = Stuck()
        return [stuck.before(record) or stuck.after(record, self._send(record)) for record in records]

    def _send(self, record: Record) -> Exception | None:
        if self._broker.away:
            return TimeoutError("no acknowledgement in time")
        if len(record.value or b"") > MAX_BYTES:
            return Unsendable(f"{len(record.value or b'')} bytes are more than {MAX_BYTES}")
        self._broker.append(record)
        return None


class MemorySource:
    """A member of a group."""

    def __init__(self, broker: MemoryBroker, group: MemoryGroup, topics: Sequence[str]) -> None:
        self._broker, self._group, self._topics = broker, group, topics
        self._positions: dict[Place, int] = {}
        self._paused: set[Place] = set()
        self._revoked: Revoked | None = None

    async def start(self, revoked: Revoked) -> None:
        """Join."""
        self._broker.require()
        self._revoked = revoked
        self._group.members.append(self)
        await self._group.rebalance()

    async def stop(self) -> None:
        """Leave."""
        if self in self._group.members:
            self._group.members.remove(self)
            self._positions.clear()
            await self._group.rebalance()

    async def give_away(self) -> None:
        """Half of a rebalance."""
        if self._positions and self._revoked:
            await self._revoked()
        self._positions.clear()
        self._paused.clear()

    def take(self, number: int, count: int, offsets: Mapping[Place, int]) -> None:
        """The other half: every `count`-th partition."""
        mine = self._broker.places(self._topics)[number::count]
        self._positions = {place: offsets.get(place, 0) for place in mine}

    async def poll(self, seconds: float, limit: int) -> list[Delivered]:
        """What is there, else what comes within `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not (found := self._fetch(limit)):  # noqa: ASYNC110 (a double may poll)
                    await asyncio.sleep(0.005)
                return found
        return []

    def _fetch(self, limit: int) -> list[Delivered]:
        found: list[Delivered] = []
        if self._broker.away:
            return found
        for place in [place for place in self._positions if place not in self._paused]:
            start = self._positions[place]
            records = self._broker.log(place)[start : start + limit - len(found)]
            found += [Delivered(record, place.partition, start + n) for n, record in enumerate(records)]
            self._positions[place] = start + len(records)
        return found

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Only what is still ours."""
        self._group.offsets.update({place: offset for place, offset in offsets.items() if place in self._positions})

    def seek(self, offsets: Mapping[Place, int]) -> None:
        """Only what is still ours."""
        self._positions.update({place: offset for place, offset in offsets.items() if place in self._positions})

    def pause(self, places: Sequence[Place]) -> None:
        """Bring nothing of these."""
        self._paused.update(places)

    def resume(self, places: Sequence[Place]) -> None:
        """Bring them again."""
        self._paused.difference_update(places)

    def assignment(self) -> frozenset[Place]:
        """What is ours."""
        return frozenset(self._positions)

    async def end_offsets(self) -> dict[Place, int]:
        """Of every partition."""
        self._broker.require()
        return {place: len(self._broker.log(place)) for place in self._broker.places(self._topics)}

    async def committed(self) -> dict[Place, int]:
        """Of the group; 0 where nothing is committed."""
        self._broker.require()
        return {place: self._group.offsets.get(place, 0) for place in self._broker.places(self._topics)}

    async def members(self) -> int:
        """How many have joined."""
        return len(self._group.members)
