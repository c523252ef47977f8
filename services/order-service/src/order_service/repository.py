"""Questions asked of the database, named by the question. Batches travel as arrays: one statement per table."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from contracts import Envelope, OrderItem
from messaging import trace_id_of
from order_service.domain import Order, Price, Status

Raw: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A priced order that waits to be stored."""

    id: UUID
    user_id: UUID
    key: str
    fingerprint: bytes
    items: tuple[OrderItem, ...]
    total_minor: int
    currency: str
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """An order as it is shown. Times are the database's clock."""

    id: UUID
    user_id: UUID
    key: str
    fingerprint: bytes
    status: str
    items: tuple[OrderItem, ...]
    total_minor: int
    currency: str
    created_at: datetime
    terminal_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of an order's history."""

    at: datetime
    event: str
    version: int
    trace_id: str | None


INSERT_ORDERS = """
INSERT INTO orders (id, user_id, idempotency_key, fingerprint, status, version, stock_version, total_minor, currency,
                    traceparent, created_at, deadline_at)
SELECT id, user_id, key, fingerprint, 'pending', 1, 0, total, currency, traceparent,
       statement_timestamp(), statement_timestamp() + $8::float8 * interval '1 second'
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::text[], $7::text[])
     AS new (id, user_id, key, fingerprint, total, currency, traceparent)
ORDER BY user_id, key
ON CONFLICT (user_id, idempotency_key) DO NOTHING
RETURNING id, created_at, deadline_at
"""
INSERT_ITEMS = """
INSERT INTO order_items (order_id, position, sku, quantity, unit_price_minor)
SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::bigint[])
"""
INSERT_HISTORY = """
INSERT INTO order_history (order_id, event_id, at, event, version, trace_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::integer[], $6::text[])
ON CONFLICT DO NOTHING
"""
UPDATE_ORDERS = """
UPDATE orders SET status = new.status, version = new.version, stock_version = new.stock_version,
    terminal_at = CASE WHEN new.status = 'pending' THEN NULL ELSE coalesce(terminal_at, clock_timestamp()) END
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[]) AS new (id, status, version, stock_version)
WHERE orders.id = new.id
"""
SHOWN = "id, user_id, idempotency_key, fingerprint, status, total_minor, currency, created_at, terminal_at"
LOCKED = "id, status, version, stock_version, traceparent"


async def insert_orders(raw: Raw, orders: Sequence[NewOrder], deadline: float) -> dict[UUID, asyncpg.Record]:
    """Those whose key was free, with `created_at` and `deadline_at`; sorted by key, so that batches cannot deadlock."""
    rows = await raw.fetch(
        INSERT_ORDERS,
        [o.id for o in orders],
        [o.user_id for o in orders],
        [o.key for o in orders],
        [o.fingerprint for o in orders],
        [o.total_minor for o in orders],
        [o.currency for o in orders],
        [o.traceparent for o in orders],
        deadline,
    )
    return {row["id"]: row for row in rows}


async def insert_items(raw: Raw, orders: Sequence[NewOrder]) -> None:
    """Every line of every order."""
    lines = [(order.id, place, item) for order in orders for place, item in enumerate(order.items)]
    await raw.execute(
        INSERT_ITEMS,
        [order for order, _, _ in lines],
        [place for _, place, _ in lines],
        [item.sku for _, _, item in lines],
        [item.quantity for _, _, item in lines],
        [item.unit_price_minor for _, _, item in lines],
    )


async def insert_history(raw: Raw, envelopes: Iterable[Envelope]) -> None:
    """What happened, ours and inventory's; a second delivery adds nothing."""
    events = list(envelopes)
    if events:
        await raw.execute(
            INSERT_HISTORY,
            [UUID(e.subject) for e in events],
            [e.id for e in events],
            [e.time for e in events],
            [e.type for e in events],
            [e.version for e in events],
            [trace_id_of(e.traceparent) for e in events],
        )


async def update_orders(raw: Raw, orders: Sequence[Order]) -> None:
    """Status and versions; the database's clock says when an order became terminal."""
    if orders:
        columns = ([o.id for o in orders], [o.status for o in orders])
        versions = ([o.version for o in orders], [o.stock_version for o in orders])
        await raw.execute(UPDATE_ORDERS, *columns, *versions)


async def lock_orders(raw: Raw, ids: Collection[UUID]) -> dict[UUID, Order]:
    """Locked in the order of their ids, as every path does."""
    rows = await raw.fetch(f"SELECT {LOCKED} FROM orders WHERE id = ANY($1) ORDER BY id FOR UPDATE", list(ids))
    return {row["id"]: _order(row) for row in rows}


async def lock_order_of(raw: Raw, order: UUID, user: UUID) -> Order | None:
    """One order, if it is this user's."""
    query = f"SELECT {LOCKED} FROM orders WHERE id = $1 AND user_id = $2 FOR UPDATE"
    row = await raw.fetchrow(query, order, user)
    return _order(row) if row else None


async def lock_overdue(raw: Raw, limit: int) -> list[tuple[Order, str | None]]:
    """Pending orders past their deadline by the database's clock, with their traceparent; locked ones are passed by."""
    query = f"""SELECT {LOCKED} FROM orders WHERE status = 'pending' AND deadline_at < clock_timestamp()
                ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED"""
    return [(_order(row), row["traceparent"]) for row in await raw.fetch(query, limit)]


async def orders_by_key(raw: Raw, keys: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], Stored]:
    """The orders that these (user, key) pairs made."""
    query = f"""SELECT {SHOWN} FROM orders
                JOIN unnest($1::uuid[], $2::text[]) AS asked (u, k) ON user_id = u AND idempotency_key = k"""
    rows = await raw.fetch(query, [user for user, _ in keys], [key for _, key in keys])
    return {(found.user_id, found.key): found for found in await _with_items(raw, rows)}


async def find_order(raw: Raw, order: UUID) -> Stored | None:
    """One order by its id."""
    rows = await raw.fetch(f"SELECT {SHOWN} FROM orders WHERE id = $1", order)
    return next(iter(await _with_items(raw, rows)), None)


async def orders_before(raw: Raw, user: UUID, before: tuple[datetime, UUID] | None, limit: int) -> list[Stored]:
    """A user's orders, newest first, from the cursor on."""
    at, last = before or (None, None)
    query = f"""SELECT {SHOWN} FROM orders
                WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
                ORDER BY created_at DESC, id DESC LIMIT $4"""
    return await _with_items(raw, await raw.fetch(query, user, at, last, limit))


async def history_of(raw: Raw, order: UUID) -> list[Step]:
    """Oldest first."""
    query = "SELECT at, event, version, trace_id FROM order_history WHERE order_id = $1 ORDER BY at, event_id"
    return [Step(**dict(row)) for row in await raw.fetch(query, order)]


async def prices_of(raw: Raw, skus: Collection[str]) -> dict[str, Price]:
    """What the projection knows."""
    rows = await raw.fetch("SELECT sku, price_minor, currency, active FROM products WHERE sku = ANY($1)", list(skus))
    return {row["sku"]: Price(row["price_minor"], row["currency"], row["active"]) for row in rows}


async def active_users(raw: Raw, users: Collection[UUID]) -> dict[UUID, bool]:
    """User -> may order, for those that the projection knows."""
    rows = await raw.fetch("SELECT id, active FROM users WHERE id = ANY($1)", list(users))
    return {row["id"]: row["active"] for row in rows}


async def pending_counts(raw: Raw, users: Collection[UUID]) -> dict[UUID, int]:
    """User -> orders that are not decided yet."""
    query = "SELECT user_id, count(*) FROM orders WHERE status = 'pending' AND user_id = ANY($1) GROUP BY user_id"
    return {row["user_id"]: row["count"] for row in await raw.fetch(query, list(users))}


async def _with_items(raw: Raw, rows: Sequence[asyncpg.Record]) -> list[Stored]:
    query = """SELECT order_id, sku, quantity, unit_price_minor FROM order_items
               WHERE order_id = ANY($1) ORDER BY order_id, position"""
    items: dict[UUID, list[OrderItem]] = {row["id"]: [] for row in rows}
    for line in await raw.fetch(query, list(items)) if rows else ():
        items[line["order_id"]].append(OrderItem(**dict(line)))
    return [_stored(row, items) for row in rows]


def _stored(row: asyncpg.Record, items: Mapping[UUID, Sequence[OrderItem]]) -> Stored:
    fields = dict(row)
    return Stored(key=fields.pop("idempotency_key"), items=tuple(items[row["id"]]), **fields)


def _order(row: asyncpg.Record) -> Order:
    return Order(row["id"], Status(row["status"]), row["version"], row["stock_version"])
