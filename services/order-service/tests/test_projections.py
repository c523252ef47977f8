"""Projections: the newest version wins, however often and in whatever order it comes."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from chassis.ids import new_id
from contracts import Envelope, ProductListed, ProductUpdated, UserDeactivated, UserRegistered
from messaging import Received
from order_service.projections import project_products, project_users

USER = UUID(int=5)


def received(event, subject, version):
    moment = datetime.now(UTC)
    return Received(Envelope(event, new_id(), "/x", subject, moment, version, subject), None)


def product(kind, price, version, active=True):
    event = kind(sku="cup", name="Cup", price_minor=price, currency="EUR", active=active)
    return received(event, "cup", version)


@pytest.mark.parametrize("batches", [[[1, 2]], [[2, 1]], [[1], [2]], [[2], [1]], [[1, 2], [1]], [[2, 2, 1]]])
async def test_the_newest_product_wins(service, batches):
    events = {1: product(ProductListed, 100, 1), 2: product(ProductUpdated, 200, 2, active=False)}
    for batch in batches:
        async with service.db.transaction() as tx:
            await project_products(tx, [events[n] for n in batch])
    rows = await service.fetch("SELECT price_minor, active, version FROM products WHERE sku = 'cup'")
    assert [tuple(row) for row in rows] == [(200, False, 2)]


@pytest.mark.parametrize("order", [[1, 2], [2, 1]])
async def test_a_deactivated_user_stays_so(service, order):
    events = {
        1: received(UserRegistered(user_id=USER, name="U"), str(USER), 1),
        2: received(UserDeactivated(user_id=USER), str(USER), 2),
    }
    for number in order:
        async with service.db.transaction() as tx:
            await project_users(tx, [events[number]])
    assert (await service.fetch("SELECT active FROM users WHERE id = $1", USER))[0]["active"] is False
