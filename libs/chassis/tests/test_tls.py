"""PostgreSQL over TLS, by way of a door that speaks it in front of the embedded server, which was built without."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chassis import migrations
from chassis.database import is_transient
from chassis.foundation import pool
from chassis.settings import DatabaseSettings, KafkaSettings, load

MIGRATIONS = Path(__file__).parents[3] / "services" / "user-service" / "migrations"
SSL_REQUEST = 8
"""Bytes of the message with which a client asks for TLS; the answer is one letter."""


def self_signed(folder, name, *hosts):
    """A certificate that is its own authority, for these hosts; returns its file, which has its key beside it."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string(f"CN={name}")
    now, hour = dt.datetime.now(dt.UTC), dt.timedelta(hours=1)
    names = [x509.IPAddress(ipaddress.ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts]
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - hour).not_valid_after(now + hour)
    built = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / f"{name}.crt"
    file.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(pem))
    file.with_suffix(".key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    return file


async def pump(reader, writer):
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def tls_door(upstream, certificate):
    """Listens with TLS and hands on what it hears; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))

    async def serve(reader, writer):
        await reader.readexactly(SSL_REQUEST)
        writer.write(b"S")
        with suppress(OSError):
            await writer.start_tls(context)
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", upstream)
            await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def settings_for(database, tmp_path):
    """Settings for a fresh database; the password lies in a file of the test's folder."""
    url = urlsplit(database())
    (tmp_path / "password").write_text(url.password)

    def make(**changes):
        place = {"database_host": url.hostname, "database_port": url.port, "database_name": url.path[1:]}
        access = {"database_user": url.username, "database_password_file": tmp_path / "password"}
        return DatabaseSettings(**place | access | changes)

    return make


def verifying(settings_for, ca_file, **changes):
    return settings_for(database_tls="verify-full", database_ca_file=ca_file, **changes)


async def ping(config):
    async with pool("test", config) as database:
        await database.ping()


async def test_the_database_is_reached_through_tls_by_pool_and_migration(settings_for, tmp_path):
    certificate = self_signed(tmp_path, "server", "127.0.0.1")
    async with tls_door(settings_for().database_port, certificate) as port:
        config = verifying(settings_for, certificate, database_port=port)
        await ping(config)
        await migrations.upgrade(config.database_url, MIGRATIONS)


async def test_a_certificate_of_another_host_is_refused(settings_for, tmp_path):
    certificate = self_signed(tmp_path, "server", "elsewhere.example")
    async with tls_door(settings_for().database_port, certificate) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            await ping(verifying(settings_for, certificate, database_port=port))


async def test_an_unknown_authority_is_refused_until_its_file_is_renewed(settings_for, tmp_path):
    certificate, ca_file = self_signed(tmp_path, "server", "127.0.0.1"), self_signed(tmp_path, "ca", "127.0.0.1")
    async with tls_door(settings_for().database_port, certificate) as port:
        config = verifying(settings_for, ca_file, database_port=port)
        async with pool("test", config) as database:
            with pytest.raises(ssl.SSLCertVerificationError) as raised:
                await database.ping()
            assert is_transient(raised.value)
            ca_file.write_bytes(certificate.read_bytes())
            await database.ping()


async def test_a_server_without_tls_is_refused_and_hears_no_password(settings_for, tmp_path):
    config = verifying(settings_for, self_signed(tmp_path, "ca", "127.0.0.1"))
    with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
        await ping(config)
    with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
        await migrations.upgrade(config.database_url, MIGRATIONS)


async def test_a_rotated_password_is_read_at_the_next_connection(settings_for, tmp_path):
    config = settings_for()
    async with pool("test", config) as database:
        async with database.transaction() as tx:
            await tx.raw.execute(f"ALTER ROLE {config.database_user} PASSWORD 'rotated'")
        await database._pool.expire_connections()
        with pytest.raises(asyncpg.InvalidPasswordError) as raised:
            await database.ping()
        assert is_transient(raised.value)
        (tmp_path / "password").write_text("rotated\n")
        await database.ping()


def refusal(cls, monkeypatch, capsys, **environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        load(cls)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_a_missing_authority_of_the_database_stops_the_process(monkeypatch, capsys):
    required = {f"DATABASE_{name}": "x" for name in ("HOST", "NAME", "USER", "PASSWORD")}
    tls = {"DATABASE_TLS": "verify-full", "DATABASE_CA_FILE": "/nowhere/ca.crt"}
    said = refusal(DatabaseSettings, monkeypatch, capsys, **required, **tls)
    assert said == "chassis: DATABASE_CA_FILE: /nowhere/ca.crt does not exist\n"


def test_missing_files_for_kafka_stop_the_process_each_with_its_name(monkeypatch, capsys, tmp_path):
    (tmp_path / "ca.crt").touch()
    files = {f"KAFKA_{name}_FILE": f"/nowhere/{name}" for name in ("CERTIFICATE", "KEY")}
    place = {"KAFKA_BOOTSTRAP_SERVERS": "x", "KAFKA_SECURITY_PROTOCOL": "SSL"}
    said = refusal(KafkaSettings, monkeypatch, capsys, **place, **files, KAFKA_CA_FILE=str(tmp_path / "ca.crt"))
    absent = [f"{name}: {path} does not exist" for name, path in files.items()]
    assert said == f"chassis: {'; '.join(absent)}\n"


def test_plain_text_asks_for_no_files():
    assert KafkaSettings(kafka_bootstrap_servers="x").kafka_tls_files is None
