"""What messaging asks of a broker: two small protocols, with Kafka behind them, and a double for handlers' tests.

Both implementations are held to one suite (tests/test_broker.py).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from contracts import Record

T = TypeVar("T")


class Unsendable(Exception):
    """The broker will never take this record (too large, say); sending it again is of no use."""


class Unsent(Exception):
    """Not sent, since an earlier record of its key was unsendable and must not be overtaken."""


class Stuck:
    """Keys of a batch whose records go no further; both producers ask it before and after each record."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, bytes]] = set()

    def before(self, record: Record) -> Unsent | None:
        """Why this record may not be sent."""
        return Unsent("behind an unsendable record") if (record.topic, record.key) in self._keys else None

    def after(self, record: Record, outcome: T) -> T:
        """Note what became of it."""
        if isinstance(outcome, Unsendable):
            self._keys.add((record.topic, record.key))
        return outcome


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Delivered(NamedTuple):
    """A record as a poll brings it."""

    record: Record
    partition: int
    offset: int

    @property
    def place(self) -> Place:
        """Where it lay."""
        return Place(self.record.topic, self.partition)


class Producer(Protocol):
    """Sends in order per key, acknowledged by all replicas, without reordering on a retry."""

    async def start(self) -> None:
        """Connect; raises OSError-like errors of the client when the broker is away."""

    async def stop(self) -> None:
        """Bounded; never raises."""

    async def send_batch(self, records: Sequence[Record], deadline: float) -> list[Exception | None]:
        """One outcome per record within `deadline` seconds: None when acknowledged, TimeoutError when unknown."""


class Source(Protocol):
    """A member of a consumer group. Offsets are those of the next record to read."""

    async def start(self, revoked: Callable[[], Awaitable[None]]) -> None:
        """Join the group; `revoked` is awaited, bounded, before partitions are given away."""

    async def stop(self) -> None:
        """Leave the group; bounded; never raises."""

    async def poll(self, seconds: float, limit: int) -> list[Delivered]:
        """What arrived, in offset order per partition; empty after `seconds`."""

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Commit; an error after a revocation is swallowed, since the new owner will read again."""

    def seek(self, offsets: Mapping[Place, int]) -> None:
        """Read these partitions again from there; partitions that are no longer ours are passed over."""

    def pause(self, places: Sequence[Place]) -> None:
        """Bring nothing of these until resumed."""

    def resume(self, places: Sequence[Place]) -> None:
        """Bring them again."""

    def assignment(self) -> frozenset[Place]:
        """What is ours at this moment."""

    async def end_offsets(self) -> dict[Place, int]:
        """Of every partition of the subscribed topics."""

    async def committed(self) -> dict[Place, int]:
        """The group's offsets for every partition of its topics; the log's beginning where it has none."""

    async def members(self) -> int:
        """How many members the group has."""
