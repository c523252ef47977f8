"""Idempotency keys at the HTTP door: the header, and the fingerprint that tells a replay from another request.

The key itself lives on the row that it protects; nothing is stored here.
"""

import hashlib
import json
from typing import Annotated

from fastapi import Depends, Header
from pydantic import BaseModel

from chassis.problems import Problem

MAX_LENGTH = 255


def idempotency_key(idempotency_key: Annotated[str | None, Header(description="1..255 visible ASCII")] = None) -> str:
    """The header's value; 400 when it is missing or not 1..255 visible ASCII characters."""
    if not idempotency_key:
        raise Problem(400, "idempotency-key-missing", "Send an Idempotency-Key header.")
    if len(idempotency_key) > MAX_LENGTH or not all("!" <= letter <= "~" for letter in idempotency_key):
        raise Problem(400, "idempotency-key-malformed", "Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return idempotency_key


IdempotencyKey = Annotated[str, Depends(idempotency_key)]


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
