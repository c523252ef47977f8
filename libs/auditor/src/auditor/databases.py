"""Reads the services' databases into facts. Columns come in the order of the fields; nothing is changed anywhere."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import asyncpg

from auditor.errors import BadInput
from auditor.facts import Effect, Letter, Line, Order, ParkedKey, Reservation, Restock, Stock, Waiting, Written

Row = TypeVar("Row")
Databases = Mapping[str, str]
"""Service -> DSN, for each of SERVICES."""

SERVICES = ("order-service", "inventory-service", "user-service")
CONNECT_SECONDS = 5
QUERY_SECONDS = 60

ORDERS = "SELECT id, user_id, idempotency_key, status, created_at, terminal_at FROM orders"
ORDER_LINES = "SELECT order_id, sku, quantity FROM order_items"
STOCK = "SELECT sku, on_hand, reserved FROM stock"
RESTOCKS = "SELECT id, sku, quantity FROM restocks"
RESERVATIONS = "SELECT order_id, state FROM reservations"
RESERVED_LINES = "SELECT order_id, sku, quantity FROM reservation_items"
LEDGER = "SELECT sku, order_id, kind, on_hand_delta, reserved_delta, cause_event_id FROM stock_ledger"
HISTORY = """
SELECT $1::text, event_id, topic, key, type, version, cause_event_id, written_at FROM event_history
"""
OUTBOX = "SELECT $1::text, topic, key, event_id, parked FROM outbox"
PARKED_KEYS = "SELECT consumer_group, topic, key FROM parked_keys"
LETTERS = """
SELECT consumer_group, topic, key, event_id, state FROM dead_letters
"""
WAITING = """
SELECT count(*) FROM outbox o WHERE NOT EXISTS (
    SELECT FROM outbox stuck WHERE stuck.parked AND stuck.topic = o.topic AND stuck.key = o.key)
"""
PENDING = "SELECT count(*) FROM orders WHERE status = 'pending'"


class Books(NamedTuple):
    """Everything that three databases say; names as in Facts."""

    read_at: datetime
    orders: tuple[Order, ...]
    order_lines: tuple[Line, ...]
    stock: tuple[Stock, ...]
    restocks: tuple[Restock, ...]
    reservations: tuple[Reservation, ...]
    reserved_lines: tuple[Line, ...]
    ledger: tuple[Effect, ...]
    history: tuple[Written, ...]
    outbox: tuple[Waiting, ...]
    parked_keys: tuple[ParkedKey, ...]
    letters: tuple[Letter, ...]


async def read(databases: Databases) -> Books:
    """Each database in one snapshot of its own; taken side by side."""
    async with _snapshot(databases["order-service"]) as orders, _snapshot(databases["inventory-service"]) as inventory:
        spoken = [await _spoken(databases, service) for service in databases]
        history, outbox, parked, letters = (
            tuple(row for part in kind for row in part) for kind in zip(*spoken, strict=True)
        )
        return Books(
            await orders.fetchval("SELECT clock_timestamp()"),
            await _rows(orders, Order, ORDERS),
            await _rows(orders, Line, ORDER_LINES),
            await _rows(inventory, Stock, STOCK),
            await _rows(inventory, Restock, RESTOCKS),
            await _rows(inventory, Reservation, RESERVATIONS),
            await _rows(inventory, Line, RESERVED_LINES),
            await _rows(inventory, Effect, LEDGER),
            history,
            outbox,
            parked,
            letters,
        )


async def _spoken(databases: Databases, service: str) -> tuple[Any, ...]:
    """What messaging's tables of one service say."""
    async with _snapshot(databases[service]) as connection:
        return (
            await _rows(connection, Written, HISTORY, service),
            await _rows(connection, Waiting, OUTBOX, service),
            await _rows(connection, ParkedKey, PARKED_KEYS),
            tuple(_letter(*row) for row in await connection.fetch(LETTERS)),
        )


def _letter(group: str, topic: str, key: bytes, event_id: UUID, state: str) -> Letter:
    """Its key as text, spelled as parked keys are."""
    text = key.decode(errors="backslashreplace").replace("\x00", "\\x00")
    return Letter(group, topic, text, event_id, state)


async def waiting(databases: Databases) -> int:
    """Outbox rows of all services that are not behind a parked one."""
    return sum(await asyncio.gather(*(_number(dsn, WAITING) for dsn in databases.values())))


async def pending(databases: Databases) -> int:
    """Orders that nobody has decided."""
    return await _number(databases["order-service"], PENDING)


async def _number(dsn: str, query: str) -> int:
    async with _snapshot(dsn) as connection:
        return int(await connection.fetchval(query))


async def _rows(connection: "asyncpg.Connection[Any]", kind: type[Row], query: str, *arguments: Any) -> tuple[Row, ...]:
    return tuple(kind(*row) for row in await connection.fetch(query, *arguments))


@asynccontextmanager
async def _snapshot(dsn: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Read-only, one instant; raises BadInput whether the server, the database or a table is missing."""
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, command_timeout=QUERY_SECONDS)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        place = dsn.rsplit("@", 1)[-1]
        raise BadInput(f"the database {place} cannot be read: {type(error).__name__}: {error}") from error
