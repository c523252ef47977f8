"""uvicorn, made fit for the edge: bounded headers, a receive deadline, and a drain that breaks no keep-alive request.

uvicorn alone closes its listener and every idle socket on SIGTERM; a request that is already on its way then fails.
Here the process serves on for a while, asking each client to leave by `Connection: close`, and only then stops.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chassis.probes import Probes
from chassis.shutdown import Shutdown

HEADER_BYTES = 16 * 1024
HEADER_COUNT = 100
RECEIVE_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 75
IN_FLIGHT_SECONDS = 10


class Refused(Exception):
    """Raised inside the parser to stop reading a request."""


class GuardedProtocol(HttpToolsProtocol):
    """Refuses requests whose head is too large (431) or that do not arrive whole in time (408)."""

    receive_seconds = RECEIVE_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection that says nothing is held to the same deadline as a slow one."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._refusal = 400
        self._deadline: asyncio.TimerHandle | None = None
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline with the connection."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, whose cost is quadratic in an unfinished header: stop it early."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self.headers is not None and not self._head_complete and self._head_bytes > HEADER_BYTES:
            self._refuse(431)

    def on_message_begin(self) -> None:
        """A request starts: count its head, give it its time."""
        super().on_message_begin()
        self._head_complete = False
        self._arm()

    _head_complete = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count headers while they come."""
        super().on_header(name, value)
        if len(self.headers) > HEADER_COUNT:
            self._stop(431)

    def on_headers_complete(self) -> None:
        """The head is whole: weigh it before the application sees it."""
        self._head_complete = True
        self._head_bytes = 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEADER_BYTES:
            self._stop(431)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Everything has arrived; the answer may take its time."""
        self._disarm()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (our problem says it)
        """uvicorn's answer to a parser error, as a problem and with the status that fits."""
        self._refuse(self._refusal)

    def _stop(self, status: int) -> None:
        self._refusal = status
        raise Refused

    def _refuse(self, status: int) -> None:
        """Answer, unless an answer is under way, and close."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            slug = {408: "request-timeout", 431: "request-header-fields-too-large"}.get(status, "malformed-request")
            body = b'{"type":"%s","title":"Refused","status":%d,"detail":"The request was refused."}' % (
                slug.encode(),
                status,
            )
            head = b"content-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head % len(body) + body)
        self.transport.close()

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(self.receive_seconds, self._refuse, 408)

    def _disarm(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


class QuietServer(uvicorn.Server):
    """Leaves the signals to Shutdown, which has heard them already."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def _config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    options: dict[str, Any] = {
        "http": GuardedProtocol,
        "ws": "none",
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": IN_FLIGHT_SECONDS,
    }
    return uvicorn.Config(app, host=host, port=port, **options)


async def serve(
    app: FastAPI, *, host: str, port: int, shutdown: Shutdown, probes: Probes, drain_seconds: float = 5
) -> None:
    """Serve until a shutdown is requested, then drain: unready, serve on with Connection: close, finish, return."""
    app.state.draining = asyncio.Event()
    server = QuietServer(_config(app, host, port))
    serving = asyncio.create_task(server.serve(), name="http")
    requested = asyncio.create_task(shutdown.requested.wait())
    await asyncio.wait({serving, requested}, return_when=asyncio.FIRST_COMPLETED)
    requested.cancel()
    if not serving.done():
        probes.draining()
        app.state.draining.set()
        await asyncio.sleep(drain_seconds)
        server.should_exit = True
    await serving
