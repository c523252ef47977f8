"""Passwords: argon2id (RFC 9106) in two threads with a bounded queue: a flood of logins starves nothing else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from prometheus_client import Gauge

from chassis.problems import unavailable

THREADS = 2
MAX_WAITING = 200
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""The memory-poor choice of OWASP's password storage recommendations: 19 MiB, two passes, one lane."""

WAITING = Gauge("password_checks_waiting", "Password operations queued or running")
T = TypeVar("T")


class Passwords:
    """Hashes and verifies. Raises a 503 problem when too many wait."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobody = HASHER.hash("nobody's password")

    async def hash(self, password: str) -> str:
        """An encoded argon2id hash."""
        return await self._run(partial(HASHER.hash, password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it fits; without a stored hash the work is the same, so that time tells nobody who exists."""
        fits = await self._run(partial(_fits, stored or self._nobody, password))
        return fits and stored is not None

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: "partial[T]") -> T:
        if self._waiting >= MAX_WAITING:
            raise unavailable("Too many passwords are being checked.")
        self._waiting += 1
        WAITING.inc()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
            WAITING.dec()


def _fits(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False
