"""The verbs: register, rename, deactivate, log in, refresh, revoke. They run in the route's transaction.

UserError
├── EmailTaken     another user has this address
├── Deactivated    the user may change nothing any more
└── UnknownUser    there is no such user
"""

import hashlib
import secrets
import time
from dataclasses import dataclass
from uuid import UUID

from chassis.ids import new_id
from contracts import Event, UserDeactivated, UserRegistered, UserUpdated
from messaging import Announcement, Outbox, Transaction
from user_service import repository
from user_service.repository import User
from user_service.signing import SigningKeys


class UserError(Exception):
    """Base of the refusals; its text is a sentence."""


class EmailTaken(UserError):
    """Registering twice."""


class Deactivated(UserError):
    """No way back, on purpose."""


class UnknownUser(UserError):
    """Or one that the caller may not see."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a successful token request yields. `expires_in` is seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """Whose tokens these are and how long they live."""

    issuer: str
    audience: str
    access_seconds: int
    refresh_days: int


class Users:
    """Users and their events."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def register(
        self, tx: Transaction, email: str, name: str, password_hash: str, traceparent: str | None, scopes: str = ""
    ) -> User:
        """A new active user; raises EmailTaken."""
        user = await repository.insert_user(tx.raw, new_id(), email, name, password_hash, scopes)
        if user is None:
            raise EmailTaken("A user with this e-mail address exists.")
        await self._announce(tx, user, UserRegistered(user_id=user.id, name=user.name), traceparent)
        return user

    async def rename(self, tx: Transaction, user_id: UUID, name: str, traceparent: str | None) -> User:
        """Change the name; the same name changes nothing. Raises UnknownUser, Deactivated."""
        renamed = await repository.rename(tx.raw, user_id, name)
        if renamed is None:
            user = await self.get(tx, user_id)
            if not user.is_active:
                raise Deactivated("This user is deactivated.")
            return user
        event = UserUpdated(user_id=renamed.id, name=renamed.name, status="active")
        await self._announce(tx, renamed, event, traceparent)
        return renamed

    async def deactivate(self, tx: Transaction, user_id: UUID, traceparent: str | None) -> None:
        """For good; a second time changes nothing. Refresh tokens die at once, access tokens within minutes."""
        user = await repository.deactivate(tx.raw, user_id)
        if user is None:
            return
        await repository.revoke_all(tx.raw, user_id)
        await self._announce(tx, user, UserDeactivated(user_id=user.id), traceparent)

    async def get(self, tx: Transaction, user_id: UUID) -> User:
        """Raises UnknownUser."""
        user = await repository.find_user(tx.raw, user_id)
        if user is None:
            raise UnknownUser("There is no such user.")
        return user

    async def _announce(self, tx: Transaction, user: User, event: Event, traceparent: str | None) -> None:
        """The row's version has risen before, so outbox order is commit order per user."""
        key = str(user.id)
        await self._outbox.store(tx.raw, [Announcement(event, key, user.version, None, key, traceparent)])


class Tokens:
    """Access tokens, and refresh tokens that rotate: one that comes twice was stolen, and its whole login dies."""

    def __init__(self, keys: SigningKeys, terms: TokenTerms) -> None:
        self._keys, self._terms = keys, terms

    async def log_in(self, tx: Transaction, user: User) -> Grant:
        """The first pair. The caller has checked the password."""
        login = new_id()
        await repository.insert_login(tx.raw, login, user.id)
        return await self._grant(tx, user, login)

    async def refresh(self, tx: Transaction, token: str) -> Grant | None:
        """The next pair; None, and a revoked login, when the token is not good. The caller commits either way."""
        spent = await repository.spend_refresh_token(tx.raw, _digest(token))
        user = await repository.find_user(tx.raw, spent[1]) if spent else None
        if spent is None or user is None or not user.is_active:
            await repository.revoke(tx.raw, _digest(token))
            return None
        return await self._grant(tx, user, spent[0])

    async def revoke(self, tx: Transaction, token: str) -> None:
        """RFC 7009: an unknown token is as good as a revoked one."""
        await repository.revoke(tx.raw, _digest(token))

    async def _grant(self, tx: Transaction, user: User, login: UUID) -> Grant:
        refresh = secrets.token_urlsafe(32)
        await repository.insert_refresh_token(tx.raw, _digest(refresh), login, self._terms.refresh_days)
        return Grant(self._access(user), refresh, self._terms.access_seconds, user.scopes)

    def _access(self, user: User) -> str:
        now = int(time.time())
        return self._keys.sign(
            {
                "iss": self._terms.issuer,
                "aud": self._terms.audience,
                "sub": str(user.id),
                "scope": user.scopes,
                "iat": now,
                "exp": now + self._terms.access_seconds,
                "jti": str(new_id()),
            }
        )


def _digest(token: str) -> bytes:
    """Tokens are random, so a plain hash keeps them as safe as a slow one would."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
