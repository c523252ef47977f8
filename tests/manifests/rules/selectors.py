"""Selectors take the intended pods and no others; a schema cannot see that."""

from rules.objects import (
    COMPONENT,
    Document,
    Documents,
    Sentences,
    is_ours,
    labels,
    matches,
    namespace,
    of,
    template,
    title,
)
from rules.pods import Pod, own


def _taken(documents: Documents, by: Document, selector: Document | None) -> list[Pod]:
    """The pods of the same namespace that a selector takes."""
    here = [pod for pod in own(documents) if pod.namespace == namespace(by)]
    return [pod for pod in here if matches(selector, pod.labels)]


def _service_takes(documents: Documents, service: Document) -> list[Pod]:
    return _taken(documents, service, {"matchLabels": service["spec"]["selector"]})


def _with_selector(documents: Documents) -> list[Document]:
    return [one for one in of(documents, "Service") if one["spec"].get("selector")]


def services_take_a_pod(documents: Documents) -> Sentences:
    """A selector that takes nothing gives a Service without endpoints, and no error."""
    lost = [one for one in _with_selector(documents) if not _service_takes(documents, one)]
    return [f"{title(one)} selects no pod" for one in lost]


def services_take_one_workload(documents: Documents) -> Sentences:
    """By name alone a Service sends requests to workers and to a migration too."""
    wrong = []
    for one in _with_selector(documents):
        owners = [pod.owner for pod in _service_takes(documents, one)]
        if len(owners) > 1:
            wrong.append(f"{title(one)} selects the pods of {', '.join(owners)}")
    return wrong


def our_services_take_an_api(documents: Documents) -> Sentences:
    """Nothing else of ours serves requests."""
    pairs = [(one, pod) for one in _with_selector(documents) for pod in _service_takes(documents, one)]
    return [
        f"{title(one)} selects {pod.owner}, which is no api of its name"
        for one, pod in pairs
        if len(_service_takes(documents, one)) == 1
        and pod.ours
        and pod.owner != f"Deployment {one['metadata']['name']}-api"
    ]


def workloads_take_their_own_pods(documents: Documents) -> Sentences:
    """A Deployment whose selector takes another's pods adopts and kills them."""
    wrong = []
    for one in of(documents, "Deployment", "StatefulSet", "DaemonSet"):
        owners = {pod.owner for pod in _taken(documents, one, one["spec"]["selector"])}
        if owners != {title(one)}:
            wrong.append(f"{title(one)} selects the pods of {', '.join(sorted(owners)) or 'nobody'}")
    return wrong


def budgets_take_one_workload(documents: Documents) -> Sentences:
    """A budget over several workloads counts them as one."""
    wrong = []
    for one in of(documents, "PodDisruptionBudget"):
        owners = [pod.owner for pod in _taken(documents, one, one["spec"]["selector"])]
        if len(owners) != 1:
            wrong.append(f"{title(one)} selects the pods of {', '.join(owners) or 'nobody'}, not of one workload")
    return wrong


def pod_monitors_take_what_lasts(documents: Documents) -> Sentences:
    """All of our Deployments and nothing else: a migration is over before it could be read."""
    wrong = []
    wanted = {f"Deployment {one['metadata']['name']}" for one in of(documents, "Deployment") if is_ours(labels(one))}
    for one in of(documents, "PodMonitor"):
        found = {pod.owner for pod in _taken(documents, one, one["spec"]["selector"])}
        wrong += [f"{title(one)} does not read {owner}" for owner in sorted(wanted - found)]
        wrong += [f"{title(one)} reads {owner}" for owner in sorted(found - wanted)]
    return wrong


def pods_spread_over_nodes(documents: Documents) -> Sentences:
    """A spread counts its own pods, or it spreads nothing."""
    wrong = []
    for one in of(documents, "Deployment"):
        pod = template(one)
        for spread in pod["spec"].get("topologySpreadConstraints", ()):
            if not matches(spread.get("labelSelector"), pod["metadata"]["labels"]):
                wrong.append(f"{title(one)} spreads by a selector that does not take its own pods")
    return wrong


def names_and_components_agree(documents: Documents) -> Sentences:
    """`order-service-api` is the component api of order-service, in its own labels, its selector's and its pod's."""
    wrong = []
    for one in of(documents, "Deployment", "Job"):
        marks = template(one)["metadata"].get("labels", {})
        if is_ours(marks) and one["metadata"]["name"] != f"{marks['app.kubernetes.io/name']}-{marks.get(COMPONENT)}":
            wrong.append(f"{title(one)} makes pods of {marks['app.kubernetes.io/name']}, {marks.get(COMPONENT)}")
    return wrong
