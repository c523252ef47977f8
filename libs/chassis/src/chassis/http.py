"""The HTTP door: builds each service's FastAPI application with the same limits, problems, logs and metrics."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from prometheus_client import Counter, Gauge, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import problems
from chassis.database import is_transient
from chassis.problems import Problem

MAX_BODY = 64 * 1024
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

SECONDS = Histogram("http_request_duration_seconds", "Time to the last byte", ["method", "route"], buckets=BUCKETS)
ANSWERS = Counter("http_responses_total", "Answers by route and status", ["method", "route", "status"])
IN_FLIGHT = Gauge("http_requests_in_flight", "Requests being answered")
_LOG = structlog.get_logger("http")


def create_app(title: str, version: str, routers: Iterable[APIRouter], *, description: str = "") -> FastAPI:
    """An application whose every error is a problem, documented as such."""
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        telemetry={"operation_spans": False, "metrics": False, "logs": False, "auto_configure": False},
        responses=problems.responses(400, 422, 503),
    )
    problems.install(app)
    app.add_middleware(Observed)
    for router in routers:
        app.include_router(router)
    _document(app)
    return app


def _document(app: FastAPI) -> None:
    """Put the problem's schema where the routes' references point."""
    plain = app.openapi

    def with_problem() -> dict[str, Any]:
        document = plain()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("ProblemBody", problems.ProblemBody.model_json_schema())
        return document

    app.openapi = with_problem  # type: ignore[method-assign]


class Observed:
    """Counts, times and logs each request, and turns what nobody caught into a problem.

    Pure ASGI: a BaseHTTPMiddleware costs about half a millisecond and leaks connections when a client goes away.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = Answer(send, draining=getattr(scope["app"].state, "draining", None))
        started = time.perf_counter()
        with IN_FLIGHT.track_inprogress():
            try:
                await self.app(scope, Body(scope, receive).receive, answer.send)
            except Exception as error:
                await _rescue(error, answer, scope, receive)
        _observe(scope, answer.status, time.perf_counter() - started)


class Body:
    """Counts a request's body as it arrives. FastAPI's own limit answers some of the cases in plain text."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive, self._seen = receive, 0
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        self._announced = int(lengths[0]) if lengths and lengths[0].isdigit() else 0

    async def receive(self) -> Message:
        """ASGI receive; raises 413 as soon as it is known, before anything is kept."""
        message = None if self._announced > MAX_BODY else await self._receive()
        self._seen += len(message.get("body", b"")) if message else 0
        if message is None or self._seen > MAX_BODY:
            raise HTTPException(413, f"The body is larger than {MAX_BODY} bytes.")
        return message


class Answer:
    """Watches the status on its way out; on a drain it asks the client to come back on another connection."""

    def __init__(self, send: Send, draining: Any) -> None:
        self._send, self._draining, self.status = send, draining, 0

    async def send(self, message: Message) -> None:
        """ASGI send."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._draining is not None and self._draining.is_set():
                headers: Sequence[tuple[bytes, bytes]] = message.get("headers", ())
                message["headers"] = [*headers, (b"connection", b"close")]
        await self._send(message)


async def _rescue(error: Exception, answer: Answer, scope: Scope, receive: Receive) -> None:
    """A database that is away is 503; everything else is our fault, logged whole and told as 500."""
    if answer.status:
        raise error
    transient = is_transient(error)
    if transient:
        _LOG.warning("request failed for now", path=scope["path"], error=f"{type(error).__name__}: {error}")
    else:
        _LOG.error("request failed", path=scope["path"], exc_info=error)
    problem = problems.unavailable("Try again in a moment.") if transient else _internal()
    response: JSONResponse = problem.response()
    await response(scope, receive, answer.send)


def _internal() -> Problem:
    return Problem(500, "internal-error", "Something broke; the log has the trace.")


def _observe(scope: Scope, status: int, seconds: float) -> None:
    """By route template, never by path: paths carry ids."""
    route = getattr(scope.get("route"), "path", "unmatched")
    SECONDS.labels(scope["method"], route).observe(seconds)
    ANSWERS.labels(scope["method"], route, status).inc()
    _LOG.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 2))
