"""What the services tell each other: one class per published event type, the root of every other contract.

Strict when an event is made (a producer's bug stays with the producer), tolerant when one is read (unknown fields
are ignored), so that a producer may add an optional field before its consumers know it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Sku = Annotated[str, Field(min_length=1, max_length=64)]
Quantity = Annotated[int, Field(ge=1, le=10_000)]
Minor = Annotated[int, Field(ge=0, description="Money in the currency's minor unit, e.g. pence")]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217 code")]


class Payload(BaseModel):
    """A frozen piece of an event."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class OrderItem(Payload):
    """One line of an order, at the price that was judged at acceptance."""

    sku: Sku
    quantity: Quantity
    unit_price_minor: Minor


class Shortage(Payload):
    """A line that stock could not serve: what was asked and what was there."""

    sku: Sku
    requested: Quantity
    available: Annotated[int, Field(ge=0)]


class Event(Payload):
    """Base of all events; `type` is the CloudEvents type and carries the version of the shape."""

    type: ClassVar[str]


class OrderPlaced(Event):
    """A customer's order was accepted and waits for stock until `deadline_at`."""

    type: ClassVar[str] = "order.placed.v1"
    order_id: UUID
    user_id: UUID
    items: Annotated[tuple[OrderItem, ...], Field(min_length=1, max_length=100)]
    total_minor: Minor
    currency: Currency
    deadline_at: datetime


class OrderConfirmed(Event):
    """All stock is reserved; inventory turns the reservation into a sale."""

    type: ClassVar[str] = "order.confirmed.v1"
    order_id: UUID


class OrderRejected(Event):
    """Stock did not suffice; nothing is held."""

    type: ClassVar[str] = "order.rejected.v1"
    order_id: UUID
    reason: str
    shortages: tuple[Shortage, ...] = ()


class OrderCancelled(Event):
    """The customer withdrew the order or its deadline passed; whatever is held or sold goes back."""

    type: ClassVar[str] = "order.cancelled.v1"
    order_id: UUID
    reason: Literal["customer", "timeout"]


class StockReserved(Event):
    """Every line of the order is reserved."""

    type: ClassVar[str] = "stock.reserved.v1"
    order_id: UUID


class StockRejected(Event):
    """At least one line could not be reserved, so none is."""

    type: ClassVar[str] = "stock.rejected.v1"
    order_id: UUID
    shortages: tuple[Shortage, ...]


class StockReleased(Event):
    """A reservation was released or a sale restocked."""

    type: ClassVar[str] = "stock.released.v1"
    order_id: UUID


class Product(Event):
    """The whole catalogue row, so that a compacted topic holds the catalogue."""

    type: ClassVar[str]
    sku: Sku
    name: Annotated[str, Field(min_length=1, max_length=200)]
    price_minor: Minor
    currency: Currency
    active: bool


class ProductListed(Product):
    """A product appeared in the catalogue."""

    type: ClassVar[str] = "product.listed.v1"


class ProductUpdated(Product):
    """A product's catalogue row changed."""

    type: ClassVar[str] = "product.updated.v1"


class UserRegistered(Event):
    """A user may order from now on."""

    type: ClassVar[str] = "user.registered.v1"
    user_id: UUID
    name: Annotated[str, Field(min_length=1, max_length=200)]
    status: Literal["active"] = "active"


class UserUpdated(Event):
    """A user's public data changed."""

    type: ClassVar[str] = "user.updated.v1"
    user_id: UUID
    name: Annotated[str, Field(min_length=1, max_length=200)]
    status: Literal["active", "deactivated"]


class UserDeactivated(Event):
    """A user may order no more, even while a token of theirs still lives."""

    type: ClassVar[str] = "user.deactivated.v1"
    user_id: UUID
    status: Literal["deactivated"] = "deactivated"


PUBLISHED: tuple[type[Event], ...] = (
    OrderPlaced,
    OrderConfirmed,
    OrderRejected,
    OrderCancelled,
    StockReserved,
    StockRejected,
    StockReleased,
    ProductListed,
    ProductUpdated,
    UserRegistered,
    UserUpdated,
    UserDeactivated,
)
EVENTS: Mapping[str, type[Event]] = {event.type: event for event in PUBLISHED}
