"""Stock's rules, pure: what each event of an order makes of its reservation, its stock, and what is announced.

InventoryError
├── UnknownProduct     no such SKU
├── KeyReused          the idempotency key belongs to another restock
└── Unfounded          a confirmation of something that was never reserved: somebody has to look
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from contracts import (
    Event,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    Shortage,
    StockRejected,
    StockReleased,
    StockReserved,
)


class InventoryError(Exception):
    """Base of the refusals; its text is a sentence."""


class UnknownProduct(InventoryError):
    """The catalogue has no such SKU."""


class KeyReused(InventoryError):
    """Same key, another restock."""


class Unfounded(InventoryError):
    """Parks the order's key: a sale without a reservation would be a lie in the books."""


class State(StrEnum):
    """Of a reservation. `NONE` is never stored; `refused` is the tombstone of a cancellation that came first."""

    NONE = "none"
    OPEN = "open"
    REJECTED = "rejected"
    SOLD = "sold"
    RELEASED = "released"
    RESTOCKED = "restocked"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reservation:
    """`version` counts this reservation's own events, `order_version` is the last one seen of its order."""

    order_id: UUID
    state: State = State.NONE
    version: int = 0
    order_version: int = 0
    items: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Level:
    """Pieces of a SKU: in the warehouse, and of these promised to open reservations."""

    on_hand: int = 0
    reserved: int = 0

    @property
    def available(self) -> int:
        """What may still be promised."""
        return self.on_hand - self.reserved


Kind = Literal["reserve", "sell", "release", "restock"]
Shelf = Mapping[str, Level]


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of the stock ledger."""

    kind: Kind
    sku: str
    on_hand: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The reservation after an event, what happens to stock, what to announce; or that the event came too late."""

    reservation: Reservation
    effects: tuple[Effect, ...] = ()
    events: tuple[Event, ...] = ()
    stale: bool = False


Decide = Callable[[Reservation, Any, Shelf], Decision]


def decide_on_placed(reservation: Reservation, event: OrderPlaced, shelf: Shelf) -> Decision:
    """All lines or none."""
    if reservation.state is not State.NONE:
        return _ignored(reservation)
    wanted = {item.sku: item.quantity for item in event.items}
    shortages = _shortages(wanted, shelf)
    if shortages:
        rejected = replace(reservation, state=State.REJECTED, version=1)
        return Decision(rejected, events=(StockRejected(order_id=event.order_id, shortages=shortages),))
    opened = replace(reservation, state=State.OPEN, version=1, items=wanted)
    return Decision(opened, _effects("reserve", wanted, 0, 1), (StockReserved(order_id=event.order_id),))


def decide_on_confirmed(reservation: Reservation, event: OrderConfirmed, shelf: Shelf) -> Decision:  # noqa: ARG001
    """The reservation becomes a sale."""
    match reservation.state:
        case State.OPEN:
            sold = replace(reservation, state=State.SOLD)
            return Decision(sold, _effects("sell", reservation.items, -1, -1))
        case State.SOLD | State.RELEASED | State.RESTOCKED:
            return _ignored(reservation)
    raise Unfounded(f"Order {event.order_id} is confirmed, but its reservation is {reservation.state}.")


def decide_on_cancelled(reservation: Reservation, event: OrderCancelled, shelf: Shelf) -> Decision:  # noqa: ARG001
    """Whatever is held or sold goes back; before the reservation, a tombstone refuses the late reserve."""
    released = (StockReleased(order_id=event.order_id),)
    match reservation.state:
        case State.NONE:
            return Decision(replace(reservation, state=State.REFUSED))
        case State.OPEN:
            let_go = replace(reservation, state=State.RELEASED, version=reservation.version + 1)
            return Decision(let_go, _effects("release", reservation.items, 0, -1), released)
        case State.SOLD:
            back = replace(reservation, state=State.RESTOCKED, version=reservation.version + 1)
            return Decision(back, _effects("restock", reservation.items, 1, 0), released)
    return _ignored(reservation)


def decide_on_rejected(reservation: Reservation, event: OrderRejected, shelf: Shelf) -> Decision:  # noqa: ARG001
    """An echo of our own refusal."""
    return _ignored(reservation)


def after_order(reservation: Reservation, decide: Decide, event: Event, version: int, shelf: Shelf) -> Decision:
    """An order's event counts only when it is newer than the last one that changed its reservation."""
    if version <= reservation.order_version:
        return _ignored(reservation)
    decision = decide(reservation, event, shelf)
    if decision.stale:
        return decision
    return replace(decision, reservation=replace(decision.reservation, order_version=version))


def moved(level: Level, effect: Effect) -> Level:
    """The shelf after an effect."""
    return Level(level.on_hand + effect.on_hand, level.reserved + effect.reserved)


def _shortages(wanted: Mapping[str, int], shelf: Shelf) -> tuple[Shortage, ...]:
    """Lines that stock cannot serve; a SKU that nobody listed has nothing available."""
    available = {sku: shelf.get(sku, Level()).available for sku in wanted}
    return tuple(
        Shortage(sku=sku, requested=quantity, available=available[sku])
        for sku, quantity in wanted.items()
        if quantity > available[sku]
    )


def _effects(kind: Kind, items: Mapping[str, int], on_hand: int, reserved: int) -> tuple[Effect, ...]:
    """One per line; the last two say which way its pieces move."""
    return tuple(Effect(kind, sku, on_hand * quantity, reserved * quantity) for sku, quantity in items.items())


def _ignored(reservation: Reservation) -> Decision:
    return Decision(reservation, stale=True)
