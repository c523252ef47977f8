"""Probes and metrics on their own port, in a thread with its own loop, so that a busy main loop cannot starve them.

The main loop's health reaches this thread as the time of its last heartbeat. Liveness judges this process only;
readiness judges what the process needs to do its work; neither ever asks another service.
"""

import asyncio
import contextlib
import json
import threading
import time
from types import TracebackType
from typing import Self

from prometheus_client import REGISTRY
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

BEAT_SECONDS = 0.5
SILENT_SECONDS = 20.0
READ_SECONDS = 5.0


class Probes:
    """`/livez /readyz /startupz /metrics`. `required` names what must be reported ready; until then it is not."""

    def __init__(self, host: str, port: int, required: tuple[str, ...]) -> None:
        self._host, self._port = host, port
        self._ready: dict[str, str | None] = dict.fromkeys(required, "not yet checked")
        self._alive: dict[str, str | None] = {}
        self._started = False
        self._beat = time.monotonic()
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._serve, name="probes", daemon=True)

    async def __aenter__(self) -> Self:
        self._thread.start()
        await asyncio.to_thread(self._listening.wait)
        if self._failure:
            raise self._failure
        self._heart = asyncio.create_task(self._pulse(), name="heartbeat")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._heart.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, 2)

    def ready(self, name: str, ok: bool, reason: str = "not ready") -> None:
        """Report one of the required things."""
        self._ready[name] = None if ok else reason
        self._started = self._started or not any(self._ready.values())

    def alive(self, name: str, ok: bool, reason: str = "stuck") -> None:
        """Report a watchdog's judgement of this process."""
        self._alive[name] = None if ok else reason

    def draining(self) -> None:
        """Unready from now on; liveness is untouched, else the drain would end in a kill."""
        self._ready["drain"] = "draining"

    async def _pulse(self) -> None:
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            server = self._loop.run_until_complete(asyncio.start_server(self._answer, self._host, self._port))
        except OSError as error:
            self._failure = error
            return
        finally:
            self._listening.set()
        self._loop.run_forever()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].split(b"?")[0].decode()
                status, kind, body = self._page(path)
                lines = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
                writer.write(lines.encode() + b"connection: close\r\n\r\n" + body)
                await writer.drain()
        writer.close()

    def _page(self, path: str) -> tuple[str, str, bytes]:
        """Status, content type and body."""
        match path:
            case "/metrics":
                return "200 OK", CONTENT_TYPE_LATEST, generate_latest(REGISTRY)
            case "/livez":
                return self._verdict(self._liveness())
            case "/readyz":
                return self._verdict(self._ready)
            case "/startupz":
                return self._verdict({"start": None if self._started else "starting", **self._unready()})
        return "404 Not Found", "application/json", b"{}"

    def _unready(self) -> dict[str, str | None]:
        return {} if self._started else self._ready

    def _liveness(self) -> dict[str, str | None]:
        silent = time.monotonic() - self._beat
        return {"loop": f"silent for {silent:.0f} s" if silent > SILENT_SECONDS else None, **self._alive}

    @staticmethod
    def _verdict(checks: dict[str, str | None]) -> tuple[str, str, bytes]:
        ok = not any(checks.values())
        body = {name: reason or "ok" for name, reason in checks.items()}
        return ("200 OK" if ok else "503 Service Unavailable"), "application/json", json.dumps(body).encode()
