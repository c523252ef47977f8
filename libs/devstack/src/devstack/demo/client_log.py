"""The clients' own record of what they were told: JSON lines, on disk before the run is judged."""

import asyncio
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self


class ClientLog:
    """Collects attempts and writes them behind the clients' backs, fsynced, so that no latency contains the disk."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w", encoding="utf-8")
        self._lines: list[str] = []

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer
        self._write(self._lines)
        self._file.close()

    def attempt(self, user: str, key: str, number: int, status: int | None, order_id: str | None) -> None:
        """One POST /orders and its answer; status None when none came."""
        at = datetime.now(UTC).isoformat()
        line = {"at": at, "user": user, "key": key, "attempt": number, "status": status, "order_id": order_id}
        self._lines.append(json.dumps(line))

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            lines, self._lines = self._lines, []
            if lines:
                await asyncio.to_thread(self._write, lines)

    def _write(self, lines: list[str]) -> None:
        self._file.write("".join(f"{line}\n" for line in lines))
        self._file.flush()
        os.fsync(self._file.fileno())
