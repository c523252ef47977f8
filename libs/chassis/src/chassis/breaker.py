"""A circuit breaker: after enough failures in a row, stop asking for a while, then let one try through.

Own, since no kept library exists. Source of the pattern: Nygard, Release It!, 2nd edition, chapter 5.
"""

import time
from collections.abc import Callable

from prometheus_client import Gauge

OPEN = Gauge("circuit_breaker_open", "1 while calls are refused without trying", ["target"])


class Open(Exception):
    """The call was not tried."""


class Breaker:
    """Closed -> open after `failures` in a row -> after `seconds` half-open (one try) -> closed or open."""

    def __init__(
        self, name: str, failures: int = 5, seconds: float = 10, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._seconds, self._clock = failures, seconds, clock
        self._failures = 0
        self._opened_at: float | None = None
        self._gauge = OPEN.labels(name)
        self._gauge.set(0)

    def check(self) -> None:
        """Raises Open while calls are refused; lets one call through when the time is over."""
        if self._opened_at is None:
            return
        if self._clock() - self._opened_at < self._seconds:
            raise Open
        self._opened_at = self._clock()  # others keep being refused until this try has ended

    def succeeded(self) -> None:
        """The target answered, be it with a refusal."""
        self._failures, self._opened_at = 0, None
        self._gauge.set(0)

    def failed(self) -> None:
        """The target did not answer, or answered that it is broken."""
        self._failures += 1
        if self._failures >= self._limit:
            self._opened_at = self._clock()
            self._gauge.set(1)
