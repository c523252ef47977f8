"""What rules see: the documents of one rendering, and how to find things in them.

A rule is a plain function of documents that returns sentences, none when all is well.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Document = dict[str, Any]
Documents = Sequence[Document]
Sentences = list[str]

NAMESPACE = "waybill"
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
PART_OF = "app.kubernetes.io/part-of"
SERVICES = ("order-service", "user-service", "inventory-service")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


def of(documents: Documents, *kinds: str) -> list[Document]:
    """The documents of these kinds."""
    return [one for one in documents if one["kind"] in kinds]


def title(document: Document) -> str:
    """`Deployment order-service-api`: how every sentence names an object."""
    return f"{document['kind']} {document['metadata'].get('name', '?')}"


def namespace(document: Document) -> str:
    """Where it lies; what says nothing lies in ours."""
    return document["metadata"].get("namespace", NAMESPACE)


def labels(document: Document) -> Mapping[str, str]:
    """Of its metadata."""
    return document["metadata"].get("labels") or {}


def is_ours(marks: Mapping[str, str]) -> bool:
    """Whether labels say that this is one of our processes, not a database or a broker."""
    return marks.get(PART_OF) == "waybill" and marks.get(NAME) in SERVICES


def template(document: Document) -> Document:
    """The pod that a workload makes."""
    spec = document["spec"]
    return spec["jobTemplate"]["spec"]["template"] if document["kind"] == "CronJob" else spec["template"]


def workloads(documents: Documents) -> list[Document]:
    """Everything that makes pods by itself."""
    return of(documents, *WORKLOADS)


def our_workloads(documents: Documents) -> list[Document]:
    """The workloads whose pods are processes of our services."""
    return [one for one in workloads(documents) if is_ours(template(one)["metadata"].get("labels", {}))]


def containers(document: Document) -> list[Document]:
    """All containers of a workload's pod, those that go before it too."""
    spec = template(document)["spec"]
    return [*spec.get("initContainers", ()), *spec["containers"]]


def named(document: Document, container: Document) -> str:
    """`container app of Deployment order-service-api`."""
    return f"container {container['name']} of {title(document)}"


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every (dotted path, value) below a value, the value itself first."""
    yield path, value
    if isinstance(value, dict):
        pairs = ((str(key), below) for key, below in value.items())
    elif isinstance(value, list):
        pairs = ((str(number), below) for number, below in enumerate(value))
    else:
        return
    for key, below in pairs:
        yield from walk(below, f"{path}.{key}".lstrip("."))


def matches(selector: Mapping[str, Any] | None, marks: Mapping[str, str]) -> bool:
    """A label selector of the API: nothing selects nothing, an empty one selects all."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    said = selector.get("matchExpressions") or ()
    return wanted.items() <= marks.items() and all(_holds(one, marks) for one in said)


def _holds(expression: Mapping[str, Any], marks: Mapping[str, str]) -> bool:
    found, values = marks.get(expression["key"]), expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return found in values
        case "NotIn":
            return found not in values
        case "Exists":
            return found is not None
        case _:
            return found is None
