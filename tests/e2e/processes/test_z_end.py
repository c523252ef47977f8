"""The end, and so the last of the suite: a supervisor that dies takes everything with it."""

import signal
import time

import psutil

from devstack import status


def test_when_the_supervisor_is_killed_nothing_keeps_running(stage):
    running = [psutil.Process(process.pid) for process in status.processes(stage.state)]
    sessions = [child for process in running for child in process.children(recursive=True)]
    supervisor = psutil.Process(stage.state["supervisor"])
    supervisor.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while left := [p for p in {*running, *sessions} if _lives(p)]:
        assert time.monotonic() < deadline, [p.cmdline() for p in left]
        time.sleep(0.1)


def _lives(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
