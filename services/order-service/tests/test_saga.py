"""The saga's half that order-service plays: answers, cancellations, deadlines, history, and reading it all."""

import asyncio
import time
from uuid import UUID

import pytest

from chassis.ids import new_id
from contracts import Shortage, StockRejected, StockReleased, StockReserved
from order_service.domain import UnknownOrder
from order_service.use_cases import Limits


@pytest.fixture
async def placed(service):
    """Id of a pending order."""
    return UUID((await service.place()).json()["id"])


async def status(service, order):
    return (await service.http.get(f"/orders/{order}", headers=service.as_user())).json()["status"]


def reserved(order):
    return StockReserved(order_id=order)


async def test_reserved_stock_confirms(service, placed):
    assert await service.receive((reserved(placed), 1)) == []
    assert await status(service, placed) == "confirmed"
    assert [(e.type, e.version) for e in await service.events()] == [("order.placed.v1", 1), ("order.confirmed.v1", 2)]


async def test_missing_stock_rejects_with_its_shortages(service, placed):
    shortage = Shortage(sku="lamp", requested=2, available=1)
    await service.receive((StockRejected(order_id=placed, shortages=(shortage,)), 1))
    assert await status(service, placed) == "rejected"
    assert (await service.events())[-1].event.shortages == (shortage,)


async def test_a_second_answer_is_stale(service, placed):
    await service.receive((reserved(placed), 1))
    assert await service.receive((reserved(placed), 1)) == [1]
    assert len(await service.events()) == 2


async def test_a_batch_may_hold_several_events_of_one_order(service, placed):
    assert await service.receive((reserved(placed), 1), (StockReleased(order_id=placed), 2)) == []
    assert await status(service, placed) == "confirmed"


async def test_an_unknown_order_raises_so_that_its_key_is_parked(service):
    with pytest.raises(UnknownOrder):
        await service.receive((reserved(new_id()), 1))


async def test_an_answer_after_a_cancellation_changes_nothing(service, placed):
    answer = await service.http.post(f"/orders/{placed}/cancel", headers=service.as_user())
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    await service.receive((reserved(placed), 1))
    assert await status(service, placed) == "cancelled"
    assert [e.type for e in await service.events()] == ["order.placed.v1", "order.cancelled.v1"]


async def test_cancelling_is_for_the_owner_once_and_not_after_a_rejection(service, placed, slug):
    path = f"/orders/{placed}/cancel"
    assert slug(await service.http.post(path, headers=service.as_user(new_id())))[0] == 404
    for _ in range(2):
        assert (await service.http.post(path, headers=service.as_user())).status_code == 200
    assert len(await service.events()) == 2
    other = UUID((await service.place()).json()["id"])
    await service.receive((StockRejected(order_id=other, shortages=()), 1))
    refused = await service.http.post(f"/orders/{other}/cancel", headers=service.as_user())
    assert slug(refused) == (409, "order-not-cancellable")


async def test_cancel_and_confirm_at_the_same_moment_agree(service):
    for _ in range(10):
        order = UUID((await service.place()).json()["id"])
        await asyncio.gather(
            service.http.post(f"/orders/{order}/cancel", headers=service.as_user()),
            service.receive((reserved(order), 1)),
        )
        mine = [e for e in await service.events() if e.subject == str(order)]
        assert await status(service, order) == "cancelled"
        assert [e.version for e in mine] == list(range(1, len(mine) + 1))
        assert mine[-1].type == "order.cancelled.v1"


async def test_a_missed_deadline_cancels_and_a_late_answer_is_ignored(make_service):
    async with make_service(Limits(deadline_seconds=0.05)) as service:
        await service.know()
        order = UUID((await service.place()).json()["id"])
        await asyncio.sleep(0.1)
        async with service.db.transaction() as tx:
            assert await service.door.orders.expire_orders(tx) == 1
            assert await service.door.orders.expire_orders(tx) == 0
        await service.receive((reserved(order), 1))
        assert await status(service, order) == "cancelled"
        assert (await service.events())[-1].event.reason == "timeout"


async def test_an_answer_after_the_deadline_confirms_while_nobody_has_cancelled(make_service):
    async with make_service(Limits(deadline_seconds=0.01)) as service:
        await service.know()
        order = UUID((await service.place()).json()["id"])
        await asyncio.sleep(0.05)
        await service.receive((reserved(order), 1))
        assert await status(service, order) == "confirmed"


async def test_history_shows_both_sides_once(service, placed):
    await service.receive((reserved(placed), 1))
    steps = (await service.http.get(f"/orders/{placed}/history", headers=service.as_user())).json()
    assert [step["event"] for step in steps] == ["order.placed.v1", "stock.reserved.v1", "order.confirmed.v1"]


async def test_an_order_is_seen_by_its_owner_and_administrators_only(service, placed, slug):
    for path in (f"/orders/{placed}", f"/orders/{placed}/history"):
        assert slug(await service.http.get(path, headers=service.as_user(new_id()))) == (404, "order-not-found")
        assert (await service.http.get(path, headers=service.as_user(new_id(), "_admin"))).status_code == 200
        assert slug(await service.http.get(path)) == (401, "unauthorized")


async def test_waiting_ends_as_soon_as_the_order_does(service, placed):
    async def answer():
        await asyncio.sleep(0.3)
        await service.receive((reserved(placed), 1))

    began = time.monotonic()
    headers = {**service.as_user(), "prefer": "wait=10"}
    waited, _ = await asyncio.gather(service.http.get(f"/orders/{placed}", headers=headers), answer())
    assert waited.json()["status"] == "confirmed"
    assert waited.headers["preference-applied"] == "wait=10"
    assert time.monotonic() - began < 2


async def test_waiting_ends_with_its_time(service, placed):
    began = time.monotonic()
    waited = await service.http.get(f"/orders/{placed}", headers={**service.as_user(), "prefer": "wait=1"})
    assert waited.json()["status"] == "pending"
    assert 0.9 < time.monotonic() - began < 3


async def test_pages_are_newest_first_and_complete(service, slug):
    placed = [(await service.place()).json()["id"] for _ in range(7)]
    found, cursor = [], ""
    while cursor is not None:
        path = f"/orders?limit=3{f'&cursor={cursor}' if cursor else ''}"
        page = (await service.http.get(path, headers=service.as_user())).json()
        found += [order["id"] for order in page["items"]]
        cursor = page["next"]
    assert found == placed[::-1]
    refused = await service.http.get("/orders?cursor=nonsense", headers=service.as_user())
    assert slug(refused) == (422, "cursor-malformed")
