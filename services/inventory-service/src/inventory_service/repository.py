"""Questions asked of the database, named by the question. Locks come in one order: reservations, then stock by SKU."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg

from inventory_service.domain import Effect, Level, Reservation, State

Raw: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(frozen=True, slots=True)
class Product:
    """A catalogue row with what is available; `version` counts its events."""

    sku: str
    name: str
    price_minor: int
    currency: str
    active: bool
    available: int
    version: int
    listed_at: datetime


class Restock(NamedTuple):
    """A delivery as it is stored."""

    id: UUID
    sku: str
    quantity: int
    user_id: UUID
    key: str
    fingerprint: bytes


class Movement(NamedTuple):
    """A line of the ledger with its cause; neither order nor cause when a person restocked."""

    effect: Effect
    order_id: UUID | None
    cause: UUID | None


SHOWN = """
SELECT p.sku, name, price_minor, currency, active, on_hand - reserved AS available, version, listed_at
FROM products p JOIN stock s ON s.sku = p.sku
"""
PUT_PRODUCT = """
INSERT INTO products AS p (sku, name, price_minor, currency, active, version) VALUES ($1, $2, $3, $4, $5, 1)
ON CONFLICT (sku) DO UPDATE SET name = excluded.name, price_minor = excluded.price_minor,
    currency = excluded.currency, active = excluded.active, version = p.version + 1
WHERE (p.name, p.price_minor, p.currency, p.active)
      IS DISTINCT FROM (excluded.name, excluded.price_minor, excluded.currency, excluded.active)
RETURNING version
"""
INSERT_RESERVATIONS = """
INSERT INTO reservations (order_id, state, version, order_version)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[]) ORDER BY 1
"""
UPDATE_RESERVATIONS = """
UPDATE reservations r SET state = new.state, version = new.version, order_version = new.order_version,
    updated_at = clock_timestamp()
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[]) AS new (order_id, state, version, order_version)
WHERE r.order_id = new.order_id
"""
INSERT_ITEMS = """
INSERT INTO reservation_items (order_id, sku, quantity) SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[])
"""
UPDATE_STOCK = """
UPDATE stock SET on_hand = new.on_hand, reserved = new.reserved
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS new (sku, on_hand, reserved) WHERE stock.sku = new.sku
"""
INSERT_LEDGER = """
INSERT INTO stock_ledger (sku, order_id, kind, on_hand_delta, reserved_delta, cause_event_id)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::uuid[])
"""
INSERT_RESTOCK = """
INSERT INTO restocks (id, sku, quantity, user_id, idempotency_key, fingerprint) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id, idempotency_key) DO NOTHING RETURNING id
"""
FIND_RESTOCK = """
SELECT id, sku, quantity, user_id, idempotency_key, fingerprint FROM restocks
WHERE user_id = $1 AND idempotency_key = $2
"""


async def lock_reservations(raw: Raw, orders: Collection[UUID]) -> dict[UUID, Reservation]:
    """Those that exist, locked in the order of their ids, with their items."""
    query = "SELECT * FROM reservations WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE"
    rows = await raw.fetch(query, list(orders))
    items: dict[UUID, dict[str, int]] = {row["order_id"]: {} for row in rows}
    lines = "SELECT order_id, sku, quantity FROM reservation_items WHERE order_id = ANY($1)"
    for line in await raw.fetch(lines, list(items)) if rows else ():
        items[line["order_id"]][line["sku"]] = line["quantity"]
    return {row["order_id"]: _reservation(row, items[row["order_id"]]) for row in rows}


async def lock_stock(raw: Raw, skus: Collection[str]) -> dict[str, Level]:
    """Locked in the order of the SKUs; those that nobody listed are missing."""
    query = "SELECT sku, on_hand, reserved FROM stock WHERE sku = ANY($1) ORDER BY sku FOR UPDATE"
    return {row["sku"]: Level(row["on_hand"], row["reserved"]) for row in await raw.fetch(query, list(skus))}


async def insert_reservations(raw: Raw, reservations: Sequence[Reservation]) -> None:
    """With their items.

    A conflict raises: another worker, not yet aware that the partition is no longer its own, has just decided. The
    batch then runs singly, and its next look finds that worker's row.
    """
    if reservations:
        await raw.execute(INSERT_RESERVATIONS, *_columns(reservations))
        lines = [(r.order_id, sku, quantity) for r in reservations for sku, quantity in r.items.items()]
        if lines:
            await raw.execute(INSERT_ITEMS, *map(list, zip(*lines, strict=True)))


async def update_reservations(raw: Raw, reservations: Sequence[Reservation]) -> None:
    """State and versions; items never change."""
    if reservations:
        await raw.execute(UPDATE_RESERVATIONS, *_columns(reservations))


async def update_stock(raw: Raw, levels: Mapping[str, Level]) -> None:
    """One row per SKU, summed over the batch: an UPDATE .. FROM with a SKU on two lines would apply one of them."""
    if levels:
        columns = ([level.on_hand for level in levels.values()], [level.reserved for level in levels.values()])
        await raw.execute(UPDATE_STOCK, list(levels), *columns)


async def insert_ledger(raw: Raw, movements: Sequence[Movement]) -> None:
    """Append every movement."""
    if movements:
        await raw.execute(
            INSERT_LEDGER,
            [m.effect.sku for m in movements],
            [m.order_id for m in movements],
            [m.effect.kind for m in movements],
            [m.effect.on_hand for m in movements],
            [m.effect.reserved for m in movements],
            [m.cause for m in movements],
        )


async def put_product(raw: Raw, sku: str, name: str, price_minor: int, currency: str, active: bool) -> int | None:
    """Insert or change; returns the new version, None when nothing differs. Its stock row is made with it."""
    version: int | None = await raw.fetchval(PUT_PRODUCT, sku, name, price_minor, currency, active)
    if version == 1:
        await raw.execute("INSERT INTO stock (sku, on_hand, reserved) VALUES ($1, 0, 0)", sku)
    return version


async def insert_restock(raw: Raw, restock: Restock) -> bool:
    """False when the key was used before."""
    return await raw.fetchval(INSERT_RESTOCK, *restock) is not None


async def find_restock(raw: Raw, user: UUID, key: str) -> Restock:
    """The restock that this key made."""
    row = await raw.fetchrow(FIND_RESTOCK, user, key)
    if row is None:
        raise LookupError(f"no restock of {user} with that key")
    return Restock(*row)


async def find_product(raw: Raw, sku: str) -> Product | None:
    """One product."""
    row = await raw.fetchrow(f"{SHOWN} WHERE p.sku = $1", sku)
    return Product(**dict(row)) if row else None


async def products_before(raw: Raw, before: tuple[datetime, str] | None, limit: int) -> list[Product]:
    """The catalogue, newest first, from the cursor on."""
    at, last = before or (None, None)
    query = f"""{SHOWN} WHERE $1::timestamptz IS NULL OR (listed_at, p.sku) < ($1, $2::text)
                ORDER BY listed_at DESC, p.sku DESC LIMIT $3"""
    return [Product(**dict(row)) for row in await raw.fetch(query, at, last, limit)]


def _columns(reservations: Sequence[Reservation]) -> tuple[list[Any], ...]:
    return (
        [r.order_id for r in reservations],
        [r.state for r in reservations],
        [r.version for r in reservations],
        [r.order_version for r in reservations],
    )


def _reservation(row: asyncpg.Record, items: Mapping[str, int]) -> Reservation:
    return Reservation(row["order_id"], State(row["state"]), row["version"], row["order_version"], items)
