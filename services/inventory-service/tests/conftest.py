"""inventory-service on real PostgreSQL with the schema from its migrations, and its application without a network."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import httpx2
import pytest

from chassis.database import Database
from chassis.ids import new_id
from chassis.migrations import upgrade
from chassis.problems import Problem
from chassis.tokens import Principal
from contracts import Envelope, Record, decode
from inventory_service.app import composed
from messaging import Received
from messaging.outbox import load_headers

MIGRATIONS = Path(__file__).parents[1] / "migrations"
LAMP = {"name": "Lamp", "price_minor": 250, "currency": "EUR", "active": True}


class Tokens:
    """A verifier that believes `<user id>[_scope..]`."""

    async def verify(self, token):
        user, *scopes = token.split("_")
        try:
            return Principal(UUID(user), frozenset(scopes), token)
        except ValueError:
            raise Problem(401, "unauthorized", "no") from None


@dataclass
class Service:
    """The running application and what a test wants to know of it."""

    db: Database
    http: httpx2.AsyncClient
    inventory: object
    user: UUID = field(default_factory=new_id)

    @property
    def keeper(self):
        return {"authorization": f"Bearer {self.user}_catalog:write"}

    async def put(self, sku="lamp", **changes):
        return await self.http.put(f"/products/{sku}", json={**LAMP, **changes}, headers=self.keeper)

    async def restock(self, quantity, sku="lamp", key=None):
        headers = {**self.keeper, "idempotency-key": key or str(uuid4())}
        return await self.http.post(f"/products/{sku}/restocks", json={"quantity": quantity}, headers=headers)

    async def shelf(self, quantity, *skus):
        """List and fill."""
        for sku in skus or ("lamp",):
            await self.put(sku)
            await self.restock(quantity, sku)

    async def fetch(self, query, *arguments):
        async with self.db.transaction() as tx:
            return await tx.raw.fetch(query, *arguments)

    async def level(self, sku="lamp"):
        return tuple((await self.fetch("SELECT on_hand, reserved FROM stock WHERE sku = $1", sku))[0])

    async def state(self, order):
        rows = await self.fetch("SELECT state FROM reservations WHERE order_id = $1", order)
        return rows[0]["state"] if rows else None

    async def events(self, topic="inventory-events"):
        rows = await self.fetch(
            "SELECT topic, key, value, headers::text AS headers FROM outbox WHERE topic = $1 ORDER BY id", topic
        )
        return [decode(Record(r["topic"], r["key"].encode(), r["value"], load_headers(r["headers"]))) for r in rows]

    async def receive(self, *pairs):
        """Apply order events, (event, version) pairs, in one batch; returns the stale ones' versions."""
        received = [self.received(event, version) for event, version in pairs]
        async with self.db.transaction() as tx:
            stale = set(await self.inventory.apply_order_events(tx, received))
        return [one.envelope.version for one in received if one.envelope.id in stale]

    def received(self, event, version):
        key = str(event.order_id)
        return Received(Envelope(event, new_id(), "/order-service", key, datetime.now(UTC), version, key), None)


@pytest.fixture
async def service(database):
    url = database()
    await upgrade(url, MIGRATIONS)
    async with Database(url) as db:
        app = composed(db, Tokens())
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as http:
            yield Service(db, http, app.state.door.inventory)


@pytest.fixture
def slug():
    """Status and slug of a refusal, after checking its form."""

    def read(answer):
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.status_code, json.loads(answer.text)["type"]

    return read
