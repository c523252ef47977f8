"""The pods that would run: of our workloads, of the operators' resources, and those that a cluster brings itself.

Selectors and network policies are judged by them.
"""

from collections.abc import Mapping
from typing import NamedTuple

from rules.objects import NAMESPACE, Document, Documents, containers, is_ours, namespace, of, template, title, workloads


class Pod(NamedTuple):
    """One of the equal pods of an owner. `ports` is name -> number."""

    owner: str
    namespace: str
    labels: Mapping[str, str]
    ports: Mapping[str, int]

    @property
    def ours(self) -> bool:
        """Whether it is a process of one of our services."""
        return is_ours(self.labels)


SUITE = Pod("the end-to-end suite", NAMESPACE, {"app.kubernetes.io/name": "waybill-e2e"}, {})
DNS = Pod("the cluster's DNS", "kube-system", {"k8s-app": "kube-dns"}, {"dns": 53})
PROMETHEUS = Pod("Prometheus", "monitoring", {"app.kubernetes.io/name": "prometheus"}, {"web": 9090})
KEDA = Pod("KEDA", "keda", {"app": "keda-operator"}, {})
PROXY = Pod(
    "Envoy Gateway's proxy",
    "envoy-gateway-system",
    {"app.kubernetes.io/component": "proxy", "app.kubernetes.io/name": "envoy"},
    {"http": 10080},
)
LIMITER = Pod("Envoy Gateway's rate limiter", "envoy-gateway-system", {"app.kubernetes.io/component": "ratelimit"}, {})
INGRESS = Pod("the Ingress controller", "ingress-nginx", {"app.kubernetes.io/name": "ingress-nginx"}, {})
POSTGRES_OPERATOR = Pod("CloudNativePG", "cnpg-system", {"app.kubernetes.io/name": "cloudnative-pg"}, {})
OUTSIDE = (SUITE, DNS, PROMETHEUS, KEDA, PROXY, LIMITER, INGRESS, POSTGRES_OPERATOR)
"""Made by nobody's manifest here: tests/e2e/job.yaml, the cluster and the controllers of deploy/controllers."""

STRANGERS = (
    Pod("a stranger in the namespace", NAMESPACE, {}, {"any": 80}),
    Pod("a stranger elsewhere", "elsewhere", {}, {"any": 80}),
    Pod("the internet", "", {}, {"https": 443}),
)
"""Whom nothing may reach, and who may reach nothing."""


def running(documents: Documents) -> list[Pod]:
    """One pod for each owner in these documents, and the outside."""
    return [*own(documents), *OUTSIDE]


def own(documents: Documents) -> list[Pod]:
    """The pods that these documents themselves make."""
    made = [_of_workload(one) for one in workloads(documents)]
    made += [_of_postgres(one) for one in of(documents, "Cluster")]
    return made + [_of_kafka(one) for one in of(documents, "Kafka")]


def _of_workload(document: Document) -> Pod:
    ports = [port for container in containers(document) for port in container.get("ports", ())]
    numbers = {port.get("name", str(port["containerPort"])): port["containerPort"] for port in ports}
    return Pod(title(document), namespace(document), template(document)["metadata"].get("labels", {}), numbers)


def _of_postgres(document: Document) -> Pod:
    """CloudNativePG labels its instances, and inherits the labels that the Cluster names."""
    inherited = document["spec"].get("inheritedMetadata", {}).get("labels", {})
    marks = {"cnpg.io/cluster": document["metadata"]["name"], "cnpg.io/podRole": "instance", **inherited}
    return Pod(title(document), namespace(document), marks, {"postgresql": 5432, "metrics": 9187, "status": 8000})


def _of_kafka(document: Document) -> Pod:
    """Strimzi labels its brokers by cluster and kind."""
    name = document["metadata"]["name"]
    marks = {"strimzi.io/cluster": name, "strimzi.io/kind": "Kafka", "strimzi.io/name": f"{name}-kafka"}
    listeners = {one["name"]: one["port"] for one in document["spec"]["kafka"]["listeners"]}
    return Pod(title(document), namespace(document), marks, listeners)
