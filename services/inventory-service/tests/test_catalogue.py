"""The catalogue over HTTP: listed, changed, restocked once per key; read by all, written by its keeper."""

import asyncio

import pytest


async def test_a_product_is_listed_then_updated_and_each_is_announced(service):
    first = await service.put()
    assert first.json() == {
        "sku": "lamp",
        "name": "Lamp",
        "price_minor": 250,
        "currency": "EUR",
        "active": True,
        "available": 0,
    }
    await service.put(price_minor=300)
    await service.put(price_minor=300)
    events = await service.events("product-events")
    assert [(e.type, e.version, e.event.price_minor) for e in events] == [
        ("product.listed.v1", 1, 250),
        ("product.updated.v1", 2, 300),
    ]


async def test_a_restock_is_booked_once_per_key(service, slug):
    await service.put()
    first, again = await service.restock(5, key="k"), await service.restock(5, key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert slug(await service.restock(6, key="k")) == (422, "idempotency-key-reused")
    assert (await service.http.get("/products/lamp")).json()["available"] == 5


async def test_restocks_at_the_same_moment_all_count(service):
    await service.put()
    await asyncio.gather(*(service.restock(3) for _ in range(20)), *(service.restock(7, key="k") for _ in range(5)))
    assert await service.level() == (67, 0)


async def test_what_is_not_listed_is_404_and_nothing_is_booked(service, slug):
    assert slug(await service.restock(5, "nothing")) == (404, "product-not-found")
    assert slug(await service.http.get("/products/nothing")) == (404, "product-not-found")
    assert (await service.fetch("SELECT count(*) FROM restocks"))[0][0] == 0


@pytest.mark.parametrize(("scopes", "wanted"), [("", (403, "insufficient-scope")), (None, (401, "unauthorized"))])
async def test_only_the_keeper_writes(service, slug, scopes, wanted):
    headers = {} if scopes is None else {"authorization": f"Bearer {service.user}{scopes}"}
    body = {"name": "x", "price_minor": 1, "currency": "EUR"}
    assert slug(await service.http.put("/products/x", json=body, headers=headers)) == wanted
    keyed = {**headers, "idempotency-key": "k"}
    assert slug(await service.http.post("/products/x/restocks", json={"quantity": 1}, headers=keyed)) == wanted
    assert (await service.fetch("SELECT count(*) FROM products"))[0][0] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"price_minor": -1},
        {"price_minor": "1"},
        {"currency": "euro"},
        {"name": ""},
        {"name": "a\0b"},
        {"colour": "red"},
    ],
)
async def test_a_bad_product_is_422(service, slug, change):
    assert slug(await service.put(**change)) == (422, "validation-failed")


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001, "1", 1.5, None])
async def test_a_bad_quantity_is_422(service, slug, quantity):
    await service.put()
    assert slug(await service.restock(quantity)) == (422, "validation-failed")


async def test_pages_are_newest_first_and_complete(service):
    for number in range(7):
        await service.put(f"sku-{number}")
    found, cursor = [], ""
    while cursor is not None:
        page = (await service.http.get(f"/products?limit=3{f'&cursor={cursor}' if cursor else ''}")).json()
        found += [product["sku"] for product in page["items"]]
        cursor = page["next"]
    assert found == [f"sku-{number}" for number in range(7)][::-1]


async def test_reservations_lower_what_is_available_and_leave_the_version_alone(service):
    await service.shelf(9)
    await service.fetch("UPDATE stock SET reserved = 4")
    assert (await service.http.get("/products/lamp")).json()["available"] == 5
    assert (await service.fetch("SELECT version FROM products"))[0]["version"] == 1
