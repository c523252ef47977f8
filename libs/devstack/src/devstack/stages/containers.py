"""Stage `containers`: the images that a cluster runs, PostgreSQL and Kafka, on one network of a container engine.

The engine is the one that DOCKER_HOST names, or the machine's own.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import docker
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from devstack import credentials
from devstack.errors import NotReady, StageError
from devstack.layout import ADMIN_EMAIL, DATABASES, KINDS, SERVICES, Wishes
from devstack.ports import LOOPBACK, Ports, answers
from devstack.readiness import is_ready
from devstack.stages import recipes

READY_SECONDS = 90.0
LOOK_SECONDS = 0.1


class Containers:
    """The stage; its containers live as long as `stack`."""

    def __init__(self, directory: Path, wishes: Wishes, stack: ExitStack) -> None:
        self._directory, self._wishes, self._stack = directory, wishes, stack
        self._ports = Ports(directory / "ports.json")
        self._secrets = directory / "secrets"
        self._parts: dict[str, DockerContainer] = {}

    @property
    def state(self) -> dict[str, Any]:
        """As the engine has it now."""
        return {
            "gateway": f"http://{LOOPBACK}:{self._wishes.port}",
            "kafka": f"{LOOPBACK}:{self._ports['kafka']}",
            "databases": {service: self._dsn(name) for service, name in DATABASES.items()},
            "processes": {kind: [self._process(kind)] for kind in KINDS},
            "admin": {"email": ADMIN_EMAIL, "password_file": str(self._secrets / "admin" / "password")},
        }

    @property
    def state_file(self) -> Path:
        """Written when it is asked for."""
        file = self._directory / "state.json"
        file.write_text(json.dumps(self.state))
        return file

    def spans(self) -> Sequence[str]:
        """From the collector."""
        with urlopen(f"http://{LOOPBACK}:{self._ports['collector']}/spans", timeout=10) as answer:
            return str(answer.read().decode()).splitlines()

    def container(self, kind: str) -> Any:
        """docker-py's Container of a kind's process."""
        return self._parts[kind].get_wrapped_container()

    def kill(self, kind: str) -> None:
        """SIGKILL, and the restart that an engine owes only to those that end by themselves."""
        container = self.container(kind)
        container.kill()
        container.start()

    def pause(self, kind: str) -> None:
        """The engine's freezer."""
        self.container(kind).pause()

    def resume(self, kind: str) -> None:
        """Thawed, unless it runs."""
        container = self.container(kind)
        container.reload()
        if container.status == "paused":
            container.unpause()

    def wait_ready(self, kind: str) -> None:
        """By the probes."""
        probes = self._process(kind)["probes"]
        _until(lambda: is_ready(probes), kind)

    def messages(self, service: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """In the worker's container."""
        command = ["python", "-m", "service", "messages", *arguments]
        container = self.container(f"{service}/worker")
        done = container.exec_run(command, demux=True)
        out, err = ((stream or b"").decode() for stream in done.output)
        return subprocess.CompletedProcess(command, done.exit_code, out, err)

    def start(self) -> None:
        """In the order of need."""
        credentials.fill(self._secrets)
        network = self._stack.enter_context(Network())
        self._run("postgres", recipes.postgres(network, self._secrets, self._ports["postgres"]))
        self._run("kafka", recipes.kafka(network, self._ports["kafka"]))
        self._run("collector", recipes.collector(network, self._ports["collector"]))
        _until(lambda: answers(self._ports["kafka"]), "Kafka")
        self._complete("topics", recipes.topics(network))
        for service in SERVICES:
            self._complete(f"{service}/migrate", self._service(network, service, "migrate", {}))
        for kind in KINDS:
            service, _, role = kind.partition("/")
            self._run(kind, self._service(network, service, role, self._published(kind)))
        self._run("gateway", recipes.gateway(network, self._wishes.port))
        for kind in KINDS:
            self.wait_ready(kind)
        _until(lambda: answers(self._wishes.port), "the gateway")

    def _service(self, network: Network, name: str, role: str, ports: dict[int, int]) -> DockerContainer:
        settings = {
            "OTLP_ENDPOINT": "http://collector:4318",
            "TRACE_RATIO": str(self._wishes.trace_ratio),
            "CONSUMER_SESSION_SECONDS": "3",
            "CONSUMER_HEARTBEAT_SECONDS": "1",
            **self._wishes.settings,
        }
        return recipes.service(name, role, network, self._secrets, settings, ports)

    def _published(self, kind: str) -> dict[int, int]:
        http = {80: self._ports[f"{kind}-http"]} if kind.endswith("/api") else {}
        return {9090: self._ports[f"{kind}-probes"], **http}

    def _run(self, name: str, container: DockerContainer) -> None:
        self._parts[name] = self._stack.enter_context(container)

    def _complete(self, name: str, container: DockerContainer) -> None:
        """Run it to its end; raises NotReady with what it said."""
        with container:
            wrapped = container.get_wrapped_container()
            if wrapped.wait(timeout=READY_SECONDS)["StatusCode"]:
                raise NotReady(f"{name} failed: {wrapped.logs().decode()[-500:]}")

    def _dsn(self, name: str) -> str:
        password = (self._secrets / "db" / "password").read_text()
        return f"postgresql://{name}:{password}@{LOOPBACK}:{self._ports['postgres']}/{name}"

    def _process(self, kind: str) -> dict[str, Any]:
        container = self.container(kind)
        container.reload()
        http = f"http://{LOOPBACK}:{self._ports[f'{kind}-http']}" if kind.endswith("/api") else None
        probes = f"http://{LOOPBACK}:{self._ports[f'{kind}-probes']}"
        return {"pid": container.attrs["State"]["Pid"], "http": http, "probes": probes}


def _until(condition: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise NotReady(f"{name} is not ready after {READY_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)


@contextmanager
def running(directory: Path, wishes: Wishes) -> Iterator[Containers]:
    """The system in containers for the length of a block."""
    # Its reaper is an image of its own; here every container ends with the stack.
    testcontainers_config.ryuk_disabled = True
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stage = Containers(directory, wishes, stack)
        stage.start()
        yield stage


def require() -> None:
    """An engine and our images."""
    try:
        images = {tag for image in docker.from_env().images.list() for tag in image.tags}
    except docker.errors.DockerException as error:
        where = os.environ.get("DOCKER_HOST", "the machine's default socket")
        raise StageError(f"no container engine answers at {where}; start one or set DOCKER_HOST") from error
    if missing := {*(f"{name}:{recipes.TAG}" for name in SERVICES), recipes.E2E} - images:
        raise StageError(f"there is no image {', '.join(sorted(missing))}; say make images")
