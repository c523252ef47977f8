"""The order's rules, pure: what each fact makes of an order, and what is announced because of it.

OrderError
├── NotProjected      our projections do not know a product or the user yet; ask their owner
├── UnknownProduct    nobody knows it
├── InactiveProduct   no longer sold
├── MixedCurrencies   one order, one currency
├── InactiveUser      may not order
├── TooManyPending    wait until some orders are decided
├── KeyReused         the idempotency key belongs to another request
├── IllegalCancel     a rejected order cannot be cancelled
└── UnknownOrder      no such order (of this user)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from contracts import (
    Event,
    OrderCancelled,
    OrderConfirmed,
    OrderItem,
    OrderRejected,
    StockRejected,
    StockReleased,
    StockReserved,
)


class OrderError(Exception):
    """Base of the refusals; its text is a sentence for the caller."""


class NotProjected(OrderError):
    """Names what has to be looked up."""

    def __init__(self, skus: frozenset[str], user: bool) -> None:
        super().__init__("The catalogue or the user is not known here yet.")
        self.skus, self.user = skus, user


class UnknownProduct(OrderError):
    """No service knows this SKU."""


class InactiveProduct(OrderError):
    """The product is not sold at the moment."""


class MixedCurrencies(OrderError):
    """The lines' prices are in several currencies."""


class InactiveUser(OrderError):
    """The user is deactivated or unknown."""


class TooManyPending(OrderError):
    """The user's limit of undecided orders is reached."""


class KeyReused(OrderError):
    """Same key, another body."""


class IllegalCancel(OrderError):
    """Only pending and confirmed orders can be cancelled."""


class UnknownOrder(OrderError):
    """There is no such order."""


class Status(StrEnum):
    """pending -> confirmed | rejected | cancelled, confirmed -> cancelled."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Order:
    """What decisions depend on. `stock_version` is the last version seen of this order's reservation."""

    id: UUID
    status: Status
    version: int
    stock_version: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The order after a fact, what to announce, and whether the fact came too late to matter."""

    order: Order
    events: tuple[Event, ...] = ()
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """What a product costs now; `active` says whether it is sold."""

    price_minor: int
    currency: str
    active: bool


Decide = Callable[[Order, Any], Decision]


def decide_on_reserved(order: Order, event: StockReserved) -> Decision:
    """All stock is held: a pending order is confirmed, even after its deadline if nobody has cancelled it."""
    return _move(order, Status.CONFIRMED, OrderConfirmed(order_id=event.order_id))


def decide_on_rejected(order: Order, event: StockRejected) -> Decision:
    """Stock does not suffice: a pending order is rejected."""
    announced = OrderRejected(order_id=event.order_id, reason="out-of-stock", shortages=event.shortages)
    return _move(order, Status.REJECTED, announced)


def decide_on_released(order: Order, event: StockReleased) -> Decision:  # noqa: ARG001 (one shape for all facts)
    """Inventory has let go; the order's history shows it, nothing else changes."""
    return Decision(order)


def decide_on_cancel(order: Order) -> Decision:
    """The customer withdraws: twice is the same as once, a rejected order is refused."""
    if order.status is Status.REJECTED:
        raise IllegalCancel("A rejected order cannot be cancelled.")
    return _cancel(order, "customer", Status.PENDING, Status.CONFIRMED)


def decide_on_deadline(order: Order) -> Decision:
    """Nobody answered in time: a pending order is cancelled."""
    return _cancel(order, "timeout", Status.PENDING)


def after_stock(order: Order, decide: Decide, event: Event, version: int) -> Decision:
    """A stock event counts only when it is newer than the last one seen of the reservation."""
    if version <= order.stock_version:
        return Decision(order, stale=True)
    return decide(replace(order, stock_version=version), event)


def priced(items: Mapping[str, int], prices: Mapping[str, Price]) -> tuple[tuple[OrderItem, ...], int, str]:
    """Lines with their unit prices, the total in minor units and the currency; every SKU must be in `prices`."""
    for sku in items:
        if not prices[sku].active:
            raise InactiveProduct(f"Product {sku} is not sold at the moment.")
    currencies = {prices[sku].currency for sku in items}
    if len(currencies) > 1:
        raise MixedCurrencies(f"One order has one currency, not {', '.join(sorted(currencies))}.")
    lines = tuple(OrderItem(sku=s, quantity=n, unit_price_minor=prices[s].price_minor) for s, n in items.items())
    return lines, sum(line.quantity * line.unit_price_minor for line in lines), currencies.pop()


def _move(order: Order, status: Status, event: Event) -> Decision:
    if order.status is not Status.PENDING:
        return Decision(order, stale=True)
    return Decision(replace(order, status=status, version=order.version + 1), (event,))


def _cancel(order: Order, reason: Any, *sources: Status) -> Decision:
    if order.status not in sources:
        return Decision(order, stale=True)
    moved = replace(order, status=Status.CANCELLED, version=order.version + 1)
    return Decision(moved, (OrderCancelled(order_id=order.id, reason=reason),))
