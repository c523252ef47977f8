"""Every refusal is a problem (RFC 9457): raised anywhere by name, rendered here once, documented in the OpenAPI.

`type` is a stable slug that clients may switch on; `detail` is a sentence for people.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
KEY_HEADER = "Idempotency-Key"
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""RFC 9110 renamed these, and Python with it in 3.13."""


class Problem(Exception):
    """A refusal with its HTTP status. `extra` members are added to the body."""

    def __init__(
        self, status: int, slug: str, detail: str, headers: Mapping[str, str] | None = None, **extra: object
    ) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail = status, slug, detail
        self.headers, self.extra = headers, extra

    def response(self) -> JSONResponse:
        """The rendered answer."""
        title = title_of(self.status)
        body = {"type": self.slug, "title": title, "status": self.status, "detail": self.detail, **self.extra}
        return JSONResponse(body, self.status, self.headers, MEDIA_TYPE)


def title_of(status: int) -> str:
    """The status in words, the same under every version of Python."""
    return TITLES.get(status) or HTTPStatus(status).phrase


class ProblemBody(BaseModel):
    """Shape of every error body, for the OpenAPI."""

    type: str = Field(description="stable slug", examples=["validation-failed"])
    title: str
    status: int
    detail: str


def unavailable(detail: str, seconds: int = 1) -> Problem:
    """Nothing was stored and the same request may be sent again."""
    return Problem(503, "temporarily-unavailable", detail, {"Retry-After": str(seconds)})


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for a route's refusals."""
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {s: {"description": title_of(s), "content": {MEDIA_TYPE: {"schema": schema}}} for s in statuses}


def install(app: FastAPI) -> None:
    """Render the framework's own errors and ours as problems."""
    app.add_exception_handler(Problem, _render)
    app.add_exception_handler(RequestValidationError, _render_validation)
    app.add_exception_handler(HTTPException, _render_framework)


async def _render(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 (registered for this class only)
    return error.response()


async def _render_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = [{"at": ".".join(map(str, fault["loc"])), "why": fault["msg"]} for fault in error.errors()]
    if unreadable(error.errors()):
        return Problem(400, "malformed-body", "The body is not valid JSON.").response()
    if keys := [fault for fault in error.errors() if fault["loc"] == ("header", KEY_HEADER)]:
        return _render_key(missing=keys[0]["type"] == "missing")
    return Problem(422, "validation-failed", _sentence(faults), errors=faults).response()


def _render_key(missing: bool) -> JSONResponse:
    """400, not 422: the request may be fine, but nobody could repeat it safely."""
    if missing:
        return Problem(400, "idempotency-key-missing", "Send an Idempotency-Key header.").response()
    detail = "Idempotency-Key must be 1 to 255 visible ASCII characters."
    return Problem(400, "idempotency-key-malformed", detail).response()


def unreadable(errors: Sequence[Any]) -> bool:
    """Whether the body was no JSON at all."""
    return any(fault["type"] == "json_invalid" for fault in errors)


def _sentence(faults: Sequence[Mapping[str, str]]) -> str:
    """The first fault, without the value: it may be a password."""
    return f"{faults[0]['at']}: {faults[0]['why']}" if faults else "The request does not fit."


async def _render_framework(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    slug = title_of(error.status_code).lower().replace(" ", "-")
    return Problem(error.status_code, slug, str(error.detail), error.headers).response()
