"""Rows: columns and constraints. The constraints are the last line of defence for every promise about orders."""

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


class OrderRow(Table):
    """An order with the idempotency key that made it; items, key and prices never change."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key", name="one_order_per_key"),
        CheckConstraint("status IN ('pending', 'confirmed', 'rejected', 'cancelled')", name="known_status"),
        CheckConstraint("(status = 'pending') = (terminal_at IS NULL)", name="terminal_has_time"),
        Index("orders_of_user", "user_id", text("created_at DESC"), text("id DESC")),
        Index("orders_pending", "deadline_at", postgresql_where=text("status = 'pending'")),
        Index("orders_pending_of_user", "user_id", postgresql_where=text("status = 'pending'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    idempotency_key: Mapped[str]
    fingerprint: Mapped[bytes]
    status: Mapped[str]
    version: Mapped[int]
    stock_version: Mapped[int]
    total_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    traceparent: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    deadline_at: Mapped[datetime]
    terminal_at: Mapped[datetime | None]


class ItemRow(Table):
    """One line of an order."""

    __tablename__ = "order_items"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    sku: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)


class HistoryRow(Table):
    """Every event of an order's life, ours and inventory's, as GET /orders/{id}/history shows them."""

    __tablename__ = "order_history"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    event: Mapped[str]
    version: Mapped[int]
    trace_id: Mapped[str | None]


class ProductRow(Table):
    """Projection of inventory's catalogue."""

    __tablename__ = "products"

    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    active: Mapped[bool]
    version: Mapped[int]


class UserRow(Table):
    """Projection of user-service's users: only whether they may order."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    active: Mapped[bool]
    version: Mapped[int]
