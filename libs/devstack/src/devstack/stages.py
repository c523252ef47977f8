"""Stages: where the end-to-end suite plays. One suite, one interface; `processes` is this machine, no containers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from devstack import state, system
from devstack.errors import NotReady, StageError
from devstack.layout import DATABASES, Wishes

READY_SECONDS = 40.0


class Stage(Protocol):
    """A running system that a test may look into and hurt. `kind` is `service/role`."""

    @property
    def state(self) -> dict[str, Any]:
        """Where everything is at this moment, as in `.devstack/state.json`."""

    @property
    def state_file(self) -> Path:
        """For the auditor."""

    def kill(self, kind: str) -> None:
        """End one process without a chance to say good-bye; it comes back by itself."""

    def pause(self, kind: str) -> None:
        """Freeze every process of a kind."""

    def resume(self, kind: str) -> None:
        """Let them go on."""

    def wait_ready(self, kind: str) -> None:
        """Until every process of a kind is ready; raises NotReady."""

    def messages(self, service: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """What an operator types: `messages list|show|replay|discard`."""


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
        while not all(_is_ready(member["probes"]) for member in self.state["processes"][kind]):
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


def _is_ready(probes: str) -> bool:
    try:
        with urlopen(f"{probes}/readyz", timeout=1) as answer:  # noqa: S310 (our own loopback URL)
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _unheard(_: str) -> None:
    """A suite shows its own progress."""


@contextmanager
def opened(name: str, directory: Path, wishes: Wishes) -> Iterator[Stage]:
    """The stage of that name for the length of a block; raises StageError for a name that nobody knows."""
    if name != "processes":
        raise StageError(f"there is no stage {name!r}; choose processes")
    with system.running(directory, wishes, _unheard):
        yield Processes(directory)
