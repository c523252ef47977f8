"""Mutual TLS with a real broker: a certificate opens the door, none or a stranger's does not, a renewed one is used."""

import asyncio
import datetime as dt
import ipaddress
import itertools
import ssl
from contextlib import asynccontextmanager

import pytest
import uvloop
from aiokafka.errors import KafkaConnectionError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contracts import Record, Topic
from devstack import topics
from devstack.kafka import Kafka as Broker
from devstack.ports import free_port
from messaging import Kafka
from messaging.tls import MutualTls

NUMBER = itertools.count(1)
IDLE_SECONDS = 1.5
"""After this the broker hangs up, and a client has to connect again."""
LISTENERS = "PLAINTEXT://127.0.0.1:{},SSL://127.0.0.1:{}"


class Authority:
    """Signs certificates into folders: <name>.crt, <name>.key."""

    def __init__(self, folder, name):
        self.name, self.key = x509.Name.from_rfc4514_string(f"CN={name}"), self._new_key()
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(self._pem(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None)))

    def sign(self, folder, name):
        """For clients, and for a server on the loopback address."""
        key, loopback = self._new_key(), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        subject = x509.Name.from_rfc4514_string(f"CN={name}")
        (folder / f"{name}.crt").write_bytes(self._pem(subject, key, x509.SubjectAlternativeName([loopback])))
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))

    def _pem(self, subject, key, extension):
        now, hour = dt.datetime.now(dt.UTC), dt.timedelta(hours=1)
        serial = x509.random_serial_number()
        builder = x509.CertificateBuilder().issuer_name(self.name).subject_name(subject).public_key(key.public_key())
        builder = builder.serial_number(serial).not_valid_before(now - hour).not_valid_after(now + hour)
        built = builder.add_extension(extension, critical=True).sign(self.key, hashes.SHA256())
        return built.public_bytes(serialization.Encoding.PEM)

    @staticmethod
    def _new_key():
        return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def stranger(tmp_path):
    return Authority(tmp_path, "stranger")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    made = Authority(folder, "ca")
    made.sign(folder, "broker")
    return made


@pytest.fixture
def files(authority, tmp_path):
    """CA, certificate and key of a client that the broker knows."""
    authority.sign(tmp_path, "user")
    return authority.file, tmp_path / "user.crt", tmp_path / "user.key"


@pytest.fixture(scope="module")
def secured(stage_directory, authority):
    """A broker with a second listener that asks for certificates; yields (plain address, address with TLS)."""
    plain, tls, controller = free_port(), free_port(), free_port()
    folder = authority.file.parent
    store = folder / "broker.pem"
    store.write_text((folder / "broker.key").read_text() + (folder / "broker.crt").read_text())
    listeners = LISTENERS.format(plain, tls)
    properties = {
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL",
        "ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "connections.max.idle.ms": str(int(IDLE_SECONDS * 1000)),
    }
    with Broker(stage_directory / "kafka-tls", plain, controller, properties):
        yield f"127.0.0.1:{plain}", f"127.0.0.1:{tls}"


@pytest.fixture
async def topic(secured):
    name = f"tls-{next(NUMBER)}"
    await topics.create(secured[0], [Topic(name, "any", (), partitions=1)])
    return name


async def nothing():
    """A revocation that has nothing to finish."""


async def started(producer):
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def sent(producer, topic, seconds=8):
    (outcome,) = await producer.send_batch([Record(topic, b"k", b"v", ())], seconds)
    return outcome


async def test_producer_consumer_and_admin_work_with_the_certificate(secured, topic, files):
    kafka = Kafka(secured[1], tls_files=files)
    producer = await started(kafka.producer())
    assert await sent(producer, topic) is None
    await producer.stop()
    source = kafka.source(topic, [topic])
    await source.start(nothing)
    async with asyncio.timeout(15):
        while not (found := await source.poll(0.2, 10)):
            pass
    assert found[0].record.value == b"v"
    assert await source.members() == 1
    await source.stop()


@pytest.mark.parametrize("client", ["producer", "source"])
async def test_a_client_without_a_certificate_is_refused(secured, topic, authority, client, monkeypatch):
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", lambda *files: None)
    kafka = Kafka(secured[1], tls_files=(authority.file, authority.file, authority.file))
    made = kafka.producer() if client == "producer" else kafka.source(topic, [topic])
    with pytest.raises(KafkaConnectionError):
        await (made.start() if client == "producer" else made.start(nothing))
    await made.stop()


async def test_plain_text_is_not_spoken_at_the_door_with_tls(secured):
    with pytest.raises(KafkaConnectionError):
        await started(Kafka(secured[1]).producer())


async def test_a_broker_of_an_unknown_authority_is_refused(secured, files, stranger):
    with pytest.raises(KafkaConnectionError):
        await started(Kafka(secured[1], tls_files=(stranger.file, *files[1:])).producer())


async def test_a_living_client_shows_the_renewed_certificate_when_it_reconnects(
    secured, topic, files, authority, stranger, tmp_path
):
    producer = await started(Kafka(secured[1], tls_files=files).producer())
    assert await sent(producer, topic) is None
    stranger.sign(tmp_path, "user")
    assert await sent(producer, topic) is None, "an open connection lives on"
    await asyncio.sleep(2 * IDLE_SECONDS)
    assert isinstance(await sent(producer, topic, 2), TimeoutError)
    authority.sign(tmp_path, "user")
    assert await sent(producer, topic) is None
    await producer.stop()


@asynccontextmanager
async def listening(authority):
    """A server with TLS that notes the serial number of each client's certificate; yields (port, numbers)."""
    folder, numbers = authority.file.parent, []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    context.load_cert_chain(folder / "broker.crt", folder / "broker.key")
    context.verify_mode = ssl.CERT_REQUIRED

    async def note(_, writer):
        numbers.append(writer.get_extra_info("peercert")["serialNumber"])
        writer.close()

    async with await asyncio.start_server(note, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1], numbers


async def connect(port, tls, host="127.0.0.1"):
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    await reader.read()
    writer.close()


async def reads_anew(authority, files, folder):
    tls = MutualTls(*files)
    async with listening(authority) as (port, numbers):
        await connect(port, tls)
        authority.sign(folder, "user")
        await connect(port, tls)
        assert len(set(numbers)) == 2
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await connect(port, tls, "localhost")
        files[2].unlink()
        with pytest.raises(FileNotFoundError):
            await connect(port, tls)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
async def test_every_event_loop_reads_the_files_at_each_connection(authority, files, tmp_path, loop):
    def run():
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(asyncio.wait_for(reads_anew(authority, files, tmp_path), 10))

    await asyncio.to_thread(run)
