"""Workers grow by Kafka's lag and shrink again, while a backlog of orders drains and nothing is lost."""

import asyncio
import time

import pytest

BACKLOG = 20_000
RATE = 400
WORKER = "inventory-service-worker"
SETTINGS = {"ORDER_DEADLINE_SECONDS": "3600", "PENDING_LIMIT": "1000000"}
QUICK = """
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: {name}}}
spec:
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown: {{stabilizationWindowSeconds: 15, policies: [{{type: Pods, value: 12, periodSeconds: 15}}]}}
"""
SMALL = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec: {{template: {{spec: {{containers: [{{name: app, resources: {{requests: {{cpu: 10m, memory: 64Mi}}}}}}]}}}}}}
"""
"""On one small node a dozen workers must fit beside everything else."""
SCALED = ("inventory-service-worker", "order-service-worker")


@pytest.fixture
def patient(stage, kubectl):
    """Orders that may wait long, and workers that are small."""
    small = [{"patch": SMALL.format(name=name)} for name in SCALED]
    stage.deploy(settings=SETTINGS, patches=small)
    for kind in ("order-service/api", "inventory-service/worker", "order-service/worker"):
        stage.wait_ready(kind)
    yield lambda: stage.apply(
        ["autoscaling-workers"], [*small, *({"patch": QUICK.format(name=name)} for name in SCALED)], SETTINGS
    )
    kubectl.run("delete", "scaledobject,triggerauthentication", "--all")
    stage.deploy()


async def test_workers_scale_by_lag_and_back_and_the_audit_holds(api, stage, kubectl, loaded, patient, usage, figure):
    stage.pause("inventory-service/worker")
    began = time.monotonic()
    async with loaded(rate=RATE, connections=64, seconds=580) as outcome:
        while await undecided(api) < BACKLOG:
            await asyncio.sleep(2)
    figure(f"a backlog of {BACKLOG} orders in {time.monotonic() - began:.0f} s: {outcome.summary}")
    stage.resume("inventory-service/worker")
    patient()
    began, most, up = time.monotonic(), 1, None
    while pending := await undecided(api):
        count = ready(kubectl)
        if count > most:
            most, up = count, up or time.monotonic() - began
        assert time.monotonic() - began < 580, f"{pending} orders are still pending"
        await asyncio.sleep(1)
    drained = time.monotonic() - began
    usage("draining")
    while ready(kubectl) > 1:
        assert time.monotonic() - began < 590
        await asyncio.sleep(1)
    figure(
        f"{WORKER} 1 -> {most} by lag, first after {up or 0:.0f} s, drained in {drained:.0f} s, "
        f"back to 1 after {time.monotonic() - began:.0f} s"
    )
    assert most > 1
    code, said = await api.audit("--within", "1200")
    assert code == 0, said


async def undecided(api):
    """How many orders wait."""
    (row,) = await api.sql("order-service", "SELECT count(*) FROM orders WHERE status = 'pending'")
    return row["count"]


def ready(kubectl):
    return kubectl.get("deployment", WORKER)["status"].get("readyReplicas", 0)
