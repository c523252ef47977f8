"""The real Envoy Gateway in front: limits, timeouts, and no failed request while it and we are rolled."""

import asyncio
import time

from devstack.layout import KINDS
from devstack.stages.edge import CONTROLLER

BURST = 160
"""Reads in one second, of which one user may have a hundred."""


async def test_one_users_burst_is_limited_and_another_user_is_not(api, user, slug):
    other = await api.register()
    sent = time.monotonic()
    answers = await asyncio.gather(*(api.http.get("/users/me", headers=user.headers) for _ in range(BURST)))
    took = time.monotonic() - sent
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(429) >= BURST - 100 * (int(took) + 2)
    assert 429 in statuses, f"{BURST} reads took {took:.1f} s"
    assert slug(next(answer for answer in answers if answer.status_code == 429)) == (429, "too-many-requests")
    assert (await api.http.get("/users/me", headers=other.headers)).status_code == 200


async def test_a_long_wait_is_not_cut_off_by_the_gateway(api, user, frozen):
    """Envoy's own route timeout is 15 s; ours is longer than the longest wait."""
    frozen("inventory-service/worker")
    frozen("order-service/worker")
    order = (await api.place(user, await api.product(1))).json()["id"]
    began = time.monotonic()
    answer = await api.http.get(f"/orders/{order}", headers={**user.headers, "prefer": "wait=18"})
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    assert time.monotonic() - began >= 17


async def test_a_body_that_is_too_large_ends_at_the_gateway(api, user, slug):
    answer = await api.http.post("/orders", headers=user.headers, content=b"x" * 70_000)
    assert slug(answer)[0] == 413


async def test_plain_http_is_sent_to_https(stage, api):
    port = stage.forward_edge(80)
    transport = type(api.http._transport)(stage.state["host"])
    async with type(api.http)(base_url=f"http://127.0.0.1:{port}", transport=transport) as http:
        answer = await http.get("/orders")
    assert answer.status_code == 301
    assert answer.headers["location"].startswith(f"https://{stage.state['host']}")


async def test_rolling_the_gateway_and_us_fails_no_request(api, stage, loaded, rolled, figure):
    proxies, began = stage.edge.deployment, time.monotonic()
    async with loaded() as outcome:
        within = stage.edge.kubectl
        within.run("rollout", "restart", f"deployment/{proxies}")
        await asyncio.to_thread(within.run, "rollout", "status", f"deployment/{proxies}", "--timeout=240s")
        await rolled(*(kind.replace("/", "-") for kind in KINDS))
    took = time.monotonic() - began
    figure(f"{CONTROLLER} and all six Deployments rolled in {took:.0f} s: {outcome.summary}")
    assert outcome.summary["failed"] == 0, outcome.summary
    code, said = await api.audit()
    assert code == 0, said
