"""What the routes work with; app.py makes it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.database import Database
from user_service.passwords import Passwords
from user_service.signing import SigningKeys
from user_service.use_cases import Tokens, Users


@dataclass(frozen=True, slots=True)
class Door:
    """The parts of a running api."""

    database: Database
    users: Users
    tokens: Tokens
    keys: SigningKeys
    passwords: Passwords


def door(request: Request) -> Door:
    """FastAPI dependency."""
    found: Door = request.app.state.door
    return found


FromDoor = Annotated[Door, Depends(door)]
