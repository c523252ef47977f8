"""order-service on real PostgreSQL with the schema from its migrations, and its application without a network."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from chassis.database import Database
from chassis.ids import new_id
from chassis.lookup import Lookup
from chassis.migrations import upgrade
from chassis.problems import Problem
from chassis.tokens import Principal
from contracts import Envelope, Record, decode
from messaging import Received
from messaging.outbox import load_headers
from order_service.app import composed, opened_door
from order_service.owners import Owners
from order_service.use_cases import Limits

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class Tokens:
    """A verifier that believes `<user id>[ scope..]`."""

    async def verify(self, token):
        user, *scopes = token.split("_")
        try:
            return Principal(UUID(user), frozenset(scopes), token)
        except ValueError:
            raise Problem(401, "unauthorized", "no") from None


@dataclass
class Neighbours:
    """What inventory-service and user-service would answer; `down` answers nothing."""

    products: dict = field(default_factory=dict)
    users: dict = field(default_factory=dict)
    down: bool = False
    asked: list = field(default_factory=list)

    def answer(self, request):
        self.asked.append(request.url.path)
        if self.down:
            raise httpx2.ConnectError("down")
        kind, _, name = request.url.path.strip("/").partition("/")
        found = getattr(self, kind).get(name)
        return httpx2.Response(200 if found else 404, json=found or {})

    def lookup(self):
        return Lookup("http://neighbour", "neighbour", transport=httpx2.MockTransport(self.answer))


@dataclass
class Service:
    """The running application and what a test wants to know of it."""

    db: Database
    http: httpx2.AsyncClient
    neighbours: Neighbours
    door: object = None
    user: UUID = field(default_factory=new_id)

    def as_user(self, user=None, scopes=""):
        return {"authorization": f"Bearer {user or self.user}{scopes}"}

    async def place(self, items=None, key=None, user=None, **headers):
        body = {"items": items or [{"sku": "lamp", "quantity": 2}]}
        sent = {**self.as_user(user), "idempotency-key": key or str(new_id()), **headers}
        return await self.http.post("/orders", json=body, headers=sent)

    async def fetch(self, query, *arguments):
        async with self.db.transaction() as tx:
            return await tx.raw.fetch(query, *arguments)

    async def count(self, table):
        return (await self.fetch(f"SELECT count(*) FROM {table}"))[0][0]

    async def events(self):
        """Everything in the outbox, decoded, in order."""
        rows = await self.fetch("SELECT topic, key, value, headers::text AS headers FROM outbox ORDER BY id")
        return [decode(Record(r["topic"], r["key"].encode(), r["value"], load_headers(r["headers"]))) for r in rows]

    async def receive(self, *pairs):
        """Apply stock events: (event, version) pairs, in one batch; returns the stale ones' versions."""
        received = [self.received(event, version) for event, version in pairs]
        async with self.db.transaction() as tx:
            stale = await self.door.orders.apply_stock_answers(tx, received)
        return [one.envelope.version for one in received if one.envelope.id in set(stale)]

    def received(self, event, version):
        key = str(event.order_id)
        moment = datetime.now(UTC)
        return Received(Envelope(event, new_id(), "/inventory-service", key, moment, version, key), None)

    async def know(self, sku="lamp", price=250, currency="EUR", active=True, user_active=True):
        async with self.db.transaction() as tx:
            query = "INSERT INTO products VALUES ($1, $1, $2, $3, $4, 1) ON CONFLICT DO NOTHING"
            await tx.raw.execute(query, sku, price, currency, active)
            await tx.raw.execute("INSERT INTO users VALUES ($1, $2, 1) ON CONFLICT DO NOTHING", self.user, user_active)


@pytest.fixture
async def make_service(database):
    """Opens the service with some limits for the length of a block."""

    @asynccontextmanager
    async def run(limits=None, backlog_limit=1000):
        url = database()
        await upgrade(url, MIGRATIONS)
        neighbours = Neighbours()
        async with (
            Database(url) as db,
            neighbours.lookup() as lookup,
            opened_door(db, Owners(lookup, lookup), limits or Limits(), backlog_limit) as door,
        ):
            app = composed(door, Tokens())
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
                yield Service(db, http, neighbours, door)

    return run


@pytest.fixture
async def service(make_service):
    async with make_service() as opened:
        await opened.know()
        yield opened


@pytest.fixture
def slug():
    """Status and slug of a refusal, after checking its form."""

    def read(answer):
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        body = json.loads(answer.text)
        assert body["status"] == answer.status_code
        assert body["detail"]
        return answer.status_code, body["type"]

    return read
