"""Ports by name, from a Service, a route or a monitor to the container that opens them."""

from collections.abc import Iterator

from rules.objects import Document, Documents, Sentences, matches, namespace, of, title, walk
from rules.pods import own


def services_lead_to_a_port(documents: Documents) -> Sentences:
    """By name: a number would go on working after the container's port has changed, into nothing."""
    wrong = []
    for one in of(documents, "Service"):
        selector = {"matchLabels": one["spec"].get("selector") or {"none": "none"}}
        taken = [pod for pod in own(documents) if pod.namespace == namespace(one) and matches(selector, pod.labels)]
        for port in one["spec"].get("ports", ()):
            wanted = port.get("targetPort", port["port"])
            if taken and not any(wanted in pod.ports or wanted in pod.ports.values() for pod in taken):
                wrong.append(f"{title(one)} leads to port {wanted}, which no pod of it has")
    return wrong


def monitors_name_a_port(documents: Documents) -> Sentences:
    """PodMonitors and ServiceMonitors name ports; a number is not even allowed."""
    wrong = []
    for one in of(documents, "PodMonitor"):
        taken = [pod for pod in own(documents) if matches(one["spec"]["selector"], pod.labels)]
        for endpoint in one["spec"].get("podMetricsEndpoints", ()):
            wrong += [
                f"{title(one)} reads {endpoint['port']} of {pod.owner}"
                for pod in taken
                if endpoint["port"] not in pod.ports
            ]
    return wrong


def backends_are_services(documents: Documents) -> Sentences:
    """What a route, an Ingress or a policy sends to is a Service's name and one of its ports."""
    have = {
        (one["metadata"]["name"], port["port"]) for one in of(documents, "Service") for port in one["spec"]["ports"]
    }
    have |= {
        (one["metadata"]["name"], port.get("name")) for one in of(documents, "Service") for port in one["spec"]["ports"]
    }
    return [
        f"{title(one)} sends to {name}:{port}, which is no Service's"
        for one in documents
        for name, port in _backends(one)
        if (name, port) not in have
    ]


def _backends(document: Document) -> Iterator[tuple[str, object]]:
    for path, value in walk(document):
        if path.endswith("backendRefs"):
            yield from ((one["name"], one.get("port")) for one in value if one.get("kind", "Service") == "Service")
        if path.endswith(".backend.service"):
            port = value.get("port", {})
            yield value["name"], port.get("number", port.get("name"))


def targets_of_policies_exist(documents: Documents) -> Sentences:
    """A SecurityPolicy for a route or a section that is not there protects nothing, and nobody is told."""
    have = {(one["kind"], one["metadata"]["name"], section) for one in documents for section in [None, *_sections(one)]}
    return [
        f"{title(one)} is for {ref['kind']} {ref['name']} {ref.get('sectionName', '')}".rstrip()
        + ", which is not there"
        for one in documents
        for ref in one.get("spec", {}).get("targetRefs", ())
        if (ref["kind"], ref["name"], ref.get("sectionName")) not in have
    ]


def _sections(document: Document) -> list[str]:
    """The names of a Gateway's listeners or a route's rules."""
    spec = document.get("spec", {})
    parts = {"Gateway": "listeners", "HTTPRoute": "rules"}.get(document["kind"])
    return [part["name"] for part in spec.get(parts, ()) if "name" in part] if parts else []


def parents_of_routes_exist(documents: Documents) -> Sentences:
    """A route without its Gateway serves nothing."""
    gateways = {one["metadata"]["name"]: _sections(one) for one in of(documents, "Gateway")}
    return [
        f"{title(one)} belongs to Gateway {ref['name']} {ref.get('sectionName', '')}".rstrip() + ", which is not there"
        for one in of(documents, "HTTPRoute")
        for ref in one["spec"].get("parentRefs", ())
        if ref["name"] not in gateways
        or ref.get("sectionName", *gateways[ref["name"]][:1]) not in gateways[ref["name"]]
    ]
