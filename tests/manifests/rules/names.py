"""Names: their lengths, which the API server refuses late or cuts silently, and the one namespace."""

import re

from rules.objects import (
    NAMESPACE,
    Documents,
    Sentences,
    containers,
    labels,
    named,
    namespace,
    of,
    title,
    walk,
    workloads,
)

CLUSTER_WIDE = {
    "APIService",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterSecretStore",
    "CustomResourceDefinition",
    "GatewayClass",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
}
VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")


def names_fit_into_a_label(documents: Documents) -> Sentences:
    """63 characters: many controllers copy a name into a label, and a Service's is a DNS label."""
    return [f"{title(one)}: its name is longer than 63" for one in documents if len(one["metadata"]["name"]) > 63]


def label_values_are_labels(documents: Documents) -> Sentences:
    """At most 63 characters of the label alphabet, in metadata and in pods."""
    found = [(one, path, value) for one in documents for path, value in walk(one) if path.endswith("labels")]
    return [
        f"{title(one)}: {path} {key}={text!r} is no label"
        for one, path, value in found
        if isinstance(value, dict)
        for key, text in value.items()
        if not isinstance(text, str | dict) or (isinstance(text, str) and not VALUE.fullmatch(text))
        if one["kind"] != "PrometheusRule"
    ]


def port_names_are_short(documents: Documents) -> Sentences:
    """At most 15 characters of a-z, 0-9 and hyphens, one of them a letter: IANA's rule."""
    ports = [(named(one, box), port) for one in workloads(documents) for box in containers(one) for port in _ports(box)]
    ports += [(title(one), port) for one in of(documents, "Service") for port in one["spec"].get("ports", ())]
    return [f"{where}: port name {port['name']!r} is no port name" for where, port in ports if not _is_port_name(port)]


def _ports(container: dict) -> list[dict]:
    return container.get("ports", [])


def _is_port_name(port: dict) -> bool:
    name = port.get("name", "a")
    return len(name) <= 15 and bool(re.fullmatch(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*", name))


def everything_is_in_one_namespace(documents: Documents) -> Sentences:
    """`waybill`: an overlay's field `namespace` writes it into everything that has one."""
    wrong = [one for one in documents if one["kind"] not in CLUSTER_WIDE and namespace(one) != NAMESPACE]
    unsaid = [one for one in documents if one["kind"] not in CLUSTER_WIDE and "namespace" not in one["metadata"]]
    others = [one for one in of(documents, "Namespace") if one["metadata"]["name"] != NAMESPACE]
    return [f"{title(one)} is not in the namespace {NAMESPACE}" for one in [*wrong, *unsaid, *others]]


def the_namespace_enforces_the_standard(documents: Documents) -> Sentences:
    """In ours `restricted`, in others a level that is stated; its version is pinned."""
    wrong = []
    for one in of(documents, "Namespace"):
        level = labels(one).get("pod-security.kubernetes.io/enforce")
        if level is None or (one["metadata"]["name"] == NAMESPACE and level != "restricted"):
            wrong.append(f"{title(one)} does not enforce the standard restricted")
        version = labels(one).get("pod-security.kubernetes.io/enforce-version", "")
        if level != "privileged" and not re.fullmatch(r"v1\.\d+", version):
            wrong.append(f"{title(one)} does not pin the standard's version")
    return wrong


def objects_are_unique(documents: Documents) -> Sentences:
    """Two documents of one name: the later wins, silently."""
    keys = [(one["apiVersion"].split("/")[0], title(one), namespace(one)) for one in documents]
    return [f"{key[1]} is there twice" for key in sorted({key for key in keys if keys.count(key) > 1})]
