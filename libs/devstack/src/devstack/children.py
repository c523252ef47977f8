"""How every part of the stage is started: in the foreground, logging to a file, and never outliving its parent."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devstack.errors import NotReady

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _follow_parent(parent: int, farewell: int, user: str | None) -> Callable[[], None]:
    """What the child does before exec. The kernel forgets PDEATHSIG on setuid, so it is set after."""

    def prepare() -> None:
        os.setsid()
        if user:
            entry = pwd.getpwnam(user)
            os.setgroups([])
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
        if _LIBC:
            _LIBC.prctl(PR_SET_PDEATHSIG, farewell)
        if os.getppid() != parent:  # it died between fork and prctl
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def _watch_parent(child: subprocess.Popen[bytes], farewell: int) -> None:
    """Elsewhere than Linux: a tiny process reads a pipe whose other end only we hold; its end means that we died."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, False)
    program = "import os, sys; os.read(int(sys.argv[1]), 1); os.kill(int(sys.argv[2]), int(sys.argv[3]))"
    watcher = [sys.executable, "-c", program, str(reader), str(child.pid), str(farewell)]
    subprocess.Popen(watcher, pass_fds=[reader], start_new_session=True, stderr=subprocess.DEVNULL)
    os.close(reader)


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    farewell: signal.Signals = signal.SIGKILL,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that receives `farewell` when this process dies; its output is appended to `log`.

    Call it from the main thread: Linux ties the farewell to the thread that forked.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started from the main thread")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            preexec_fn=_follow_parent(os.getpid(), farewell, user),
        )
    if _LIBC is None:
        _watch_parent(child, farewell)
    return child


def stop(child: subprocess.Popen[bytes], polite: signal.Signals = signal.SIGTERM, *, seconds: float = 20) -> None:
    """Ask, wait, and kill what does not go."""
    if child.poll() is None:
        child.send_signal(polite)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_until(ready: Callable[[], bool], child: subprocess.Popen[bytes], name: str, log: Path, seconds: float) -> None:
    """Poll `ready`; raises NotReady with the log's name when the process ends or the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if child.poll() is not None:
            raise NotReady(f"{name} ended with code {child.returncode} while starting; its log is {log}")
        if time.monotonic() > deadline:
            raise NotReady(f"{name} did not answer within {seconds:.0f} s; its log is {log}")
        time.sleep(0.05)
