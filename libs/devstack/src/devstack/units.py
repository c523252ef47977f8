"""What the supervisor keeps alive: a unit is a process that is started again when it ends by itself."""

import subprocess
import time
from collections.abc import Callable

from devstack import children

FIRST_PAUSE, LAST_PAUSE, CALM_SECONDS = 0.2, 2.0, 10.0


class Unit:
    """`start` spawns the process. Restarts come after 0.2 s, doubling to 2 s, and anew after 10 s of calm."""

    def __init__(self, name: str, start: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self.name, self._start = name, start
        self.restarts = 0
        self._pause = FIRST_PAUSE
        self._due: float | None = None
        self._launch()

    def _launch(self) -> None:
        self.child = self._start()
        self._started_at = time.monotonic()

    @property
    def pid(self) -> int:
        """Of the process as it is now."""
        return self.child.pid

    def mend(self) -> bool:
        """Start it again when it has ended and its pause is over; True when that was done."""
        if self.child.poll() is None:
            return False
        now = time.monotonic()
        if self._due is None:
            calm = now - self._started_at > CALM_SECONDS
            self._pause = FIRST_PAUSE if calm else self._pause
            self._due = now + self._pause
            self._pause = min(LAST_PAUSE, self._pause * 2)
        if now < self._due:
            return False
        self._due = None
        self._launch()
        self.restarts += 1
        return True

    def stop(self, seconds: float = 20) -> None:
        """Ask, wait, kill."""
        children.stop(self.child, seconds=seconds)
