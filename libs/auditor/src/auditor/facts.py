"""The evidence: what `collect` found and `judge` reads. Immutable, so that a test corrupts a copy and nothing else.

Field order equals column order of the queries in `databases`. Times are aware; quantities are pieces.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import AwareDatetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the client log: user and key of a POST /orders, and its answer (status None = no answer came)."""

    at: AwareDatetime
    user: UUID
    key: str
    attempt: int
    status: int | None
    order_id: UUID | None


@dataclass(frozen=True, slots=True)
class Order:
    """A row of orders; both times are of the database's clock."""

    id: UUID
    user_id: UUID
    idempotency_key: str
    status: str
    created_at: datetime
    terminal_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of one SKU in an order, or in its reservation."""

    order_id: UUID
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Stock:
    """A row of stock."""

    sku: str
    on_hand: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Restock:
    """A delivery into the warehouse."""

    id: UUID
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation's state: open, rejected, sold, released, restocked or refused."""

    order_id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class Effect:
    """A row of the stock ledger. A restock by a person has no order."""

    sku: str
    order_id: UUID | None
    kind: str
    on_hand_delta: int
    reserved_delta: int
    cause_event_id: UUID | None


class Aggregate(NamedTuple):
    """Whose versions are counted: CloudEvents source (a service's name) and the key of its topic."""

    service: str
    topic: str
    key: str


@dataclass(frozen=True, slots=True)
class Written:
    """A row of event_history: an event that was written to an outbox in a committed transaction."""

    service: str
    event_id: UUID
    topic: str
    key: str
    type: str
    version: int
    cause_event_id: UUID | None
    written_at: datetime

    @property
    def aggregate(self) -> Aggregate:
        """Whose event this is."""
        return Aggregate(self.service, self.topic, self.key)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that is still in an outbox."""

    service: str
    topic: str
    key: str
    event_id: UUID
    parked: bool

    @property
    def aggregate(self) -> Aggregate:
        """Whose event this is."""
        return Aggregate(self.service, self.topic, self.key)


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """A key whose events a group keeps aside."""

    consumer_group: str
    topic: str
    key: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that a group set aside: parked, dead, replayed or discarded."""

    consumer_group: str
    topic: str
    key: str
    event_id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record on a topic; `at` is its Kafka timestamp. `fault` says why it cannot be read (then type is empty)."""

    topic: str
    partition: int
    offset: int
    key: str
    event_id: UUID
    type: str
    source: str
    version: int
    at: datetime
    fault: str | None

    @property
    def aggregate(self) -> Aggregate:
        """Whose event this is."""
        return Aggregate(self.source.removeprefix("/"), self.topic, self.key)


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition's oldest readable offset and its end."""

    topic: str
    partition: int
    beginning: int
    end: int


@dataclass(frozen=True, slots=True)
class Committed:
    """A group's next offset to read."""

    consumer_group: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at everything that moves: `waiting` outbox rows not behind a parked one, `pending` orders."""

    at: datetime
    partitions: tuple[Partition, ...]
    committed: tuple[Committed, ...]
    waiting: int
    pending: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a verdict rests on. `read_at` is the order database's clock when its rows were read."""

    read_at: datetime
    client_log: tuple[Attempt, ...] = ()
    orders: tuple[Order, ...] = ()
    order_lines: tuple[Line, ...] = ()
    stock: tuple[Stock, ...] = ()
    restocks: tuple[Restock, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    reserved_lines: tuple[Line, ...] = ()
    ledger: tuple[Effect, ...] = ()
    history: tuple[Written, ...] = ()
    outbox: tuple[Waiting, ...] = ()
    parked_keys: tuple[ParkedKey, ...] = ()
    letters: tuple[Letter, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    readings: tuple[Reading, ...] = ()

    @property
    def acknowledged(self) -> tuple[Attempt, ...]:
        """Attempts that a client saw succeed."""
        return tuple(a for a in self.client_log if a.status is not None and 200 <= a.status < 300)

    @property
    def began_at(self) -> datetime | None:
        """The run's begin by the client's clock; None when no client wrote anything."""
        return min((attempt.at for attempt in self.client_log), default=None)
