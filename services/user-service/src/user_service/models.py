"""Rows: columns and constraints."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, MetaData, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NOW = text("clock_timestamp()")


class Table(DeclarativeBase):
    """Base of this service's own tables; messaging's are made by messaging's statements."""

    metadata = MetaData()
    type_annotation_map: dict[Any, Any] = {datetime: DateTime(timezone=True), str: Text()}  # noqa: RUF012


class UserRow(Table):
    """A user; the e-mail address is lower case and stays here, no event carries it."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email", name="one_user_per_email"),
        CheckConstraint("status IN ('active', 'deactivated')", name="known_status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    status: Mapped[str]
    scopes: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class RefreshTokenRow(Table):
    """A refresh token's SHA-256; `family` is shared by all that rotation made of one login."""

    __tablename__ = "refresh_tokens"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    family: Mapped[UUID] = mapped_column(index=True)
    user_id: Mapped[UUID] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
