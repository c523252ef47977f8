"""What the end-to-end suite may ask of the place where it plays."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol


class Stage(Protocol):
    """A running system that a test may look into and hurt. `kind` is `service/role`."""

    @property
    def state(self) -> dict[str, Any]:
        """Where everything is at this moment, as in `.devstack/state.json`."""

    @property
    def state_file(self) -> Path:
        """For the auditor."""

    def spans(self) -> Sequence[str]:
        """Every span that was exported so far, a JSON line each."""

    def kill(self, kind: str) -> None:
        """End the processes of a kind without a chance to say good-bye; they come back by themselves."""

    def pause(self, kind: str) -> None:
        """Let no process of a kind do anything."""

    def resume(self, kind: str) -> None:
        """Let them go on."""

    def wait_ready(self, kind: str) -> None:
        """Until every process of a kind is ready; raises NotReady."""

    def messages(self, service: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """What an operator types: `messages list|show|replay|discard`."""
