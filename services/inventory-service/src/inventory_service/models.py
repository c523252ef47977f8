"""Rows: columns and constraints. `never_oversold` is the last line of defence for the promise in its name."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, MetaData, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NOW = text("clock_timestamp()")


class Table(DeclarativeBase):
    """Base of this service's own tables; messaging's are made by messaging's statements."""

    metadata = MetaData()
    type_annotation_map: dict[Any, Any] = {datetime: DateTime(timezone=True), str: Text()}  # noqa: RUF012


class ProductRow(Table):
    """The catalogue; stock lies apart, so that reservations never touch a product's version."""

    __tablename__ = "products"
    __table_args__ = (Index("products_newest", text("listed_at DESC"), text("sku DESC")),)

    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    active: Mapped[bool]
    version: Mapped[int]
    listed_at: Mapped[datetime] = mapped_column(server_default=NOW)


class StockRow(Table):
    """Pieces in the warehouse, and of these promised."""

    __tablename__ = "stock"
    __table_args__ = (CheckConstraint("on_hand >= reserved AND reserved >= 0", name="never_oversold"),)

    sku: Mapped[str] = mapped_column(primary_key=True)
    on_hand: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)


class RestockRow(Table):
    """A delivery, with the idempotency key that made it."""

    __tablename__ = "restocks"
    __table_args__ = (UniqueConstraint("user_id", "idempotency_key", name="one_restock_per_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sku: Mapped[str]
    quantity: Mapped[int]
    user_id: Mapped[UUID]
    idempotency_key: Mapped[str]
    fingerprint: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ReservationRow(Table):
    """What an order's events have come to."""

    __tablename__ = "reservations"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    version: Mapped[int]
    order_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ReservedItemRow(Table):
    """One line of a reservation that was opened."""

    __tablename__ = "reservation_items"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[int]


class LedgerRow(Table):
    """Every movement of stock with its cause; append-only. The unique cause makes a doubled effect impossible."""

    __tablename__ = "stock_ledger"
    __table_args__ = (UniqueConstraint("cause_event_id", "sku", name="one_effect_per_event"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sku: Mapped[str]
    order_id: Mapped[UUID | None]
    kind: Mapped[str]
    on_hand_delta: Mapped[int] = mapped_column(BigInteger)
    reserved_delta: Mapped[int] = mapped_column(BigInteger)
    cause_event_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(server_default=NOW)
