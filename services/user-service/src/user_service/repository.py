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
INSERT_LOGIN = "INSERT INTO logins (id, user_id) VALUES ($1, $2)"
INSERT_REFRESH = """
INSERT INTO refresh_tokens (digest, login, expires_at)
VALUES ($1, $2, clock_timestamp() + $3 * interval '1 day')
"""
SPEND_REFRESH = """
UPDATE refresh_tokens AS token SET used_at = clock_timestamp() FROM logins
WHERE token.digest = $1 AND token.used_at IS NULL AND token.expires_at > clock_timestamp()
  AND logins.id = token.login AND logins.revoked_at IS NULL
RETURNING logins.id, logins.user_id
"""
REVOKE = """
UPDATE logins SET revoked_at = clock_timestamp()
WHERE id = (SELECT login FROM refresh_tokens WHERE digest = $1) AND revoked_at IS NULL
"""
REVOKE_ALL = "UPDATE logins SET revoked_at = clock_timestamp() WHERE user_id = $1 AND revoked_at IS NULL"


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


async def insert_login(raw: Raw, login: UUID, user: UUID) -> None:
    """What refresh tokens will come from."""
    await raw.execute(INSERT_LOGIN, login, user)


async def insert_refresh_token(raw: Raw, digest: bytes, login: UUID, days: int) -> None:
    """A fresh token of a login."""
    await raw.execute(INSERT_REFRESH, digest, login, days)


async def spend_refresh_token(raw: Raw, digest: bytes) -> tuple[UUID, UUID] | None:
    """(login, user); None when it is unknown, spent, expired or its login revoked."""
    row = await raw.fetchrow(SPEND_REFRESH, digest)
    return (row["id"], row["user_id"]) if row else None


async def revoke(raw: Raw, digest: bytes) -> None:
    """The login that this token came from, and so everything that came from it or will."""
    await raw.execute(REVOKE, digest)


async def revoke_all(raw: Raw, user: UUID) -> None:
    """Every login of a user."""
    await raw.execute(REVOKE_ALL, user)


def _user(row: asyncpg.Record | None) -> User | None:
    return User(**dict(row)) if row else None
