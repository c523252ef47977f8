"""Who speaks to whom: what the processes are told to reach is reachable, and nothing else is.

Follows from settings, not from the policies: a variable that names a host is a connection that its process will open.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from rules.network import Walls
from rules.objects import (
    COMPONENT,
    NAME,
    NAMESPACE,
    PART_OF,
    Document,
    Documents,
    Sentences,
    matches,
    namespace,
    of,
    our_workloads,
    title,
)
from rules.pods import DNS, INGRESS, KEDA, POSTGRES_OPERATOR, PROMETHEUS, PROXY, STRANGERS, SUITE, Pod, running
from rules.settings import role_of, settings_of, told

ADDRESSES = ("_url", "_endpoint", "_servers", "database_host")
DEFAULT_PORTS = {"http": 80, "https": 443}
SSH = 22
"""Stands for every port that nobody has named."""


class Way(NamedTuple):
    """A connection: owner of the pod that opens it, owner of the pod that it reaches, port there."""

    source: str
    target: str
    port: int

    def __str__(self) -> str:
        """For a sentence."""
        return f"{self.source} -> {self.target}:{self.port}"


class Address(NamedTuple):
    """What a variable names."""

    variable: str
    host: str
    port: int


def addresses(documents: Documents, workload: Document) -> Iterator[Address]:
    """Every host that this workload is told, or believes by default, to be there."""
    variables = told(documents, workload)
    for name, field in settings_of(*role_of(workload)).model_fields.items():
        value = variables.get(name.upper()) or field.default
        if name.endswith(ADDRESSES) and isinstance(value, str):
            yield from _parsed(name, value, int(variables.get("DATABASE_PORT", 5432)))


def _parsed(name: str, value: str, database_port: int) -> Iterator[Address]:
    if "://" in value:
        place = urlsplit(value)
        yield Address(name.upper(), place.hostname or "", place.port or DEFAULT_PORTS[place.scheme])
    elif name == "database_host":
        yield Address(name.upper(), value, database_port)
    else:
        for server in value.split(","):
            host, _, port = server.rpartition(":")
            yield Address(name.upper(), host, int(port))


def reached(documents: Documents, address: Address) -> set[tuple[str, int]]:
    """(owner, port) of the pods behind an address; nothing when no Service has its name and port."""
    name, _, rest = address.host.partition(".")
    home = rest.split(".")[0] or NAMESPACE
    return {
        place for service, ports in _services(documents) if service == (home, name) for place in ports(address.port)
    }


def _services(documents: Documents):
    """((namespace, name), port -> places) of every Service, those that operators make as well."""
    pods = running(documents)
    for one in of(documents, "Service"):
        yield (namespace(one), one["metadata"]["name"]), lambda port, one=one: _behind(one, port, pods)
    for one in of(documents, "Cluster"):
        ports = {5432: 5432}
        yield (
            (namespace(one), f"{one['metadata']['name']}-rw"),
            lambda port, one=one, ports=ports: _made(one, port, ports),
        )
    for one in of(documents, "Kafka"):
        ports = {listener["port"]: listener["port"] for listener in one["spec"]["kafka"]["listeners"]}
        name = f"{one['metadata']['name']}-kafka-bootstrap"
        yield (namespace(one), name), lambda port, one=one, ports=ports: _made(one, port, ports)


def _behind(service: Document, port: int, pods: Sequence[Pod]) -> set[tuple[str, int]]:
    selector = {"matchLabels": service["spec"].get("selector", {})}
    taken = [pod for pod in pods if pod.namespace == namespace(service) and matches(selector, pod.labels)]
    wanted = [one.get("targetPort", port) for one in service["spec"]["ports"] if one["port"] == port]
    places = [(pod.owner, pod.ports.get(one) if isinstance(one, str) else one) for one in wanted for pod in taken]
    return {(owner, number) for owner, number in places if number is not None}


def _made(document: Document, port: int, ports: dict[int, int]) -> set[tuple[str, int]]:
    return {(title(document), ports[port])} if port in ports else set()


def told_hosts_exist(documents: Documents) -> Sentences:
    """Each address is a Service's name and one of its ports."""
    return [
        f"{title(one)}: {address.variable} names {address.host}:{address.port}, where nothing listens"
        for one in our_workloads(documents)
        for address in addresses(documents, one)
        if not reached(documents, address)
    ]


def needed(documents: Documents) -> set[Way]:
    """Every connection that must be possible."""
    pods = running(documents)
    ours = [pod for pod in pods if pod.ours]
    ways = {
        Way(title(one), owner, port)
        for one in our_workloads(documents)
        for address in addresses(documents, one)
        for owner, port in reached(documents, address)
    }
    ways |= {Way(pod.owner, DNS.owner, 53) for pod in ours}
    ways |= {Way(edge.owner, api.owner, api.ports["http"]) for edge in _edges(documents, pods) for api in _apis(ours)}
    if of(documents, "PodMonitor"):
        ways |= {Way(PROMETHEUS.owner, pod.owner, pod.ports["probes"]) for pod in ours if "probes" in pod.ports}
    return ways


def _apis(ours: Sequence[Pod]) -> list[Pod]:
    return [pod for pod in ours if pod.labels.get(COMPONENT) == "api" and "http" in pod.ports]


def _edges(documents: Documents, pods: Sequence[Pod]) -> list[Pod]:
    """Where requests come from: lite's gateway, or a proxy of the gateway's controller."""
    lite = [pod for pod in pods if pod.labels.get(NAME) == "gateway"]
    controllers = {"HTTPRoute": PROXY, "Ingress": INGRESS}
    return lite + [pod for kind, pod in controllers.items() if of(documents, kind)]


GUARDED = ("ours", "database", "kafka", "collector")


def kind(pod: Pod) -> str:
    """What a pod is, for the table of what is allowed without being needed."""
    if any(label.startswith("waybill.example/") and label.endswith("-database") for label in pod.labels):
        return "database"
    if pod.labels.get(NAME) == "kafka" or pod.labels.get("strimzi.io/kind") == "Kafka":
        return "kafka"
    if pod.labels.get(NAME) == "collector":
        return "collector"
    return "ours" if pod.ours else "other"


ALLOWED = (
    ("spans, once tracing is on", lambda s, t: s.labels.get(PART_OF) == "waybill" and kind(t) == "collector"),
    ("spans of Envoy Gateway's proxy", lambda s, t: s == PROXY and kind(t) == "collector"),
    ("metrics", lambda s, t: s.namespace == PROMETHEUS.namespace and kind(t) in GUARDED),
    ("requests from a gateway", lambda s, t: s in (PROXY, INGRESS) and t.labels.get(COMPONENT) == "api"),
    (
        "the suite and the auditor look inside",
        lambda s, t: s == SUITE and kind(t) in ("database", "kafka", "collector"),
    ),
    ("Kafka's other listener", lambda s, t: s.labels.get(COMPONENT) == "worker" and kind(t) == "kafka"),
    ("lag", lambda s, t: s == KEDA and kind(t) == "kafka"),
    ("the topics of lite", lambda s, t: s.owner == "Job topics" and kind(t) == "kafka"),
    ("spans of lite's gateway", lambda s, t: s.labels.get(NAME) == "gateway" and kind(t) == "collector"),
    ("CloudNativePG looks after its instances", lambda s, t: s == POSTGRES_OPERATOR and kind(t) == "database"),
    ("replicas of one database or broker", lambda s, t: s.owner == t.owner and kind(s) in ("database", "kafka")),
)
"""What may be reached although no setting asks for it: (reason, source and target)."""


def what_is_needed_is_reachable(documents: Documents) -> Sentences:
    """Both policies agree: the one of who asks and the one of who answers."""
    walls, pods = Walls(documents), {pod.owner: pod for pod in running(documents)}
    ways = [way for way in sorted(needed(documents)) if way.source != way.target]
    closed = [way for way in ways if not walls.between(pods[way.source], pods[way.target], way.port)]
    return [f"{way} is needed and closed" for way in closed]


def nothing_else_is_reachable(documents: Documents) -> Sentences:
    """Neither from one of ours to anybody, nor from anybody to one of ours, a database or a broker."""
    walls, pods = Walls(documents), [*running(documents), *STRANGERS]
    wanted = needed(documents)
    return [
        f"{way} is open and nothing needs it"
        for source in pods
        for target in pods
        if source != target and (source.ours or kind(target) in GUARDED) and not _is_allowed(source, target)
        for way in _ways(source, target)
        if way not in wanted and _is_open(walls, source, target, way.port)
    ]


def _is_open(walls: Walls, source: Pod, target: Pod, port: int) -> bool:
    """Either side's consent is a hole: the other one's policy may not be there tomorrow."""
    leaves = source.ours and walls.leaves(source, target, port)
    return leaves or (kind(target) in GUARDED and walls.enters(source, target, port))


def _ways(source: Pod, target: Pod) -> list[Way]:
    return [Way(source.owner, target.owner, port) for port in sorted({*target.ports.values(), SSH})]


def _is_allowed(source: Pod, target: Pod) -> bool:
    return any(holds(source, target) for _, holds in ALLOWED)
