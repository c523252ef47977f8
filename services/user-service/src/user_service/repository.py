"""Questions asked of the database, named by the question."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

Raw: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(frozen=True, slots=True)
class User:
    """A row of users. `scopes` is separated by spaces, as in a token."""

    id: UUID
    email: str
    name: str
    password_hash: str
    status: str
    scopes: str
    version: int
    created_at: datetime

    @property
    def is_active(self) -> bool:
        """Whether logging in and changing anything is allowed."""
        return self.status == "active"


INSERT_USER = """
INSERT INTO users (id, email, name, password_hash, status, scopes, version) VALUES ($1, $2, $3, $4, 'active', $5, 1)
ON CONFLICT (email) DO NOTHING RETURNING *
"""
RENAME = (
    "UPDATE users SET name = $2, version = version + 1 WHERE id = $1 AND status = 'active' AND name <> $2 RETURNING *"
)
DEACTIVATE = """
UPDATE users SET status = 'deactivated', version = version + 1 WHERE id = $1 AND status = 'active' RETURNING *
"""
INSERT_REFRESH = """
INSERT INTO refresh_tokens (digest, family, user_id, expires_at)
VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 day')
"""
SPEND_REFRESH = """
UPDATE refresh_tokens SET used_at = clock_timestamp()
WHERE digest = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > clock_timestamp()
RETURNING family, user_id
"""
REVOKE_FAMILY = """
UPDATE refresh_tokens SET revoked_at = coalesce(revoked_at, clock_timestamp())
WHERE family = (SELECT family FROM refresh_tokens WHERE digest = $1)
"""
REVOKE_ALL = "UPDATE refresh_tokens SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE user_id = $1"


async def insert_user(raw: Raw, user: UUID, email: str, name: str, password_hash: str, scopes: str) -> User | None:
    """The new user; None when the address is taken."""
    return _user(await raw.fetchrow(INSERT_USER, user, email, name, password_hash, scopes))


async def find_user(raw: Raw, user: UUID) -> User | None:
    """By id."""
    return _user(await raw.fetchrow("SELECT * FROM users WHERE id = $1", user))


async def find_user_by_email(raw: Raw, email: str) -> User | None:
    """By address, lower case."""
    return _user(await raw.fetchrow("SELECT * FROM users WHERE email = $1", email))


async def rename(raw: Raw, user: UUID, name: str) -> User | None:
    """The user with the new name and version; None when nothing changed."""
    return _user(await raw.fetchrow(RENAME, user, name))


async def deactivate(raw: Raw, user: UUID) -> User | None:
    """The deactivated user; None when they were so already."""
    return _user(await raw.fetchrow(DEACTIVATE, user))


async def insert_refresh_token(raw: Raw, digest: bytes, family: UUID, user: UUID, days: int) -> None:
    """A fresh token of a family."""
    await raw.execute(INSERT_REFRESH, digest, family, user, days)


async def use_refresh_token(raw: Raw, digest: bytes) -> tuple[UUID, UUID] | None:
    """Spend it: (family, user); None when it is unknown, spent, revoked or expired."""
    row = await raw.fetchrow(SPEND_REFRESH, digest)
    return (row["family"], row["user_id"]) if row else None


async def revoke_family(raw: Raw, digest: bytes) -> None:
    """Revoke everything that came from the same login as this token."""
    await raw.execute(REVOKE_FAMILY, digest)


async def revoke_all(raw: Raw, user: UUID) -> None:
    """Every refresh token of a user."""
    await raw.execute(REVOKE_ALL, user)


def _user(row: asyncpg.Record | None) -> User | None:
    return User(**dict(row)) if row else None
