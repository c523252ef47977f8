"""A running system as tools see it: started as a supervisor process, found again by its state, stopped by a signal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from devstack import children, state
from devstack.errors import NotReady, Occupied, StageError
from devstack.layout import Wishes

LOG = "supervisor.log"
START_SECONDS = 240.0
STOP_SECONDS = 60.0

Report = Callable[[str], None]


def start(directory: Path, wishes: Wishes, report: Report, *, detached: bool) -> "subprocess.Popen[bytes]":
    """Start the supervisor and wait until the system is ready; `report` hears what is being done.

    Not detached, it is told to stop when this process dies. Raises StageError with the supervisor's own sentence.
    """
    if is_running(directory):
        raise Occupied("the system is already running; look at it with make status or stop it with make down")
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / LOG
    log.write_bytes(b"")
    asked = json.dumps({"directory": str(directory), **asdict(wishes)})
    command = [sys.executable, "-m", "devstack.supervisor", asked]
    if detached:
        with log.open("ab") as output:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
    else:
        child = children.spawn(command, log=log, env=dict(os.environ), farewell=signal.SIGTERM)
    _await_ready(child, directory, report)
    return child


@contextmanager
def running(directory: Path, wishes: Wishes, report: Report) -> Iterator[dict[str, Any]]:
    """A system for the length of a block; yields its state."""
    child = start(directory, wishes, report, detached=False)
    try:
        yield state.read(directory)
    finally:
        children.stop(child, seconds=STOP_SECONDS)


def stop(directory: Path) -> bool:
    """Stop the running system; False when none runs."""
    pid = supervisor(directory)
    if pid is None:
        return False
    process = psutil.Process(pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired as error:
        raise NotReady(f"the supervisor (pid {pid}) has not stopped after {STOP_SECONDS:.0f} s") from error
    return True


def supervisor(directory: Path) -> int | None:
    """Pid of the supervisor that serves this directory; a stale state file is no system."""
    try:
        pid = int(state.read(directory)["supervisor"])
        command = psutil.Process(pid).cmdline()
    except (NotReady, psutil.Error):
        return None
    return pid if "devstack.supervisor" in command else None


def is_running(directory: Path) -> bool:
    """Whether `start` would be refused."""
    return supervisor(directory) is not None


def _await_ready(child: "subprocess.Popen[bytes]", directory: Path, report: Report) -> None:
    """Follow the supervisor's words until it is ready or has given up."""
    deadline = time.monotonic() + START_SECONDS
    heard = 0
    while True:
        lines = (directory / LOG).read_text(errors="replace").splitlines()
        for line in lines[heard:]:
            if line.startswith("ready"):
                return
            if line.startswith("error: "):
                child.wait(STOP_SECONDS)
                raise StageError(line.removeprefix("error: "))
            report(line)
        heard = len(lines)
        if child.poll() is not None:
            raise NotReady(f"the supervisor ended with code {child.returncode}; its log is {directory / LOG}")
        if time.monotonic() > deadline:
            children.stop(child)
            raise NotReady(f"the system is not ready after {START_SECONDS:.0f} s; the log is {directory / LOG}")
        time.sleep(0.05)
