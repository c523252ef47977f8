"""Stage `cluster`: overlay `local` and `deploy/configs/lite` in a Kubernetes context, reached by port-forward.

The namespace must not exist, or be one that an earlier run of this suite made; it is deleted at the end.
"""

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from devstack import checkout, cluster_secrets
from devstack.errors import Occupied, StageError
from devstack.kubectl import NAMESPACE, Kubectl
from devstack.layout import ADMIN_EMAIL, DATABASES, KINDS, Wishes
from devstack.ports import LOOPBACK, free_port, is_taken
from devstack.stages import rehearsal
from devstack.stages.edge import COMPONENTS as EDGE_COMPONENTS
from devstack.stages.edge import PATCHES as EDGE_PATCHES
from devstack.stages.edge import Edge
from devstack.stages.forwards import Forward

KAFKA_PORT = 19094
"""Lite's Kafka tells clients outside of the cluster to come to this port of their own machine."""
MARK = "waybill.example/made-by"
SUITE = "end-to-end-suite"
PRIORITY = "waybill"
HOGS = """
import os, time
open('/proc/1/oom_score_adj', 'w').write('1000')
for _ in range(24):
    if not os.fork():
        hoard = b'x' * (16 << 20)
        time.sleep(30)
time.sleep(30)
"""
"""Fill a container's memory, each smaller than its first process: that is the one that the kernel ends, by SIGKILL."""


class Cluster:
    """The stage; `kubectl` is bound to its context and namespace."""

    def __init__(self, directory: Path, wishes: Wishes, kubectl: Kubectl, stack: ExitStack) -> None:
        self.kubectl = kubectl
        self._directory, self._wishes, self._stack = directory, wishes, stack
        self._ports: dict[str, int] = {}
        self._paused: dict[str, int] = {}
        self.edge = Edge(kubectl) if "gateway" in wishes.controllers else None
        self._passwords: dict[str, str] = {}

    @property
    def state(self) -> dict[str, Any]:
        """As the API server has it now."""
        return {
            **(self.edge.outer(self._ports["edge"]) if self.edge else {"gateway": self._url("gateway")}),
            "kafka": f"{LOOPBACK}:{KAFKA_PORT}",
            "databases": {service: self._dsn(service, name) for service, name in DATABASES.items()},
            "processes": {kind: self._processes(kind) for kind in KINDS},
            "admin": {"email": ADMIN_EMAIL, "password_file": str(self._directory / "admin-password")},
        }

    @property
    def state_file(self) -> Path:
        """Written when it is asked for."""
        file = self._directory / "state.json"
        file.write_text(json.dumps(self.state))
        return file

    def spans(self) -> Sequence[str]:
        """From lite's collector."""
        with urlopen(f"{self._url('collector')}/spans", timeout=20) as answer:  # noqa: S310 (our own loopback URL)
            return str(answer.read().decode()).splitlines()

    def kill(self, kind: str) -> None:
        """By the kernel, out of memory, in every pod: nothing inside a container may signal its first process."""
        names = [pod["metadata"]["name"] for pod in self.pods(kind)]
        with ThreadPoolExecutor(len(names)) as together:
            list(together.map(lambda name: self.kubectl.tried("exec", name, "--", "python", "-c", HOGS), names))

    def pause(self, kind: str) -> None:
        """No pods, and the last one is gone: an API server knows no freezer."""
        self._paused[kind] = int(self.kubectl.get("deployment", _name(kind))["spec"]["replicas"])
        self.kubectl.run("scale", f"deployment/{_name(kind)}", "--replicas=0")
        self.kubectl.tried("delete", "pod", "--selector", selector(kind), "--grace-period=1", "--wait=true")

    def resume(self, kind: str) -> None:
        """As many as there were."""
        if kind in self._paused:
            self.kubectl.run("scale", f"deployment/{_name(kind)}", f"--replicas={self._paused.pop(kind)}")

    def wait_ready(self, kind: str) -> None:
        """By the Deployment's own judgement."""
        self.kubectl.run("rollout", "status", f"deployment/{_name(kind)}", "--timeout=120s")

    def messages(self, service: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """In a pod of the api, which is there while workers are not."""
        command = ("exec", f"deployment/{service}-api", "--", "python", "-m", "service", "messages", *arguments)
        done = self.kubectl.tried(*command)
        lines = [line for line in done.stderr.splitlines(keepends=True) if "command terminated with exit" not in line]
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout, "".join(lines))

    def pods(self, kind: str) -> list[dict[str, Any]]:
        """The pods of a kind that are not on their way out."""
        items = self.kubectl.get("pods", "--selector", selector(kind))["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    @property
    def inner_gateway(self) -> dict[str, str]:
        """The gateway as a pod beside it finds it."""
        return self.edge.inner if self.edge else {"gateway": "http://gateway:8080"}

    def apply(
        self,
        components: Sequence[str] = (),
        patches: Sequence[Mapping[str, Any]] = (),
        settings: Mapping[str, str] | None = None,
    ) -> str:
        """Apply the overlay, with more of everything when a test rehearses it; returns what kubectl changed."""
        ours = {"TRACE_RATIO": str(self._wishes.trace_ratio), "OTLP_ENDPOINT": "http://collector:4318"}
        folder = self._directory / "rehearsal"
        if self.edge:
            components, patches = [*EDGE_COMPONENTS, *components], [*EDGE_PATCHES, *patches]
        rehearsal.write(folder, {**ours, **self._wishes.settings, **(settings or {})}, components, patches)
        return self.kubectl.run("apply", "--kustomize", str(folder))

    def deploy(self, **more: Any) -> str:
        """As `apply`, for what migrates or changes settings: a Job's template cannot change, so it goes first."""
        self.kubectl.run("delete", "job", "--selector", "app.kubernetes.io/component=migrate", "--ignore-not-found")
        return self.apply(**more)

    def start(self) -> None:
        """Namespace, Secrets, what the services stand on, the services, and the ways in."""
        self._directory.mkdir(parents=True, exist_ok=True)
        cluster_secrets.make(self.kubectl)
        self.kubectl.run("annotate", "namespace", NAMESPACE, f"{MARK}={SUITE}", "--overwrite")
        self.kubectl.run("apply", "--kustomize", str(checkout.LITE))
        self._wait("deployment", "Available", "app.kubernetes.io/managed-by=waybill-lite")
        self._wait("job", "Complete", "app.kubernetes.io/managed-by=waybill-lite")
        if self.edge:
            self.edge.prepare()
        self.apply()
        self._wait("job", "Complete", "app.kubernetes.io/component=migrate")
        self._wait("deployment", "Available", "app.kubernetes.io/part-of=waybill")
        for kind in KINDS:
            self.wait_ready(kind)
        self._open_ways()

    def _open_ways(self) -> None:
        password = self.kubectl.get("secret", "user-service-admin")["data"]["password"]
        (self._directory / "admin-password").write_bytes(base64.b64decode(password))
        self.forward("kafka", KAFKA_PORT, KAFKA_PORT)
        if self.edge:
            self._ports["edge"] = self._forward(self.edge.kubectl, self.edge.wait(), 443)
        self.forward("gateway", 8080)
        self.forward("collector", 4318)
        for service, name in DATABASES.items():
            self.forward(f"{name}-db", 5432)
            self.forward(service, 80)

    def forward(self, service: str, remote: int, local: int | None = None) -> int:
        """A way to a Service for as long as the stage is there; returns the port on loopback."""
        self._ports[service] = self._forward(self.kubectl, service, remote, local)
        return self._ports[service]

    def forward_edge(self, remote: int) -> int:
        """A way to another port of the real edge."""
        if self.edge is None:
            raise StageError("the gateway's controller takes no part")
        return self._forward(self.edge.kubectl, self.edge.wait(), remote)

    def _forward(self, kubectl: Kubectl, service: str, remote: int, local: int | None = None) -> int:
        port = local or free_port()
        log = self._directory / f"forward-{service}.log"
        self._stack.enter_context(Forward(kubectl, f"svc/{service}", port, remote, log))
        return port

    def _url(self, service: str) -> str:
        return f"http://{LOOPBACK}:{self._ports[service]}"

    def _wait(self, kind: str, condition: str, selected: str) -> None:
        self.kubectl.run("wait", kind, "--selector", selected, f"--for=condition={condition}", "--timeout=240s")

    def _dsn(self, service: str, name: str) -> str:
        if service not in self._passwords:
            data = self.kubectl.get("secret", f"{service}-db")["data"]["password"]
            self._passwords[service] = base64.b64decode(data).decode()
        return f"postgresql://{name}:{self._passwords[service]}@{LOOPBACK}:{self._ports[f'{name}-db']}/{name}"

    def _processes(self, kind: str) -> list[dict[str, Any]]:
        """`pid` is the container's id: a process that was restarted has another."""
        service, _, role = kind.partition("/")
        http = self._url(service) if role == "api" else None
        statuses = [status for pod in self.pods(kind) for status in pod["status"].get("containerStatuses", ())]
        return [{"pid": status.get("containerID"), "http": http, "probes": None} for status in statuses]


def selector(kind: str) -> str:
    """The labels of a kind's pods."""
    service, _, role = kind.partition("/")
    return f"app.kubernetes.io/name={service},app.kubernetes.io/component={role}"


def _name(kind: str) -> str:
    return kind.replace("/", "-")


def require() -> None:
    """A context that may be used, and no namespace of somebody else's."""
    kubectl = Kubectl.chosen()
    if not kubectl.exists("namespace", NAMESPACE):
        return
    marks = kubectl.get("namespace", NAMESPACE)["metadata"].get("annotations", {})
    if marks.get(MARK) != SUITE:
        raise Occupied(f"the namespace {NAMESPACE} is there and not this suite's own; nothing was touched")


@contextmanager
def running(directory: Path, wishes: Wishes) -> Iterator[Cluster]:
    """The system in the cluster for the length of a block."""
    if is_taken(KAFKA_PORT):
        raise Occupied(f"port {KAFKA_PORT} is taken; lite's Kafka is reached through it")
    kubectl = Kubectl.chosen()
    remove(kubectl)
    with ExitStack() as stack:
        stack.callback(remove, kubectl)
        stage = Cluster(directory, wishes, kubectl, stack)
        stage.start()
        yield stage


def remove(kubectl: Kubectl) -> None:
    """The namespace with everything in it, at once, and the one object outside of it."""
    if kubectl.exists("namespace", NAMESPACE):
        kubectl.run("delete", "deployments,jobs", "--all", "--wait=false")
        kubectl.run("delete", "pods", "--all", "--grace-period=1", "--wait=false")
        kubectl.run("delete", "namespace", NAMESPACE, "--timeout=180s")
    kubectl.run("delete", "priorityclass", PRIORITY, "--ignore-not-found")
