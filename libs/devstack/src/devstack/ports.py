"""Which loopback ports the stage uses: free ones, asked of the kernel, kept in a file over restarts."""

import contextlib
import json
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_taken(port: int, host: str = LOOPBACK) -> bool:
    """Whether binding would fail; sockets in TIME_WAIT do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


class Ports:
    """Names -> ports, chosen once; a port that somebody took while we were down is chosen anew."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._chosen: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        self._checked: set[str] = set()

    def __getitem__(self, name: str) -> int:
        if name not in self._checked:
            self._checked.add(name)
            if name not in self._chosen or is_taken(self._chosen[name]):
                self._chosen[name] = self._unused()
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.write_text(json.dumps(self._chosen, indent=1))
        return self._chosen[name]

    def _unused(self) -> int:
        port = free_port()
        while port in self._chosen.values():
            port = free_port()
        return port
