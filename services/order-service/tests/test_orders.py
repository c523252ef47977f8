"""POST /orders: accepted once per key, refused with a reason, and nothing stored when refused."""

import asyncio

import pytest

from chassis.ids import new_id
from order_service.use_cases import Limits


async def test_an_order_is_pending_priced_and_announced(service):
    answer = await service.place([{"sku": "lamp", "quantity": 3}])
    order = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/orders/{order['id']}"
    assert (order["status"], order["total_minor"], order["currency"]) == ("pending", 750, "EUR")
    (event,) = await service.events()
    assert (event.type, event.subject, event.version) == ("order.placed.v1", order["id"], 1)
    assert event.event.items[0].unit_price_minor == 250


async def test_a_repeated_key_gets_the_first_answer_for_ever(service):
    first = await service.place(key="k")
    await service.fetch("UPDATE orders SET status = 'confirmed', version = 2, terminal_at = now()")
    again = await service.place(key="k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert await service.count("orders") == await service.count("outbox") == 1


async def test_a_key_with_another_body_is_refused(service, slug):
    await service.place(key="k")
    assert slug(await service.place([{"sku": "lamp", "quantity": 9}], key="k")) == (422, "idempotency-key-reused")


async def test_two_users_may_use_the_same_key(service):
    other = new_id()
    await service.fetch("INSERT INTO users VALUES ($1, true, 1)", other)
    one, two = await service.place(key="k"), await service.place(key="k", user=other)
    assert one.json()["id"] != two.json()["id"]


async def test_the_same_key_at_the_same_moment_makes_one_order(service):
    answers = await asyncio.gather(*(service.place(key="k") for _ in range(20)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    assert await service.count("orders") == 1


async def test_a_key_whose_first_request_hangs_is_409_and_then_answers(service, slug):
    async with service.db.transaction() as tx:
        await tx.raw.execute(
            "INSERT INTO orders VALUES ($1, $2, 'k', '', 'pending', 1, 0, 0, 'EUR', null, now(), now(), null)",
            new_id(),
            service.user,
        )
        assert slug(await service.place(key="k")) == (409, "idempotency-key-in-flight")
        await tx.raw.execute("DELETE FROM orders")
    assert (await service.place(key="k")).status_code == 201


@pytest.mark.parametrize(
    ("items", "code", "name"),
    [
        ([{"sku": "nothing", "quantity": 1}], 422, "unknown-product"),
        ([{"sku": "old", "quantity": 1}], 422, "inactive-product"),
        ([{"sku": "lamp", "quantity": 1}, {"sku": "pound", "quantity": 1}], 422, "mixed-currencies"),
        ([{"sku": "lamp", "quantity": 1}, {"sku": "lamp", "quantity": 2}], 422, "validation-failed"),
        ([{"sku": "lamp", "quantity": 0}], 422, "validation-failed"),
        ([{"sku": "lamp", "quantity": 10_001}], 422, "validation-failed"),
        ([{"sku": "lamp", "quantity": "2"}], 422, "validation-failed"),
        ([{"sku": "lamp", "quantity": 1, "price": 0}], 422, "validation-failed"),
        ([{"sku": "la\x00mp", "quantity": 1}], 422, "validation-failed"),
        ([{"sku": f"s{n}", "quantity": 1} for n in range(101)], 422, "validation-failed"),
    ],
)
async def test_a_bad_order_is_refused_and_nothing_is_stored(service, slug, items, code, name):
    await service.know("old", active=False)
    await service.know("pound", currency="GBP")
    assert slug(await service.place(items)) == (code, name)
    assert await service.count("orders") == await service.count("outbox") == 0


async def test_one_refused_order_harms_none_of_its_batch(service):
    wishes = [[{"sku": "lamp" if n % 3 else "nothing", "quantity": 1}] for n in range(30)]
    answers = await asyncio.gather(*(service.place(wish) for wish in wishes))
    assert [a.status_code for a in answers] == [201 if n % 3 else 422 for n in range(30)]
    assert await service.count("orders") == 20


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
async def test_a_key_that_is_none_is_400(service, slug, key):
    headers = {**service.as_user(), "idempotency-key": key}
    answer = await service.http.post("/orders", json={"items": [{"sku": "lamp", "quantity": 1}]}, headers=headers)
    assert slug(answer) == (400, "idempotency-key-malformed")


async def test_without_a_key_or_a_token_nothing_happens(service, slug):
    body = {"items": [{"sku": "lamp", "quantity": 1}]}
    keyless = await service.http.post("/orders", json=body, headers=service.as_user())
    assert slug(keyless) == (400, "idempotency-key-missing")
    keyed = {"idempotency-key": "k"}
    assert slug(await service.http.post("/orders", json=body, headers=keyed)) == (401, "unauthorized")
    assert await service.count("orders") == 0


async def test_what_is_no_json_is_400(service, slug):
    headers = {**service.as_user(), "idempotency-key": "k", "content-type": "application/json"}
    assert slug(await service.http.post("/orders", content=b"{", headers=headers)) == (400, "malformed-body")


async def test_an_inactive_user_may_not_order(make_service, slug):
    async with make_service() as service:
        await service.know(user_active=False)
        assert slug(await service.place()) == (403, "inactive-user")


async def test_too_many_pending_orders_are_429(make_service, slug):
    async with make_service(Limits(pending=3)) as service:
        await service.know()
        answers = await asyncio.gather(*(service.place() for _ in range(5)))
        assert sorted(a.status_code for a in answers) == [201, 201, 201, 429, 429]
        assert slug(await service.place())[1] == "too-many-pending-orders"


async def test_a_full_backlog_is_503(make_service, slug):
    async with make_service(backlog_limit=0) as service:
        await service.know()
        answer = await service.place()
        assert slug(answer) == (503, "temporarily-unavailable")
        assert int(answer.headers["retry-after"]) > 0


async def test_what_is_not_projected_is_asked_of_its_owner_and_not_kept(make_service):
    async with make_service() as service:
        service.neighbours.products["lamp"] = {"price_minor": 99, "currency": "EUR", "active": True}
        service.neighbours.users[str(service.user)] = {"status": "active"}
        answer = await service.place()
        assert (answer.status_code, answer.json()["total_minor"]) == (201, 198)
        assert set(service.neighbours.asked) == {"/products/lamp", f"/users/{service.user}"}
        assert await service.count("products") == await service.count("users") == 0


async def test_an_owner_that_is_down_is_503_and_nothing_is_stored(make_service, slug):
    async with make_service() as service:
        service.neighbours.down = True
        answer = await service.place()
        assert slug(answer) == (503, "temporarily-unavailable")
        assert "retry-after" in answer.headers
        assert await service.count("orders") == 0


async def test_a_user_whom_nobody_knows_is_403(make_service, slug):
    async with make_service() as service:
        service.neighbours.products["lamp"] = {"price_minor": 99, "currency": "EUR", "active": True}
        assert slug(await service.place()) == (403, "inactive-user")
