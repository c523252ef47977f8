"""order-service's api grows under load, by its CPU, and shrinks again."""

import asyncio
import time

import pytest

HPA = "order-service-api"
PATIENCE_SECONDS = 150
OTHERS = ("user-service-api", "inventory-service-api")
QUICK = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: order-service-api}
spec: {behavior: {scaleDown: {stabilizationWindowSeconds: 15, policies: [{type: Pods, value: 4, periodSeconds: 15}]}}}
"""


@pytest.fixture
def scaling(stage, kubectl):
    """The component, with a scale-down that a test can wait for; on one small node for one service only."""
    gone = [
        {
            "patch": f"$patch: delete\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
            f"metadata: {{name: {name}}}\n"
        }
        for name in OTHERS
    ]
    stage.apply(["autoscaling"], [*gone, {"patch": QUICK}])
    yield
    kubectl.run("delete", "horizontalpodautoscaler", "--all")
    stage.apply()
    stage.wait_ready("order-service/api")


async def test_the_api_scales_up_under_load_and_down_again(kubectl, loaded, scaling, usage, figure):
    least = 3
    await reaches(kubectl, lambda count: count == least)
    began = time.monotonic()
    async with loaded(rate=150, connections=24) as outcome:
        most = await reaches(kubectl, lambda count: count > least)
        up = time.monotonic() - began
        usage("scaling")
    began = time.monotonic()
    await reaches(kubectl, lambda count: count == least)
    down = time.monotonic() - began
    figure(f"order-service-api 3 -> {most} in {up:.0f} s, back to 3 in {down:.0f} s: {outcome.summary}")
    assert outcome.summary["failed"] == 0, outcome.summary


async def reaches(kubectl, condition):
    """The replicas that the autoscaler asks for, once they meet the condition."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        count = kubectl.get("horizontalpodautoscaler", HPA)["status"].get("desiredReplicas", 0)
        if condition(count):
            return count
        assert time.monotonic() < deadline, kubectl.run("describe", "horizontalpodautoscaler", HPA)
        await asyncio.sleep(1)
