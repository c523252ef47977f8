"""What the system consists of and where each part lies: services, databases, ports, files under `.devstack/`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from devstack import credentials
from devstack.envoy import Edge, Place
from devstack.errors import StageError
from devstack.ports import LOOPBACK, Ports

DATABASES = {"order-service": "orders", "user-service": "users", "inventory-service": "inventory"}
SERVICES = tuple(DATABASES)
ROLES = ("api", "worker")
ADMIN_EMAIL = "admin@waybill.example"


class Member(NamedTuple):
    """One process of a service: `order-service/api` number 0."""

    service: str
    role: str
    number: int

    @property
    def kind(self) -> str:
        """`service/role`, by which processes are asked for."""
        return f"{self.service}/{self.role}"

    @property
    def name(self) -> str:
        """Unique; names its port and its log."""
        return f"{self.service}-{self.role}-{self.number}"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user may choose. `replicas` is `service/role` -> count, `settings` go to every service process.

    `controllers` are those that the cluster has and that shall take part: gateway, keda.
    """

    port: int = 8080
    replicas: Mapping[str, int] = field(default_factory=dict)
    trace_ratio: float = 0.1
    settings: Mapping[str, str] = field(default_factory=dict)
    controllers: tuple[str, ...] = ()


def parse_port(text: str) -> int:
    """Read a port; raises StageError with one sentence."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PORT:
        raise StageError(f"PORT={text} is no port; give a number from 1 to {MAX_PORT}")
    return int(text)


def parse_replicas(text: str) -> dict[str, int]:
    """Read `order-service/worker=2 order-service/api=2`; raises StageError with one sentence."""
    replicas = {}
    for part in text.split():
        kind, _, count = part.partition("=")
        if kind not in KINDS or not count.isdecimal() or not 1 <= int(count) <= MAX_REPLICAS:
            raise StageError(f"REPLICAS: {part!r} is not one of {', '.join(KINDS)} with =1 to ={MAX_REPLICAS}")
        replicas[kind] = int(count)
    return replicas


KINDS = tuple(f"{service}/{role}" for service in SERVICES for role in ROLES)
MAX_REPLICAS = 8
MAX_PORT = 65535


class Layout:
    """Paths, ports and members of one system; secrets are made when first asked for and kept."""

    def __init__(self, directory: Path, wishes: Wishes) -> None:
        self.directory, self.wishes = directory.absolute(), wishes
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ports = Ports(self.directory / "ports.json")

    @property
    def gateway(self) -> str:
        """The gateway's public URL."""
        return f"http://{LOOPBACK}:{self.wishes.port}"

    @property
    def members(self) -> list[Member]:
        """Every service process that shall run."""
        return [
            Member(service, role, number)
            for service in SERVICES
            for role in ROLES
            for number in range(self.wishes.replicas.get(f"{service}/{role}", 1))
        ]

    def http_port(self, member: Member) -> int:
        """Where an api listens."""
        return self.ports[f"{member.name}-http"]

    def probes_url(self, member: Member) -> str:
        """Where a process shows its probes and metrics."""
        return f"http://{LOOPBACK}:{self.ports[f'{member.name}-probes']}"

    def internal_url(self, service: str) -> str:
        """The gateway's loopback listener for calls between services."""
        return f"http://{LOOPBACK}:{self.ports[f'{service}-internal']}"

    def apis(self, service: str) -> Iterator[Member]:
        """The service's HTTP processes."""
        return (member for member in self.members if member.service == service and member.role == "api")

    def log(self, name: str) -> Path:
        """A process's log."""
        return self.directory / "logs" / f"{name}.log"

    @property
    def admin_password_file(self) -> Path:
        """The administrator's password, made once."""
        return credentials.kept(self.directory / "admin-password", credentials.password().encode())

    @property
    def keys(self) -> Path:
        """Signing keys, one made when there is none."""
        folder = self.directory / "keys"
        folder.mkdir(mode=0o700, exist_ok=True)
        if not list(folder.glob("*.pem")):
            name, pem = credentials.signing_key()
            credentials.kept(folder / name, pem)
        return folder

    @property
    def edge(self) -> Edge:
        """For the gateway."""
        ports = self.ports
        services = {
            service: [Place(LOOPBACK, self.http_port(m), ports[f"{m.name}-probes"]) for m in self.apis(service)]
            for service in SERVICES
        }
        internal = {service: Place(LOOPBACK, ports[f"{service}-internal"]) for service in SERVICES}
        public, collector = Place(LOOPBACK, self.wishes.port), Place(LOOPBACK, ports["otlp"])
        return Edge(public, self.gateway, services, collector, self.wishes.trace_ratio, internal)

    def environment(self, service: str, password: str, database_port: int, kafka: str) -> dict[str, str]:
        """Settings of one service's processes, ports apart."""
        return {
            "DATABASE_HOST": LOOPBACK,
            "DATABASE_PORT": str(database_port),
            "DATABASE_NAME": DATABASES[service],
            "DATABASE_USER": DATABASES[service],
            "DATABASE_PASSWORD": password,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "JWKS_URL": f"{self.internal_url('user-service')}/.well-known/jwks.json",
            "TOKEN_ISSUER": self.gateway,
            "USERS_URL": self.internal_url("user-service"),
            "PRODUCTS_URL": self.internal_url("inventory-service"),
            "OTLP_ENDPOINT": f"http://{LOOPBACK}:{self.ports['otlp']}",
            "TRACE_RATIO": str(self.wishes.trace_ratio),
            "SIGNING_KEYS_DIR": str(self.keys),
            "ADMIN_EMAIL": ADMIN_EMAIL,
            "ADMIN_PASSWORD_FILE": str(self.admin_password_file),
            "HTTP_HOST": LOOPBACK,
            "PROBES_HOST": LOOPBACK,
            "DRAIN_SECONDS": "0.5",
            # A killed member stalls its group until its session ends; on one machine that may be short.
            "CONSUMER_SESSION_SECONDS": "3",
            "CONSUMER_HEARTBEAT_SECONDS": "1",
            **self.wishes.settings,
        }
