"""What every container has: a name, bounds, probes and the security context of the standard `restricted`."""

from decimal import Decimal

from rules.objects import (
    Document,
    Documents,
    Sentences,
    containers,
    labels,
    named,
    namespace,
    of,
    our_workloads,
    template,
    title,
    workloads,
)

FACTORS = {"m": Decimal("0.001"), "": Decimal(1), "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9)}
FACTORS |= {f"{letter}i": Decimal(1024**power) for power, letter in enumerate("KMGT", 1)}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
LEVEL = "pod-security.kubernetes.io/enforce"
OF_A_NODES_READER = {"a volume is a hostPath", "runAsNonRoot is not true", "runAsUser is 0"}
"""What a DaemonSet that reads its node's files may need, in a namespace that says so by its level."""
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def quantity(text: object) -> Decimal:
    """`250m`, `256Mi`, `1` as a number."""
    digits = str(text).rstrip("mkKMGTi")
    return Decimal(digits) * FACTORS[str(text)[len(digits) :]]


def each(documents: Documents) -> list[tuple[Document, Document]]:
    """Every (workload, container)."""
    return [(one, container) for one in workloads(documents) for container in containers(one)]


def our_containers_are_named_app(documents: Documents) -> Sentences:
    """service-defaults patches by this name, so that another one stays bare."""
    ours = [(one, container) for one in our_workloads(documents) for container in containers(one)]
    return [f"{named(*pair)} is not named app" for pair in ours if pair[1]["name"] != "app"]


def containers_have_requests_and_limits(documents: Documents) -> Sentences:
    """CPU and memory, both ways."""
    return [
        f"{named(one, container)} has no {bound[:-1]} of {resource}"
        for one, container in each(documents)
        for bound in ("requests", "limits")
        for resource in ("cpu", "memory")
        if resource not in container.get("resources", {}).get(bound, {})
    ]


def requests_are_within_limits(documents: Documents) -> Sentences:
    """The API server refuses the pod, not the Deployment."""
    wrong = []
    for one, container in each(documents):
        bounds = container.get("resources", {})
        limits = bounds.get("limits", {})
        for resource, asked in bounds.get("requests", {}).items():
            if resource in limits and quantity(asked) > quantity(limits[resource]):
                wrong.append(f"{named(one, container)} requests {asked} of {resource}, its limit is {limits[resource]}")
    return wrong


def what_lasts_has_probes(documents: Documents) -> Sentences:
    """Ours have all three, what stands beside them at least readiness; a Job has none."""
    ours = {title(one) for one in our_workloads(documents)}
    return [
        f"{named(one, container)} has no {probe}"
        for one in workloads(documents)
        if one["kind"] not in ("Job", "CronJob", "DaemonSet")
        for container in template(one)["spec"]["containers"]
        for probe in (PROBES if title(one) in ours else PROBES[2:])
        if probe not in container
    ]


def pods_meet_the_restricted_standard(documents: Documents) -> Sentences:
    """Pod Security Standard `restricted`, as the API server would say it when the pod is made."""
    free = {one["metadata"]["name"] for one in of(documents, "Namespace") if labels(one).get(LEVEL) == "privileged"}
    wrong = []
    for one in workloads(documents):
        pod, reads_its_node = template(one)["spec"], one["kind"] == "DaemonSet" and namespace(one) in free
        faults = _pod_faults(pod) + [fault for box in containers(one) for fault in _faults(pod, box)]
        wrong += [f"{title(one)}: {fault}" for fault in faults if not (reads_its_node and fault in OF_A_NODES_READER)]
    return wrong


def _pod_faults(spec: Document) -> list[str]:
    faults = [f"{field} is set" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    kinds = [(volume["name"], set(volume) - {"name"}) for volume in spec.get("volumes", ())]
    return faults + [f"a volume is a {kind}" for _, found in kinds for kind in sorted(found - VOLUMES)]


def _faults(spec: Document, container: Document) -> list[str]:
    pods, own = spec.get("securityContext", {}), container.get("securityContext", {})
    both = {**pods, **own}
    checks = {
        "allowPrivilegeEscalation is not false": own.get("allowPrivilegeEscalation") is False,
        "capabilities are not dropped": "ALL" in own.get("capabilities", {}).get("drop", ()),
        "capabilities are added": set(own.get("capabilities", {}).get("add", ())) <= {"NET_BIND_SERVICE"},
        "runAsNonRoot is not true": both.get("runAsNonRoot") is True,
        "runAsUser is 0": both.get("runAsUser") != 0,
        "seccompProfile is not RuntimeDefault": both.get("seccompProfile", {}).get("type") == "RuntimeDefault",
        "privileged is set": not own.get("privileged"),
        "a hostPort is taken": not any(port.get("hostPort") for port in container.get("ports", ())),
    }
    return [fault for fault, holds in checks.items() if not holds]


def our_roots_are_read_only(documents: Documents) -> Sentences:
    """Nothing is written into an image; component `dev` is the one exception and is never in production."""
    ours = [(one, container) for one in our_workloads(documents) for container in containers(one)]
    return [
        f"{named(*pair)} may write to its root"
        for pair in ours
        if not pair[1].get("securityContext", {}).get("readOnlyRootFilesystem")
    ]


def pods_hold_no_token(documents: Documents) -> Sentences:
    """None of ours talks to the API server, and variables named after Services would be read as settings."""
    return [
        f"{title(one)}: {field} is not false"
        for one in our_workloads(documents)
        for field in ("automountServiceAccountToken", "enableServiceLinks")
        if template(one)["spec"].get(field) is not False
    ]


def restart_policies_fit_the_kind(documents: Documents) -> Sentences:
    """A Deployment's pod restarts always, a Job's never or on failure."""
    wrong = []
    for one in workloads(documents):
        policy = template(one)["spec"].get("restartPolicy", "Always")
        if (policy == "Always") is (one["kind"] in ("Job", "CronJob")):
            wrong.append(f"{title(one)}: restartPolicy {policy} does not fit a {one['kind']}")
    return wrong


def mounts_name_a_volume(documents: Documents) -> Sentences:
    """And each volume is mounted by somebody."""
    wrong = []
    for one in workloads(documents):
        have = {volume["name"] for volume in template(one)["spec"].get("volumes", ())}
        have |= {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", ())}
        used = {mount["name"] for container in containers(one) for mount in container.get("volumeMounts", ())}
        wrong += [f"{title(one)} mounts {name}, which is no volume of it" for name in sorted(used - have)]
        wrong += [f"{title(one)} has a volume {name} that nobody mounts" for name in sorted(have - used)]
    return wrong


OF_A_JOB = (
    containers_have_requests_and_limits,
    mounts_name_a_volume,
    pods_meet_the_restricted_standard,
    requests_are_within_limits,
    restart_policies_fit_the_kind,
)
"""Of a pod that ends, whoever it belongs to."""
