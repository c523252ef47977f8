"""No failed request while pods are replaced, by rollout or eviction, and a bad version never serves (F28, F30)."""

import asyncio
import json
import time

import pytest

from devstack.layout import KINDS
from devstack.stages.cluster import selector

ORDERS = "order-service/api"
EVICTED = 3


async def test_three_rollouts_of_everything_fail_no_request(api, loaded, rolled, usage, figure):
    began = time.monotonic()
    async with loaded() as outcome:
        for _ in range(3):
            await rolled(*(kind.replace("/", "-") for kind in KINDS))
            usage("rolling")
    figure(f"three rollouts of all six Deployments in {time.monotonic() - began:.0f} s: {outcome.summary}")
    assert outcome.summary["sent"] > 500
    assert outcome.summary["failed"] == 0, outcome.summary
    code, said = await api.audit()
    assert code == 0, said


@pytest.fixture
def budgeted(stage, kubectl):
    """order-service-api with three replicas and its disruption budget."""
    stage.apply(["disruption"])
    kubectl.run("scale", "deployment/order-service-api", "--replicas=3")
    stage.wait_ready(ORDERS)
    yield
    kubectl.run("delete", "poddisruptionbudget", "--all")
    stage.apply()
    stage.wait_ready(ORDERS)


async def test_evictions_respect_the_budget_and_fail_no_request(stage, kubectl, loaded, budgeted, figure):
    doomed = [pod["metadata"]["name"] for pod in stage.pods(ORDERS)]
    assert len(doomed) == EVICTED
    refusals, least, began = 0, EVICTED, time.monotonic()
    async with loaded() as outcome:
        for name in doomed:
            while not evicted(kubectl, name):
                refusals += 1
                least = min(least, ready(stage))
                await asyncio.sleep(0.5)
        await asyncio.to_thread(stage.wait_ready, ORDERS)
    figure(
        f"{EVICTED} evictions in {time.monotonic() - began:.0f} s, {refusals} refused by the budget, "
        f"never fewer than {least} ready: {outcome.summary}"
    )
    assert refusals > 0
    assert least >= 2
    assert outcome.summary["failed"] == 0, outcome.summary
    assert not {pod["metadata"]["name"] for pod in stage.pods(ORDERS)} & set(doomed)


def evicted(kubectl, name):
    """Whether the API server let the pod go; it refuses with 429 when the budget is spent."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "waybill"}}
    path = f"/api/v1/namespaces/waybill/pods/{name}/eviction"
    done = kubectl.tried("create", "--raw", path, "-f", "-", given=json.dumps(eviction))
    assert done.returncode == 0 or "disruption budget" in done.stderr, done.stderr
    return done.returncode == 0


def ready(stage):
    """How many pods of order-service's api would be sent requests."""
    conditions = [pod["status"].get("conditions", ()) for pod in stage.pods(ORDERS)]
    return sum(any(c["type"] == "Ready" and c["status"] == "True" for c in each) for each in conditions)


async def test_a_version_that_is_never_ready_gets_no_request_and_stops_the_rollout(stage, kubectl, loaded):
    deployment = "deployment/order-service-api"
    good = set(addresses(kubectl))
    probe = [{"op": "replace", "path": "/spec/template/spec/containers/0/readinessProbe/httpGet/path", "value": "/no"}]
    async with loaded() as outcome:
        kubectl.run("patch", deployment, "--type=json", "--patch", json.dumps(probe))
        status = await asyncio.to_thread(kubectl.tried, "rollout", "status", deployment, "--timeout=30s")
        assert status.returncode != 0
        assert len(stage.pods(ORDERS)) == len(good) + 1
        assert set(addresses(kubectl)) == good
        kubectl.run("rollout", "undo", deployment)
        await asyncio.to_thread(stage.wait_ready, ORDERS)
    assert outcome.summary["failed"] == 0, outcome.summary


def addresses(kubectl):
    """Where the Service order-service sends requests."""
    slices = kubectl.get("endpointslices", "--selector", "kubernetes.io/service-name=order-service")["items"]
    endpoints = [endpoint for one in slices for endpoint in one["endpoints"] or ()]
    return [endpoint["addresses"][0] for endpoint in endpoints if endpoint["conditions"]["ready"]]


async def test_pods_that_are_killed_under_load_lose_nothing(api, stage, kubectl, loaded, figure):
    """Out of memory, and without a good-bye; what was acknowledged is there, and everything comes to its end."""
    async with loaded() as outcome:
        for kind in KINDS:
            await asyncio.to_thread(stage.kill, kind)
            await asyncio.sleep(2)
        kubectl.run("delete", "pod", "--selector", selector(ORDERS), "--force", "--grace-period=0")
        for kind in KINDS:
            await asyncio.to_thread(stage.wait_ready, kind)
    statuses = [
        status
        for kind in KINDS
        for pod in stage.pods(kind)
        for status in pod["status"]["containerStatuses"]
        if status.get("lastState", {}).get("terminated", {}).get("exitCode") == 137
    ]
    figure(f"six kinds of pods killed under load, {len(statuses)} of them seen by the kubelet: {outcome.summary}")
    assert statuses
    assert outcome.summary["statuses"]["201"] > 0
    code, said = await api.audit()
    assert code == 0, said
