"""How each container of stage `containers` is made: what a cluster's pod gets, as an engine's options.

Ports are published on loopback only, and fixed, so that a container that comes back is found where it was.
"""

from collections.abc import Mapping
from pathlib import Path

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from devstack import checkout
from devstack.layout import DATABASES
from devstack.ports import LOOPBACK

TAG = "local"
E2E = f"waybill-e2e:{TAG}"
KAFKA_PORT = 19094
"""Of the listener for clients outside of the network; lite's Kafka advertises it."""
HARDENED = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "mem_limit": "256m",
    "user": "10001:10001",
}


def made(image: str, network: Network, *names: str, ports: Mapping[int, int] | None = None) -> DockerContainer:
    """A container known by these names on the network; `ports` is inside -> outside."""
    container = DockerContainer(image).with_network(network).with_network_aliases(*names)
    for inside, outside in (ports or {}).items():
        # The library's own method would publish on every interface.
        container.ports[f"{inside}/tcp"] = (LOOPBACK, outside)  # type: ignore[assignment]
    return container


def postgres(network: Network, secrets: Path, port: int) -> DockerContainer:
    """One server under the names of three: a database and a role per service."""
    names = [f"{name}-db" for name in DATABASES.values()]
    container = made("postgres:18", network, *names, ports={5432: port})
    container.with_volume_mapping(secrets, "/run/secrets")
    container.with_volume_mapping(checkout.DATABASES_SQL, "/docker-entrypoint-initdb.d/databases.sql")
    container.with_env("POSTGRES_PASSWORD_FILE", "/run/secrets/db/password")
    return container.with_command(["postgres", "-c", "max_connections=200"])


def kafka(network: Network, port: int) -> DockerContainer:
    """Lite's broker; the outside is told to come to the published port."""
    container = made("apache/kafka:4.3.1", network, "kafka", ports={KAFKA_PORT: port})
    for name, value in checkout.lite_environment("kafka").items():
        container.with_env(name, value.replace(f"EXTERNAL://{LOOPBACK}:{KAFKA_PORT}", f"EXTERNAL://{LOOPBACK}:{port}"))
    # A laptop's Kafka: a member that was killed is given up soon.
    return container.with_env("KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS", "1000")


def service(
    name: str, role: str, network: Network, secrets: Path, settings: Mapping[str, str], ports: Mapping[int, int]
) -> DockerContainer:
    """One process of a service, under its name when it serves HTTP: on port 80, as a Service would."""
    container = made(f"{name}:{TAG}", network, name if role == "api" else f"{name}-{role}", ports=ports)
    container.with_volume_mapping(secrets, "/run/secrets").with_command([role])
    for variable, value in {**checkout.settings(name), "HTTP_PORT": "80", **settings}.items():
        container.with_env(variable, value)
    container.with_tmpfs_mount("/tmp")  # noqa: S108 (inside the container)
    return container.with_kwargs(**HARDENED)


def gateway(network: Network, port: int) -> DockerContainer:
    """Lite's gateway."""
    container = made(E2E, network, "gateway", ports={8080: port})
    container.with_volume_mapping(checkout.LITE / "envoy.json", "/etc/envoy/envoy.json")
    quiet = ["--log-level", "warning", "--disable-hot-restart", "--concurrency", "1"]
    return container.with_command(["envoy", "--config-path", "/etc/envoy/envoy.json", *quiet])


def collector(network: Network, port: int) -> DockerContainer:
    """Lite's collector."""
    container = made(E2E, network, "collector", ports={4318: port})
    return container.with_command(["python", "-m", "devstack.receiver", "/tmp/spans.jsonl"])  # noqa: S108


def topics(network: Network) -> DockerContainer:
    """Creates the topics and ends."""
    return made(E2E, network, "topics").with_command(["python", "-m", "devstack.topics", "kafka:9092"])
