"""The whole system as its users meet it: through the gateway, with real tokens, on one stage for the whole suite."""

import asyncio
import inspect
import itertools
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from devstack import stages, state
from devstack.errors import StageError
from devstack.layout import Wishes
from devstack.ports import free_port

HERE = Path(__file__).parent
DEADLINE_SECONDS = 6
KEEPER_SECONDS = 600
NUMBER = itertools.count(1)
TERMINAL = {"confirmed", "rejected", "cancelled"}


def pytest_addoption(parser):
    parser.addoption("--stage", default="processes", help=f"where to play: {', '.join(stages.NAMES)}")
    parser.addoption("--controllers", default="", help="of the cluster, that shall take part: gateway,keda")


def pytest_sessionstart(session):
    """In one sentence, before anything is started."""
    try:
        stages.require(session.config.getoption("--stage"))
    except StageError as error:
        pytest.exit(f"e2e: {error}", returncode=2)


def pytest_ignore_collect(collection_path, config):
    """What only one stage can show lies in a folder of that stage's name."""
    others = set(stages.NAMES) - {config.getoption("--stage")}
    return True if collection_path.parent == HERE and collection_path.name in others else None


def pytest_collection_modifyitems(config, items):
    """In the order of the files' letters: first what an audit judges, then what leaves traces, last what ends it all.

    A pod leaves out, and says so, what would hurt a process.
    """
    items.sort(key=lambda item: item.path.name if HERE in item.path.parents else "")
    if config.getoption("--stage") == "inside":
        hurting = [item for item in items if {"frozen", "stage"} & set(inspect.signature(item.function).parameters)]
        config.hook.pytest_deselected(items=hurting)
        items[:] = [item for item in items if item not in hurting]


@pytest.fixture(scope="session")
def stage(request, stage_directory):
    settings = {"ORDER_DEADLINE_SECONDS": str(DEADLINE_SECONDS)}
    controllers = tuple(filter(None, request.config.getoption("--controllers").split(",")))
    wishes = Wishes(port=free_port(), trace_ratio=1.0, settings=settings, controllers=controllers)
    with stages.opened(request.config.getoption("--stage"), stage_directory / "system", wishes) as opened:
        yield opened


@dataclass
class User:
    """A logged-in user."""

    id: str
    token: str

    @property
    def headers(self):
        return {"authorization": f"Bearer {self.token}"}


@dataclass
class Api:
    """The gateway, and a log of every attempt to place an order, for the auditor."""

    http: httpx2.AsyncClient
    stage: stages.Stage
    log: Path
    keeper: User | None = None
    keeper_until: float = 0.0
    lines: list = field(default_factory=list)

    async def register(self):
        email = f"user-{next(NUMBER)}@waybill.example"
        body = {"email": email, "name": "Somebody", "password": "a long password"}
        user = (await self.http.post("/users", json=body)).json()
        return await self.log_in(email, "a long password", user["id"])

    async def log_in(self, email, password, user_id=""):
        form = {"grant_type": "password", "username": email, "password": password}
        return User(user_id, (await self.http.post("/oauth/token", data=form)).json()["access_token"])

    async def as_keeper(self):
        """The administrator's headers; a token lives for a quarter of an hour, a suite may take longer."""
        if time.monotonic() > self.keeper_until:
            admin = self.stage.state["admin"]
            self.keeper = await self.log_in(admin["email"], state.admin_password({"admin": admin}))
            self.keeper_until = time.monotonic() + KEEPER_SECONDS
        return self.keeper.headers

    async def product(self, pieces, price=250):
        """A fresh product with stock."""
        keeper = await self.as_keeper()
        sku = f"sku-{uuid4().hex[:12]}"
        body = {"name": "Thing", "price_minor": price, "currency": "EUR", "active": True}
        assert (await self.http.put(f"/products/{sku}", json=body, headers=keeper)).status_code == 200
        if pieces:
            headers = {**keeper, "idempotency-key": str(uuid4())}
            restocked = await self.http.post(f"/products/{sku}/restocks", json={"quantity": pieces}, headers=headers)
            assert restocked.status_code == 201
        return sku

    async def available(self, sku):
        return (await self.http.get(f"/products/{sku}")).json()["available"]

    async def place(self, user, sku, quantity=1, key=None, attempt=1, **more):
        """One POST /orders, logged; None when no answer came."""
        key = key or str(uuid4())
        headers = {**user.headers, "idempotency-key": key}
        body = {"items": [{"sku": sku, "quantity": quantity}], **more}
        try:
            answer = await self.http.post("/orders", json=body, headers=headers)
        except httpx2.TransportError:
            answer = None
        placed = answer is not None and answer.status_code == 201
        self._note(user, key, attempt, answer, answer.json()["id"] if placed else None)
        return answer

    async def place_surely(self, user, sku, quantity=1):
        """With the retry that is always safe: the same key again."""
        key = str(uuid4())
        for attempt in range(1, 60):
            answer = await self.place(user, sku, quantity, key, attempt)
            if answer is not None and answer.status_code == 201:
                return answer.json()["id"]
            assert answer is None or answer.status_code in (429, 502, 503, 504), answer.text
            await asyncio.sleep(0.25)
        raise AssertionError("never accepted")

    def _note(self, user, key, attempt, answer, order_id):
        status = answer.status_code if answer is not None else None
        line = {"at": datetime.now(UTC).isoformat(), "user": user.id, "key": key, "attempt": attempt}
        with self.log.open("a") as file:
            file.write(json.dumps({**line, "status": status, "order_id": order_id}) + "\n")

    async def ended(self, user, order_id, seconds=60):
        """The order once it is terminal; every trouble on the way is waited out."""
        async with asyncio.timeout(seconds):
            while True:
                headers = {**user.headers, "prefer": "wait=5"}
                try:
                    answer = await self.http.get(f"/orders/{order_id}", headers=headers)
                except httpx2.TransportError:
                    answer = None
                if answer is not None and answer.status_code == 200 and answer.json()["status"] in TERMINAL:
                    return answer.json()
                await asyncio.sleep(0.1)

    async def cancel(self, user, order_id):
        return await self.http.post(f"/orders/{order_id}/cancel", headers=user.headers)

    async def orders_of(self, user):
        return (await self.http.get("/orders", headers=user.headers)).json()["items"]

    async def sql(self, service, query, *arguments):
        connection = await asyncpg.connect(self.stage.state["databases"][service])
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    async def eventually(self, condition, seconds=20):
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.1)

    async def audit(self, *arguments):
        """(exit code, what the auditor said)."""
        files = ["--state", str(self.stage.state_file), "--client-log", str(self.log)]
        command = [sys.executable, "-m", "auditor", *files, *arguments]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Named(httpx2.AsyncHTTPTransport):
    """Asks the gateway by its public name, wherever it listens; its certificate is the stage's own."""

    def __init__(self, host):
        super().__init__(verify=False)
        self._host = host

    async def handle_async_request(self, request):
        request.headers["host"] = self._host
        request.extensions = {**request.extensions, "sni_hostname": self._host}
        return await super().handle_async_request(request)


@pytest.fixture(scope="session")
async def api(stage, stage_directory):
    log = stage_directory / "client-log.jsonl"
    log.touch()
    where = stage.state
    transport = Named(where["host"]) if "host" in where else None
    async with httpx2.AsyncClient(base_url=where["gateway"], timeout=40, transport=transport) as http:
        opened = Api(http, stage, log)
        await opened.as_keeper()
        yield opened


@pytest.fixture
async def user(api):
    return await api.register()


@pytest.fixture
def slug():
    """Status and slug of a refusal, after checking its form."""

    def read(answer):
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.status_code, json.loads(answer.text)["type"]

    return read


@pytest.fixture
def frozen(stage):
    """Freezes processes of a kind for the length of a test's block."""
    frozen_kinds = []

    def freeze(kind):
        stage.pause(kind)
        frozen_kinds.append(kind)

    yield freeze
    for kind in frozen_kinds:
        stage.resume(kind)
        stage.wait_ready(kind)
