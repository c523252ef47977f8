"""Idempotency keys at the HTTP door: the header, and the fingerprint that tells a replay from another request.

The key itself lives on the row that it protects; nothing is stored here.
"""

import hashlib
import json
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from chassis.problems import Problem

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="The same for every attempt at one thing.",
    ),
]
"""FastAPI dependency: the header's value. chassis.problems answers a missing or malformed one with 400."""


def fingerprint(body: BaseModel, *context: str) -> bytes:
    """SHA-256 over the validated body's canonical JSON (and what of the path belongs to it), 32 bytes."""
    canonical = json.dumps([body.model_dump(mode="json"), *context], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def reused() -> Problem:
    """The key was used for another request."""
    return Problem(422, "idempotency-key-reused", "This Idempotency-Key was used with another body.")


def in_flight() -> Problem:
    """The first request with this key has not ended within our patience."""
    return Problem(409, "idempotency-key-in-flight", "A request with this key is under way.", {"Retry-After": "1"})
