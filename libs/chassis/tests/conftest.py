"""Parts that several tests need: a database, a signing key, an application behind a real server."""

import asyncio
import time
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from jwt.algorithms import ECAlgorithm

from chassis.database import Database
from chassis.server import serve
from chassis.shutdown import Shutdown
from devstack.ports import free_port

ISSUER = "http://issuer.example"


@pytest.fixture
async def db(database):
    async with Database(database(), pool_size=4) as opened:
        async with opened.transaction() as tx:
            await tx.raw.execute("CREATE TABLE things (id int PRIMARY KEY)")
        yield opened


class Issuer:
    """Signs tokens and publishes its keys through a transport that counts."""

    def __init__(self):
        self.keys = {"one": ec.generate_private_key(ec.SECP256R1())}
        self.fetches = 0
        self.down = False

    def jwks(self, request):
        self.fetches += 1
        if self.down:
            return httpx2.Response(503)
        keys = [
            ECAlgorithm.to_jwk(k.public_key(), as_dict=True) | {"kid": kid, "alg": "ES256"}
            for kid, k in self.keys.items()
        ]
        return httpx2.Response(200, json={"keys": keys})

    def client(self):
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self.jwks))

    def token(self, kid="one", key=None, algorithm="ES256", drop=(), **claims):
        now = int(time.time())
        body = {
            "iss": ISSUER,
            "aud": "waybill",
            "sub": str(uuid4()),
            "scope": "a b",
            "iat": now,
            "exp": now + 60,
            **claims,
        }
        body = {name: value for name, value in body.items() if name not in drop}
        return jwt.encode(body, key or self.keys.get(kid, self.keys["one"]), algorithm, headers={"kid": kid})


@pytest.fixture
def issuer():
    return Issuer()


class QuietProbes:
    """Remembers whether the drain was announced."""

    drained = False

    def draining(self):
        self.drained = True


@pytest.fixture
def serving():
    """Serves an application on a free port for the length of a block; yields (url, shutdown, probes, task)."""

    @asynccontextmanager
    async def run(app: FastAPI, drain_seconds=0.3):
        port, shutdown, probes = free_port(), Shutdown(), QuietProbes()
        task = asyncio.create_task(
            serve(app, host="127.0.0.1", port=port, shutdown=shutdown, probes=probes, drain_seconds=drain_seconds)
        )
        await _listens(port)
        try:
            yield f"http://127.0.0.1:{port}", shutdown, probes, task
        finally:
            shutdown.requested.set()
            await task

    return run


async def _listens(port):
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
