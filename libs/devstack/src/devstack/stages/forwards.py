"""Port-forwards into a cluster, kept alive: one that lost its pod is started again and finds another."""

import subprocess
import threading
import time
from pathlib import Path

from devstack import children
from devstack.errors import NotReady
from devstack.kubectl import Kubectl
from devstack.ports import answers

READY_SECONDS = 20.0
PAUSE_SECONDS = 0.2


class Forward:
    """`target` (svc/name) `remote` port on a loopback port while the block runs."""

    def __init__(self, kubectl: Kubectl, target: str, local: int, remote: int, log: Path) -> None:
        self._command = kubectl.command("port-forward", target, f"{local}:{remote}")
        self._local, self._log = local, log
        self._ending = threading.Event()

    def __enter__(self) -> "Forward":
        self._start()
        self._keeper = threading.Thread(target=self._keep, name="forward", daemon=True)
        self._keeper.start()
        deadline = time.monotonic() + READY_SECONDS
        while not answers(self._local):
            if time.monotonic() > deadline:
                self.__exit__()
                raise NotReady(f"{' '.join(self._command[-2:])} cannot be forwarded; the log is {self._log}")
            time.sleep(PAUSE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._keeper.join()
        children.stop(self._child, seconds=5)

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _keep(self) -> None:
        while not self._ending.wait(PAUSE_SECONDS):
            if self._child.poll() is not None:
                self._start()
