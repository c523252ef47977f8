"""What only a cluster can show: load from inside it, and what became of its pods."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

LOAD = {
    "restartPolicy": "Never",
    # Not less than ours: on a full node the scheduler would end it to make room for a new pod of a rollout.
    "priorityClassName": "waybill",
    "automountServiceAccountToken": False,
    "terminationGracePeriodSeconds": 1,
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
}
HARDENED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
NEEDS = {"test_g_gateway.py": "gateway", "test_h_keda.py": "keda"}
FIGURES = []


def pytest_ignore_collect(collection_path, config):
    """What needs a controller is collected when the controller takes part."""
    wanted = NEEDS.get(collection_path.name)
    return True if wanted and wanted not in config.getoption("--controllers").split(",") else None


def pytest_terminal_summary(terminalreporter):
    """The figures of a run, for whoever writes them down."""
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def figure():
    """Keeps a line for the end."""
    return FIGURES.append


@pytest.fixture(scope="session")
def kubectl(stage):
    return stage.kubectl


@pytest.fixture
def pod(kubectl):
    """Runs a pod of waybill-e2e; it is gone when the test is."""
    made = []

    def run(name, command, labels=None, cpu="1"):
        container = {
            "name": "app",
            "image": "waybill-e2e:local",
            "command": command,
            "securityContext": HARDENED,
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": cpu, "memory": "256Mi"}},
        }
        metadata = {"name": name, "labels": labels or {"app.kubernetes.io/name": name}}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**LOAD, "containers": [container]}}
        kubectl.run("create", "-f", "-", given=json.dumps(body))
        made.append(name)
        return name

    yield run
    for name in made:
        kubectl.run("delete", "pod", name, "--ignore-not-found", "--grace-period=1")


@dataclass
class Outcome:
    """What a load saw; filled when its block ends."""

    summary: dict = field(default_factory=dict)


@pytest.fixture
def loaded(api, kubectl, pod, stage):
    """Orders at a steady rate for the length of a block, from a pod; every attempt goes into the client's log."""

    @asynccontextmanager
    async def run(rate=20, connections=10, seconds=400):
        users = [await api.register() for _ in range(10)]
        asked = {
            **stage.inner_gateway,
            "users": [{"id": user.id, "token": user.token} for user in users],
            "sku": await api.product(100_000),
            "rate": rate,
            "connections": connections,
            "seconds": seconds,
        }
        pod("load", ["python", "tests/e2e/load.py", json.dumps(asked)])
        await api.eventually(lambda: _printed(kubectl, "load"), 60)
        outcome = Outcome()
        try:
            yield outcome
        finally:
            kubectl.tried("exec", "load", "--", "python", "-c", "import os, signal; os.kill(1, signal.SIGINT)")
            await asyncio.to_thread(
                kubectl.run, "wait", "pod/load", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s"
            )
            *lines, last = kubectl.run("logs", "load").splitlines()
            outcome.summary.update(json.loads(last))
            with api.log.open("a") as log:
                log.writelines(f"{line}\n" for line in lines)

    return run


async def _printed(kubectl, name):
    return len(kubectl.tried("logs", name, "--tail=5").stdout.splitlines()) == 5


@pytest.fixture
def rolled(kubectl):
    """Restarts Deployments together and waits until each has rolled."""

    async def roll(*names):
        kubectl.run("rollout", "restart", *(f"deployment/{name}" for name in names))
        waits = (("rollout", "status", f"deployment/{name}", "--timeout=240s") for name in names)
        await asyncio.gather(*(asyncio.to_thread(kubectl.run, *wait) for wait in waits))

    return roll


@pytest.fixture
def usage(kubectl, figure):
    """Notes memory and CPU of our pods, as the kubelet sees them now, against their limits of 256 MiB and 250 m."""

    def note(title):
        lines = kubectl.run("top", "pods", "--selector", "app.kubernetes.io/part-of=waybill", "--no-headers")
        rows = [line.split() for line in lines.splitlines()]
        for component in ("api", "worker"):
            ours = [row for row in rows if f"-{component}-" in row[0]]
            memory = max(int(row[2].removesuffix("Mi")) for row in ours)
            cpu = max(int(row[1].removesuffix("m")) for row in ours)
            figure(f"{title}: {component} at most {memory} of 256 MiB, {cpu} of 250 m CPU, {len(ours)} pods")

    return note
