"""Cursor paging: `?limit=&cursor=`, newest first. A cursor names the last item seen, so inserts never shift a page."""

import base64
import binascii
import json
from typing import Annotated

from fastapi import Query

from chassis.problems import Problem

MAX_LIMIT = 100
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str | None, Query(max_length=512)]


def encode(*position: str) -> str:
    """An opaque, URL-safe cursor of the last item's sort key."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode(cursor: str | None, parts: int) -> list[str] | None:
    """The sort key again; None without a cursor; 422 when it is not one of ours."""
    if cursor is None:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise malformed() from error
    if not (
        isinstance(position, list)
        and len(position) == parts
        and all(isinstance(p, str) and "\0" not in p for p in position)
    ):
        raise malformed()
    return position


def malformed() -> Problem:
    """The cursor was not made by us."""
    return Problem(422, "cursor-malformed", "Send the cursor as the previous page gave it.")
