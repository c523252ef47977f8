"""The ways of an order through the running system, each as its customer sees it."""

import asyncio
import json
from uuid import uuid4

import pytest

INVENTORY = "inventory-service/worker"


async def test_an_order_is_confirmed_and_its_goods_are_sold(api, user):
    sku = await api.product(10)
    answer = await api.place(user, sku, 3)
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    order = await api.ended(user, answer.json()["id"])
    assert (order["status"], order["total_minor"]) == ("confirmed", 750)
    assert order["terminal_at"] >= order["created_at"]
    assert await api.available(sku) == 7


async def test_an_order_without_stock_is_rejected_and_holds_nothing(api, user):
    sku = await api.product(2)
    order = await api.ended(user, (await api.place(user, sku, 3)).json()["id"])
    assert order["status"] == "rejected"
    assert await api.available(sku) == 2


async def test_a_cancellation_before_the_reservation_refuses_it(api, user, stage, frozen):
    sku = await api.product(5)
    frozen(INVENTORY)
    order = (await api.place(user, sku, 5)).json()["id"]
    assert (await api.cancel(user, order)).json()["status"] == "cancelled"
    stage.resume(INVENTORY)
    await api.eventually(lambda: _told(api, order))
    assert await api.available(sku) == 5
    assert (await api.ended(user, order))["status"] == "cancelled"


async def _told(api, order):
    query = "SELECT state FROM reservations WHERE order_id = $1"
    return [row["state"] for row in await api.sql("inventory-service", query, order)] in (["refused"], ["released"])


async def test_a_cancellation_after_the_sale_brings_the_goods_back(api, user):
    sku = await api.product(5)
    order = (await api.place(user, sku, 5)).json()["id"]
    assert (await api.ended(user, order))["status"] == "confirmed"
    assert (await api.cancel(user, order)).status_code == 200
    await api.eventually(lambda: _is_available(api, sku, 5))


async def _is_available(api, sku, pieces):
    return await api.available(sku) == pieces


async def test_a_missed_deadline_cancels_and_releases(api, user, stage, frozen):
    sku = await api.product(5)
    frozen(INVENTORY)
    order = (await api.place(user, sku, 5)).json()["id"]
    ended = await api.ended(user, order, 30)
    assert ended["status"] == "cancelled"
    stage.resume(INVENTORY)
    await api.eventually(lambda: _told(api, order))
    assert await api.available(sku) == 5


async def test_a_key_makes_one_order_whenever_and_however_often_it_comes(api, user, slug):
    sku, key = await api.product(50), str(uuid4())
    together = await asyncio.gather(*(api.place(user, sku, 1, key, n) for n in range(1, 9)))
    ids = {answer.json()["id"] for answer in together}
    assert {answer.status_code for answer in together} == {201}
    assert len(ids) == 1
    await api.ended(user, *ids)
    later = await api.place(user, sku, 1, key, 9)
    assert later.json() == together[0].json()
    assert slug(await api.place(user, sku, 2, key, 10)) == (422, "idempotency-key-reused")
    assert len(await api.orders_of(user)) == 1


async def test_anothers_order_is_as_good_as_none(api, user, slug):
    order = (await api.place(user, await api.product(1))).json()["id"]
    other = await api.register()
    for method, path in (("GET", ""), ("GET", "/history"), ("POST", "/cancel")):
        answer = await api.http.request(method, f"/orders/{order}{path}", headers=other.headers)
        assert slug(answer) == (404, "order-not-found")
    assert await api.orders_of(other) == []


async def test_an_unknown_product_is_refused(api, user, slug):
    assert slug(await api.place(user, "nothing")) == (422, "unknown-product")


@pytest.mark.parametrize("token", [None, "Bearer nonsense", "Bearer a.b.c"])
async def test_the_gateway_refuses_who_has_no_good_token(api, slug, token):
    headers = {"authorization": token} if token else {}
    assert slug(await api.http.get("/orders", headers=headers)) == (401, "unauthorized")


async def test_identity_headers_from_outside_mean_nothing(api, slug):
    forged = {"x-user-id": str(uuid4()), "x-user-scopes": "admin"}
    assert slug(await api.http.get("/users/me", headers=forged))[0] == 401


async def test_what_no_service_serves_is_a_problem_too(api, slug):
    assert slug(await api.http.get("/ordersandmore")) == (404, "not-found")


async def test_a_deactivated_user_may_not_order_though_the_token_lives(api, user, slug):
    sku = await api.product(5)
    assert (await api.http.delete("/users/me", headers=user.headers)).status_code == 204

    async def refused():
        return (await api.place(user, sku)).status_code == 403

    await api.eventually(refused)
    assert slug(await api.place(user, sku)) == (403, "inactive-user")


async def test_what_the_projection_misses_is_asked_over_rest(api, user, frozen):
    frozen("order-service/worker")
    sku, late = await api.product(5, price=123), await api.register()
    answer = await api.place(late, sku, 2)
    assert (answer.status_code, answer.json()["total_minor"]) == (201, 246)


async def test_an_owner_that_does_not_answer_is_503_and_nothing_is_stored(api, user, frozen, slug):
    frozen("order-service/worker")
    sku = await api.product(5)
    frozen("inventory-service/api")
    answer = await api.place(user, sku)
    assert slug(answer) == (503, "temporarily-unavailable")
    assert "retry-after" in answer.headers
    assert await api.orders_of(user) == []


async def test_one_order_is_one_trace_through_every_process(api, user):
    order = (await api.place(user, await api.product(5))).json()["id"]
    await api.ended(user, order)
    steps = (await api.http.get(f"/orders/{order}/history", headers=user.headers)).json()
    (trace,) = {step["trace_id"] for step in steps}
    assert [step["event"] for step in steps] == ["order.placed.v1", "stock.reserved.v1", "order.confirmed.v1"]

    async def seen():
        lines = await asyncio.to_thread(api.stage.spans)
        spans = [json.loads(line) for line in lines if trace in line]
        names = {(span["service"], span["kind"]) for span in spans if span["trace_id"] == trace}
        linked = {span["service"] for span in spans if trace in span["links"]}
        wanted = {("gateway", "server"), ("order-service", "server"), ("order-service", "producer")}
        consumers = {("inventory-service", "consumer"), ("order-service", "consumer")}
        return wanted | consumers <= names and linked >= {"inventory-service", "order-service"}

    await api.eventually(seen)
