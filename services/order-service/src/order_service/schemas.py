"""What HTTP sees of orders: bodies in, bodies out. Unknown fields and a SKU named twice are refused."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from order_service.domain import Status
from order_service.repository import Step, Stored

Sku = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f/]+$")]


class ItemBody(BaseModel):
    """A line of a new order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sku: Sku
    quantity: Annotated[int, Field(ge=1, le=10_000, strict=True)]


class OrderBody(BaseModel):
    """A new order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: Annotated[tuple[ItemBody, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _each_sku_once(self) -> Self:
        if len(self.quantities) < len(self.items):
            raise ValueError("a SKU may be named once")
        return self

    @property
    def quantities(self) -> dict[str, int]:
        """SKU -> quantity, in the customer's order."""
        return {item.sku: item.quantity for item in self.items}


class Item(BaseModel):
    """A line at the price of its day, in the currency's minor unit."""

    model_config = ConfigDict(from_attributes=True)

    sku: str
    quantity: int
    unit_price_minor: int


class Order(BaseModel):
    """An order as its owner sees it."""

    id: UUID
    status: Status
    user_id: UUID
    items: list[Item]
    total_minor: int
    currency: str
    created_at: datetime
    terminal_at: datetime | None

    @classmethod
    def shown(cls, stored: Stored) -> Self:
        """From its row."""
        return cls.model_validate(stored, from_attributes=True)


class Page(BaseModel):
    """Orders, newest first; `next` is the cursor of the following page."""

    items: list[Order]
    next: str | None


class HistoryStep(BaseModel):
    """One event of an order's life and the trace that it belongs to."""

    at: datetime
    event: str
    version: int
    trace_id: str | None

    @classmethod
    def shown(cls, step: Step) -> Self:
        """From its row."""
        return cls.model_validate(step, from_attributes=True)
