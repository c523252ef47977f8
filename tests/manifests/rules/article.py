"""The numbers of the source article, as production has them."""

from rules.objects import (
    COMPONENT,
    SERVICES,
    Document,
    Documents,
    Sentences,
    containers,
    named,
    of,
    our_workloads,
    template,
    title,
)

RESOURCES = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "250m", "memory": "256Mi"}}
HOST = "api.yourdomain.com"
PATHS = {
    "/orders": "order-service",
    "/products": "inventory-service",
    "/users": "user-service",
    "/oauth": "user-service",
    "/.well-known": "user-service",
}
PRE_STOP = 5
"""Seconds in which an endpoint's removal reaches every proxy."""
DRAIN = 5


def resources_are_the_articles(documents: Documents) -> Sentences:
    """Requests 100m/128Mi, limits 250m/256Mi."""
    boxes = [(one, box) for one in our_workloads(documents) for box in containers(one)]
    return [
        f"{named(*pair)} has other resources than the article"
        for pair in boxes
        if pair[1].get("resources") != RESOURCES
    ]


def services_are_the_articles(documents: Documents) -> Sentences:
    """ClusterIP, 80 to the port named http, which is 8080."""
    return [
        f"Service {name} does not lead from 80 to http"
        for name in SERVICES
        if not any(_leads(one) for one in of(documents, "Service") if one["metadata"]["name"] == name)
    ]


def _leads(service: Document) -> bool:
    ports = [(port["port"], port.get("targetPort")) for port in service["spec"]["ports"]]
    return service["spec"].get("type", "ClusterIP") == "ClusterIP" and ports == [(80, "http")]


def apis_scale_as_the_article_says(documents: Documents) -> Sentences:
    """At least 3, at most 10, by CPU at 80 %."""
    return [
        f"no autoscaler keeps {name}-api between 3 and 10 at 80 % CPU"
        for name in SERVICES
        if not _scales(documents, name)
    ]


def _scales(documents: Documents, service: str) -> bool:
    wanted = [one for one in of(documents, "HorizontalPodAutoscaler") if one["metadata"]["name"] == f"{service}-api"]
    return any(
        (one["spec"].get("minReplicas"), one["spec"]["maxReplicas"]) == (3, 10)
        and any(_is_cpu_80(metric) for metric in one["spec"].get("metrics", ()))
        for one in wanted
    )


def _is_cpu_80(metric: Document) -> bool:
    found = metric.get("containerResource", metric.get("resource", {}))
    return found.get("name") == "cpu" and found["target"].get("averageUtilization") == 80


def apis_keep_two_pods(documents: Documents) -> Sentences:
    """PodDisruptionBudget with minAvailable 2."""
    budgets = {one["metadata"]["name"]: one["spec"].get("minAvailable") for one in of(documents, "PodDisruptionBudget")}
    return [f"no budget keeps two pods of {name}-api" for name in SERVICES if budgets.get(f"{name}-api") != 2]


def what_lasts_ends_in_peace(documents: Documents) -> Sentences:
    """preStop, and a grace that holds it, the drain and what is in flight."""
    wrong = []
    for one in our_workloads(documents):
        if one["kind"] != "Deployment":
            continue
        pause = containers(one)[0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if pause < PRE_STOP:
            wrong.append(f"{title(one)} does not wait {PRE_STOP} s before it stops")
        if template(one)["spec"].get("terminationGracePeriodSeconds", 30) < 30 + PRE_STOP + DRAIN:
            wrong.append(f"{title(one)} is killed before its drain ends")
    return wrong


def rollouts_take_no_pod_away_first(documents: Documents) -> Sentences:
    """maxUnavailable 0."""
    ours = [one for one in our_workloads(documents) if one["kind"] == "Deployment"]
    rolling = [(one, one["spec"].get("strategy", {}).get("rollingUpdate", {})) for one in ours]
    return [f"{title(one)} may roll with a pod less" for one, how in rolling if how.get("maxUnavailable") != 0]


def every_service_has_all_its_processes(documents: Documents) -> Sentences:
    """api, worker and migrate, each of its own image."""
    have = {
        (template(one)["metadata"]["labels"].get("app.kubernetes.io/name"), one["metadata"]["labels"].get(COMPONENT))
        for one in our_workloads(documents)
    }
    wrong = [
        f"{name} has no {role}"
        for name in SERVICES
        for role in ("api", "worker", "migrate")
        if (name, role) not in have
    ]
    for one in our_workloads(documents):
        role, box = template(one)["metadata"]["labels"].get(COMPONENT), containers(one)[0]
        if box.get("args") != [role]:
            wrong.append(f"{named(one, box)} plays {box.get('args')}, not {role}")
    return wrong


def paths_lead_to_their_service(documents: Documents) -> Sentences:
    """Where there is an edge: `api.yourdomain.com/orders` to order-service and so on, under that host only."""
    edges = [*of(documents, "Ingress"), *of(documents, "Gateway")]
    led = {pair for one in [*of(documents, "Ingress"), *of(documents, "HTTPRoute")] for pair in _led(one)}
    lost = [
        f"nothing leads {path} to {service}" for path, service in PATHS.items() if edges and (path, service) not in led
    ]
    lost += [f"{path} leads to {service}" for path, service in sorted(led) if PATHS.get(path) != service]
    hosts = [(one, host) for one in edges for host in _hosts(one)]
    return lost + [f"{title(one)} serves {host}" for one, host in hosts if host != HOST]


def _hosts(edge: Document) -> list[str]:
    spec = edge["spec"]
    return [one.get("host", one.get("hostname", "any host")) for one in spec.get("rules", spec.get("listeners", ()))]


def _led(route: Document) -> set[tuple[str, str]]:
    """(path, Service) of every backend."""
    found = set()
    for rule in route["spec"].get("rules", ()):
        for path in rule.get("http", {}).get("paths", ()):
            found.add((path["path"], path["backend"]["service"]["name"]))
        for match in rule.get("matches", ()):
            found |= {(match["path"]["value"], one["name"]) for one in rule.get("backendRefs", ())}
    return found
