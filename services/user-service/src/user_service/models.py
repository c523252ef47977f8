"""Rows: columns and constraints."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, MetaData, Text, UniqueConstraint, text
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


class LoginRow(Table):
    """Where refresh tokens come from. Being revoked is the login's state, so a rotation in flight cannot escape it."""

    __tablename__ = "logins"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(UserRow.id), index=True)
    revoked_at: Mapped[datetime | None]


class RefreshTokenRow(Table):
    """A refresh token's SHA-256; rotation adds rows to one login."""

    __tablename__ = "refresh_tokens"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    login: Mapped[UUID] = mapped_column(ForeignKey(LoginRow.id), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
