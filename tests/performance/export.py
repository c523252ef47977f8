"""The SQL that the code sends for one order, recorded while it sends it, as a script for pgbench.

Recorded and not retyped, so that it cannot drift: the limit is measured on exactly what is then promised against it.
"""

import re
from typing import Any
from uuid import UUID, uuid4

from chassis.database import Database
from messaging import Outbox
from order_service.handlers import HANDLERS
from order_service.use_cases import Draft, Limits, Orders


class Recorder:
    """Stands in for asyncpg's connection, passes everything on and keeps it."""

    def __init__(self, raw: Any) -> None:
        self.raw, self.sent = raw, []

    async def fetch(self, query: str, *arguments: Any) -> Any:
        self.sent.append((query, arguments))
        return await self.raw.fetch(query, *arguments)

    async def execute(self, query: str, *arguments: Any) -> Any:
        self.sent.append((query, arguments))
        return await self.raw.execute(query, *arguments)


class Tapped:
    """A transaction whose connection is recorded."""

    def __init__(self, raw: Any) -> None:
        self.raw = Recorder(raw)


async def script(database: Database, user: UUID, sku: str) -> str:
    """Place one order, and return its statements with fresh ids wherever the order's own stood."""
    orders = Orders(Outbox("/order-service"), Limits(pending=10**9), HANDLERS)
    draft = Draft(uuid4(), user, "the-key", b"f" * 32, {sku: 1}, f"00-{'a' * 32}-{'b' * 16}-00")
    async with database.transaction() as tx:
        tapped = Tapped(tx.raw)
        await orders.place_orders(tapped, [draft])
    statements = [_rendered(query, arguments, {user, sku}) for query, arguments in tapped.raw.sent]
    return "".join(f"{statement};\n" for statement in ["BEGIN", *statements, "COMMIT"])


def _rendered(query: str, arguments: tuple[Any, ...], kept: set[Any]) -> str:
    """The statement on one line with literals for its parameters."""
    text = " ".join(query.split())
    return re.sub(r"\$(\d+)", lambda found: _literal(arguments[int(found[1]) - 1], kept), text)


def _literal(value: Any, kept: set[Any]) -> str:
    if isinstance(value, list):  # the statement itself says what type it is
        return f"ARRAY[{', '.join(_literal(one, kept) for one in value)}]"
    if isinstance(value, UUID):
        return f"'{value}'::uuid" if value in kept else "gen_random_uuid()"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    if isinstance(value, int | float):
        return str(value)
    if value is None:
        return "NULL"
    return "gen_random_uuid()::text" if value == "the-key" else "'{}'".format(str(value).replace("'", "''"))
