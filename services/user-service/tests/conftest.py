"""user-service on real PostgreSQL with the schema from its migrations, and its application without a network."""

import json
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chassis.database import Database
from chassis.migrations import upgrade
from user_service.app import composed
from user_service.passwords import Passwords
from user_service.signing import SigningKeys
from user_service.use_cases import Tokens, TokenTerms

MIGRATIONS = Path(__file__).parents[1] / "migrations"
ADA = {"email": "Ada@waybill.example", "name": "Ada", "password": "a long password"}
TERMS = TokenTerms("http://issuer.example", "waybill", 900, 30)


@dataclass
class Service:
    """The running application and what a test wants to know of it."""

    db: Database
    http: httpx2.AsyncClient
    keys: SigningKeys

    @property
    def tokens(self):
        """The rules beneath the door, for what needs a transaction held open."""
        return Tokens(self.keys, TERMS)

    async def register(self, **changes):
        return await self.http.post("/users", json={**ADA, **changes})

    async def token(self, **form):
        return await self.http.post("/oauth/token", data=form)

    async def log_in(self, email=ADA["email"], password=ADA["password"]):
        return await self.token(grant_type="password", username=email, password=password)

    async def me(self):
        """A registered user's headers."""
        await self.register()
        return {"authorization": f"Bearer {(await self.log_in()).json()['access_token']}"}

    async def fetch(self, query, *arguments):
        async with self.db.transaction() as tx:
            return await tx.raw.fetch(query, *arguments)

    async def events(self):
        return [tuple(row) for row in await self.fetch("SELECT type, version FROM event_history ORDER BY written_at")]


@pytest.fixture
def keys():
    return SigningKeys({"2025": rsa.generate_private_key(65537, 2048), "2026": ec.generate_private_key(ec.SECP256R1())})


@pytest.fixture
async def service(database, keys):
    url = database()
    await upgrade(url, MIGRATIONS)
    passwords = Passwords()
    async with Database(url) as db:
        transport = httpx2.ASGITransport(composed(db, passwords, keys, TERMS))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
            yield Service(db, http, keys)
    passwords.close()


@pytest.fixture
def slug():
    """Status and slug of a refusal, after checking its form."""

    def read(answer):
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.status_code, json.loads(answer.text)["type"]

    return read
