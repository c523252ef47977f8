"""Deploys: what is applied twice changes nothing, what changes rolls, and old and new code meet on one schema."""

import asyncio
import json

import pytest

from devstack.checkout import ROOT

ORDERS = "order-service/api"
DEPLOYMENT = "deployment/order-service-api"
NEXT_REVISION = '"""A later revision."""\n'


async def test_the_suite_passes_as_a_pod_too(stage, kubectl):
    """What `skaffold verify` runs."""
    kubectl.run("apply", "-f", str(ROOT / "tests" / "e2e" / "job.yaml"))
    wait = ("wait", "job/e2e", "--for=condition=Complete", "--timeout=240s")
    done = await asyncio.to_thread(kubectl.tried, *wait)
    said = kubectl.run("logs", "job/e2e")
    kubectl.run("delete", "job", "e2e")
    assert done.returncode == 0, said
    assert "passed" in said


def test_what_is_applied_twice_changes_nothing(stage):
    stage.apply()
    changed = [line for line in stage.apply().splitlines() if not line.endswith(("unchanged", "Warning"))]
    assert changed == []


async def test_a_changed_setting_rolls_the_pods(stage, kubectl):
    before = names(stage)
    config = config_of(kubectl)
    stage.deploy(settings={"LOG_LEVEL": "DEBUG"})
    await asyncio.to_thread(stage.wait_ready, ORDERS)
    assert config_of(kubectl) != config
    assert not names(stage) & before
    stage.deploy()
    await asyncio.to_thread(stage.wait_ready, ORDERS)
    assert config_of(kubectl) == config


def names(stage):
    return {pod["metadata"]["name"] for pod in stage.pods(ORDERS)}


def config_of(kubectl):
    """The ConfigMap that the Deployment names, hash and all."""
    container = kubectl.get("deployment", "order-service-api")["spec"]["template"]["spec"]["containers"][0]
    return container["envFrom"][0]["configMapRef"]["name"]


@pytest.fixture
async def next_version(api, stage, kubectl):
    """A version of order-service's api that needs revision 0002, rolled out by whoever calls."""
    folder = ROOT / "services" / "order-service" / "migrations" / "versions"
    files = {file.name: file.read_text() for file in folder.glob("[0-9]*.py")}
    revisions = {"data": {**files, "0002_next.py": NEXT_REVISION}}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "next-revisions"}, **revisions}
    kubectl.run("apply", "-f", "-", given=json.dumps(body))
    container = {
        "name": "app",
        "env": [{"name": "MIGRATIONS_DIR", "value": "/next"}],
        "volumeMounts": [{"name": "next", "mountPath": "/next/versions"}],
    }
    volumes = [{"name": "next", "configMap": {"name": "next-revisions"}}]
    patch = {"spec": {"template": {"spec": {"containers": [container], "volumes": volumes}}}}
    yield lambda: kubectl.run("patch", DEPLOYMENT, "--patch", json.dumps(patch))
    await api.sql("order-service", "UPDATE alembic_version SET version_num = '0001'")
    kubectl.run("delete", "configmap", "next-revisions")


async def test_new_code_waits_for_its_schema_and_old_code_works_on_the_new_one(api, stage, kubectl, next_version, user):
    before = names(stage)
    next_version()
    stopped = await asyncio.to_thread(kubectl.tried, "rollout", "status", DEPLOYMENT, "--timeout=25s")
    assert stopped.returncode != 0
    (waiting,) = names(stage) - before
    page = "import urllib.request as u; u.urlopen('http://127.0.0.1:9090/readyz')"
    assert "503" in kubectl.tried("exec", waiting, "--", "python", "-c", page).stderr
    await api.sql("order-service", "UPDATE alembic_version SET version_num = '0002'")
    await asyncio.to_thread(stage.wait_ready, ORDERS)
    kubectl.run("rollout", "undo", DEPLOYMENT)
    await asyncio.to_thread(stage.wait_ready, ORDERS)
    order = await api.place_surely(user, await api.product(1))
    assert (await api.ended(user, order))["status"] == "confirmed"
