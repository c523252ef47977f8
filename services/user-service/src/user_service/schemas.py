"""What HTTP sees of users: bodies in, bodies out. Unknown fields are refused."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from user_service.repository import User as StoredUser

Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+\.[^@\s\x00]+$", examples=["ada@waybill.example"]),
    AfterValidator(str.lower),
]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class Registration(BaseModel):
    """A new user."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: Email
    name: Name
    password: Annotated[str, Field(min_length=8, max_length=128, repr=False)]


class Change(BaseModel):
    """What a user may change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name


class User(BaseModel):
    """A user as themselves and administrators see them."""

    id: UUID
    email: str
    name: str
    status: Literal["active", "deactivated"]
    created_at: datetime

    @classmethod
    def shown(cls, stored: StoredUser) -> Self:
        """From its row."""
        return cls.model_validate(stored, from_attributes=True)


class TokenAnswer(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (a name, no secret)
    expires_in: int
    refresh_token: str
    scope: str


class TokenError(BaseModel):
    """RFC 6749, section 5.2."""

    error: Literal["invalid_request", "invalid_grant", "unsupported_grant_type"]
    error_description: str


class KeySet(BaseModel):
    """RFC 7517."""

    keys: list[dict[str, Any]]
