"""Stage `processes`: this machine, real parts from packages, no containers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devstack import state, system
from devstack.errors import NotReady
from devstack.layout import DATABASES, Wishes
from devstack.readiness import is_ready

READY_SECONDS = 40.0


class Processes:
    """The stage of this machine."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def state(self) -> dict[str, Any]:
        """Read anew each time: a restart changes it."""
        return state.read(self._directory)

    @property
    def state_file(self) -> Path:
        """In the system's own directory."""
        return self._directory / state.FILE

    def spans(self) -> Sequence[str]:
        """From the receiver's file."""
        return Path(self.state["spans"]).read_text(encoding="utf-8").splitlines()

    def kill(self, kind: str) -> None:
        """SIGKILL."""
        self._signal(kind, signal.SIGKILL)

    def pause(self, kind: str) -> None:
        """SIGSTOP."""
        self._signal(kind, signal.SIGSTOP)

    def resume(self, kind: str) -> None:
        """SIGCONT."""
        self._signal(kind, signal.SIGCONT)

    def _signal(self, kind: str, number: signal.Signals) -> None:
        for member in self.state["processes"][kind]:
            os.kill(member["pid"], number)

    def wait_ready(self, kind: str) -> None:
        """By the probes."""
        deadline = time.monotonic() + READY_SECONDS
        while not all(is_ready(member["probes"]) for member in self.state["processes"][kind]):
            if time.monotonic() > deadline:
                raise NotReady(f"{kind} is not ready after {READY_SECONDS:.0f} s")
            time.sleep(0.05)

    def messages(self, service: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """In a process of the service's own code."""
        dsn = urlsplit(self.state["databases"][service])
        settings = {
            "DATABASE_HOST": dsn.hostname or "",
            "DATABASE_PORT": str(dsn.port),
            "DATABASE_NAME": DATABASES[service],
            "DATABASE_USER": DATABASES[service],
            "DATABASE_PASSWORD": dsn.password or "",
        }
        command = [sys.executable, "-m", service.replace("-", "_"), "messages", *arguments]
        return subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)


def require() -> None:
    """Needs nothing but this environment."""


def _unheard(_: str) -> None:
    """A suite shows its own progress."""


@contextmanager
def running(directory: Path, wishes: Wishes) -> Iterator[Processes]:
    """The system for the length of a block."""
    with system.running(directory, wishes, _unheard):
        yield Processes(directory)
