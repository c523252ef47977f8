"""Every worker's wiring: what the settings say of certificates and passwords reaches the clients."""

import importlib
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from chassis.database import Database
from chassis.shutdown import Shutdown

SERVICES = ("order_service", "user_service", "inventory_service")
FILES = {"CA": "ca.crt", "CERTIFICATE": "user.crt", "KEY": "user.key"}


async def ready(stop):
    """The schema is."""
    return True


@asynccontextmanager
async def opened(*_, **__):
    yield SimpleNamespace(database=Database(""), probes=None, until_schema_ready=ready)


@pytest.mark.parametrize("package", SERVICES)
async def test_its_clients_get_certificates_and_passwords_from_the_settings(package, monkeypatch, tmp_path):
    worker = importlib.import_module(f"{package}.worker")
    place = {"DATABASE_HOST": "db", "DATABASE_NAME": "n", "DATABASE_USER": "u", "KAFKA_BOOTSTRAP_SERVERS": "kafka:9093"}
    kafka = {f"KAFKA_{name}_FILE": str(tmp_path / file) for name, file in FILES.items()}
    database = {
        f"DATABASE_{name}_FILE": str(tmp_path / file) for name, file in (("CA", "ca.crt"), ("PASSWORD", "password"))
    }
    chosen = {"DATABASE_TLS": "verify-full", "KAFKA_SECURITY_PROTOCOL": "SSL"}
    for name, value in (place | kafka | database | chosen).items():
        monkeypatch.setenv(name, value)
    for file in (*FILES.values(), "password"):
        (tmp_path / file).write_text("first")
    given = []

    async def run(*parts):
        given.extend(parts)

    monkeypatch.setattr(worker, "opened", opened)
    monkeypatch.setattr(worker.work, "run", run)
    await worker.worker(Shutdown())
    relay = given[1]
    assert relay._dsn == f"postgresql://u:first@db:5432/n?sslmode=verify-full&sslrootcert={tmp_path}/ca.crt"
    assert relay._make.__self__.tls_files == tuple(tmp_path / file for file in FILES.values())
    (tmp_path / "password").write_text("rotated")
    assert relay._password() == "rotated"
