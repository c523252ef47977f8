"""Reservations: the table of states, event by event, in batches, out of order, and never one piece too many."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from chassis.ids import new_id
from contracts import OrderCancelled, OrderConfirmed, OrderItem, OrderPlaced, OrderRejected
from inventory_service.domain import Unfounded


def placed(order, quantity=2, *skus):
    items = tuple(OrderItem(sku=sku, quantity=quantity, unit_price_minor=1) for sku in skus or ("lamp",))
    moment = datetime.now(UTC)
    event = OrderPlaced(
        order_id=order, user_id=new_id(), items=items, total_minor=1, currency="EUR", deadline_at=moment
    )
    return event, 1


def confirmed(order, version=2):
    return OrderConfirmed(order_id=order), version


def cancelled(order, version=2):
    return OrderCancelled(order_id=order, reason="customer"), version


@pytest.fixture
def order():
    return new_id()


STORIES = [
    (["placed"], "open", (10, 2), ["stock.reserved.v1"]),
    (["placed", "confirmed"], "sold", (8, 0), ["stock.reserved.v1"]),
    (["placed", "cancelled"], "released", (10, 0), ["stock.reserved.v1", "stock.released.v1"]),
    (["placed", "confirmed", "cancelled"], "restocked", (10, 0), ["stock.reserved.v1", "stock.released.v1"]),
    (["cancelled"], "refused", (10, 0), []),
    (["cancelled", "placed"], "refused", (10, 0), []),
    (["placed", "placed"], "open", (10, 2), ["stock.reserved.v1"]),
    (["placed", "confirmed", "confirmed"], "sold", (8, 0), ["stock.reserved.v1"]),
    (["placed", "cancelled", "cancelled"], "released", (10, 0), ["stock.reserved.v1", "stock.released.v1"]),
    (["greedy"], "rejected", (10, 0), ["stock.rejected.v1"]),
    (["greedy", "rejected"], "rejected", (10, 0), ["stock.rejected.v1"]),
    (["greedy", "cancelled"], "rejected", (10, 0), ["stock.rejected.v1"]),
]


def told(story, order):
    """Events with the versions that order-service would give them."""
    versions = {"placed": 1, "greedy": 1, "rejected": 2, "confirmed": 2, "cancelled": 3 if "confirmed" in story else 2}
    makers = {
        "placed": lambda: placed(order),
        "greedy": lambda: placed(order, 11),
        "confirmed": lambda: confirmed(order),
        "cancelled": lambda: cancelled(order, versions["cancelled"]),
        "rejected": lambda: (OrderRejected(order_id=order, reason="out-of-stock"), 2),
    }
    return [makers[name]() for name in story]


@pytest.mark.parametrize("in_one_batch", [True, False])
@pytest.mark.parametrize(("story", "state", "level", "announced"), STORIES)
async def test_the_table_of_states(service, order, story, state, level, announced, in_one_batch):
    await service.shelf(10)
    events = told(story, order)
    for batch in [events] if in_one_batch else [[event] for event in events]:
        await service.receive(*batch)
    assert await service.state(order) == state
    assert await service.level() == level
    emitted = await service.events()
    assert [event.type for event in emitted] == announced
    assert [event.version for event in emitted] == list(range(1, len(emitted) + 1))


@pytest.mark.parametrize("before", [[], ["greedy"]])
async def test_a_confirmation_without_a_reservation_raises_so_that_its_key_is_parked(service, order, before):
    await service.shelf(10)
    await service.receive(*told(before, order))
    with pytest.raises(Unfounded):
        await service.receive(confirmed(order))
    assert await service.level() == (10, 0)


async def test_all_lines_or_none(service, order):
    await service.shelf(5, "lamp", "cup")
    await service.restock(5, "cup")
    await service.receive(placed(order, 6, "cup", "lamp", "unlisted"))
    (event,) = await service.events()
    assert [(s.sku, s.requested, s.available) for s in event.event.shortages] == [("lamp", 6, 5), ("unlisted", 6, 0)]
    assert await service.level("cup") == (10, 0)


async def test_a_batch_sums_what_it_does_to_one_sku(service):
    await service.shelf(10)
    orders = [new_id() for _ in range(6)]
    await service.receive(*(placed(order) for order in orders))
    states = [await service.state(order) for order in orders]
    assert states == ["open"] * 5 + ["rejected"]
    assert await service.level() == (10, 10)


async def test_competing_batches_never_oversell(service):
    await service.shelf(20, "a", "b", "c")
    skus = [("a", "b"), ("b", "c"), ("c", "a")]

    async def batch(number):
        await service.receive(*(placed(new_id(), 1, *skus[(number + n) % 3]) for n in range(10)))

    await asyncio.gather(*(batch(number) for number in range(8)))
    held = {
        row["sku"]: row["sum"]
        for row in await service.fetch("SELECT sku, sum(quantity) FROM reservation_items GROUP BY sku")
    }
    assert [await service.level(sku) for sku in "abc"] == [(20, held[sku]) for sku in "abc"]
    assert max(held.values()) == 20


async def test_the_ledger_readds_to_the_shelf(service):
    await service.shelf(50)
    for story, *_ in STORIES:
        await service.receive(*told(story, new_id()))
    rows = await service.fetch("SELECT sum(on_hand_delta), sum(reserved_delta) FROM stock_ledger")
    assert tuple(map(int, rows[0])) == await service.level()


async def test_the_same_cause_cannot_have_its_effect_twice(service, order):
    await service.shelf(10)
    received = service.received(*placed(order))
    async with service.db.transaction() as tx:
        await service.inventory.apply_order_events(tx, [received])
    await service.fetch("DELETE FROM reservations")
    await service.fetch("DELETE FROM reservation_items")

    async def again():
        async with service.db.transaction() as tx:
            await service.inventory.apply_order_events(tx, [received])

    with pytest.raises(asyncpg.UniqueViolationError):
        await again()
    assert await service.level() == (10, 2)


async def test_the_shelf_refuses_to_be_oversold(service):
    await service.shelf(1)
    with pytest.raises(asyncpg.CheckViolationError):
        await service.fetch("UPDATE stock SET reserved = 2")
