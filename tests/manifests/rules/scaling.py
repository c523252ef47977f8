"""How many of each run: autoscalers, KEDA's triggers and disruption budgets, whose numbers must fit each other."""

from contracts import SUBSCRIPTIONS, TOPICS
from rules.objects import Document, Documents, Sentences, labels, matches, of, template, title

PARTITIONS = min(topic.partitions for topic in TOPICS)
KEYS = {
    "kafka": {
        "activationLagThreshold",
        "allowIdleConsumers",
        "bootstrapServers",
        "consumerGroup",
        "ensureEvenDistributionOfPartitions",
        "excludePersistentLag",
        "lagThreshold",
        "limitToPartitionsWithLag",
        "offsetResetPolicy",
        "partitionLimitation",
        "sasl",
        "scaleToZeroOnInvalidOffset",
        "tls",
        "topic",
        "unsafeSsl",
        "version",
    },
    "prometheus": {
        "activationThreshold",
        "authModes",
        "customHeaders",
        "ignoreNullValues",
        "namespace",
        "query",
        "queryParameters",
        "serverAddress",
        "threshold",
        "timeout",
        "unsafeSsl",
    },
}
"""KEDA 2.21. A trigger's metadata is free text in the CustomResourceDefinition; a misspelt key is ignored."""
NEEDED = {
    "kafka": {"bootstrapServers", "consumerGroup", "lagThreshold", "offsetResetPolicy", "topic", "version"},
    "prometheus": {"query", "serverAddress", "threshold"},
}


def bounds(scaler: Document) -> tuple[int, int]:
    """(minimum, maximum) of an autoscaler."""
    spec = scaler["spec"]
    if scaler["kind"] == "ScaledObject":
        return spec.get("minReplicaCount", 0), spec.get("maxReplicaCount", 100)
    return spec.get("minReplicas", 1), spec["maxReplicas"]


def scalers(documents: Documents) -> list[Document]:
    """Everything that changes a number of replicas."""
    return of(documents, "HorizontalPodAutoscaler", "ScaledObject")


def scaled(documents: Documents, scaler: Document) -> list[Document]:
    """The workload that an autoscaler means; none when its reference is wrong."""
    meant = scaler["spec"]["scaleTargetRef"]
    kind, name = meant.get("kind", "Deployment"), meant["name"]
    return [one for one in of(documents, kind) if one["metadata"]["name"] == name]


def scalers_find_their_workload(documents: Documents) -> Sentences:
    """A wrong name scales nothing, and says so only in an event."""
    lost = [one for one in scalers(documents) if not scaled(documents, one)]
    return [f"{title(one)} scales {one['spec']['scaleTargetRef']['name']}, which is not there" for one in lost]


def scalers_measure_a_container(documents: Documents) -> Sentences:
    """ContainerResource names one; a wrong name is a metric that never comes."""
    wrong = []
    for one in of(documents, "HorizontalPodAutoscaler"):
        boxes = {box["name"] for pod in scaled(documents, one) for box in template(pod)["spec"]["containers"]}
        for metric in one["spec"].get("metrics", ()):
            name = metric.get("containerResource", {}).get("container")
            if name and boxes and name not in boxes:
                wrong.append(f"{title(one)} measures container {name}, which is not there")
    return wrong


def minimum_is_not_above_maximum(documents: Documents) -> Sentences:
    """And at least one, since a worker at rest still relays."""
    return [
        f"{title(one)} scales from {low} to {high}"
        for one in scalers(documents)
        for low, high in [bounds(one)]
        if not 1 <= low <= high
    ]


def nobody_is_scaled_twice(documents: Documents) -> Sentences:
    """Two autoscalers of one workload undo each other."""
    targets = [title(target) for one in scalers(documents) for target in scaled(documents, one)]
    return [f"{name} has two autoscalers" for name in sorted({one for one in targets if targets.count(one) > 1})]


def who_is_scaled_states_no_replicas(documents: Documents) -> Sentences:
    """Each apply would set the number back."""
    return [
        f"{title(target)} states replicas and {title(one)} scales it"
        for one in scalers(documents)
        for target in scaled(documents, one)
        if "replicas" in target["spec"]
    ]


def workers_do_not_outnumber_partitions(documents: Documents) -> Sentences:
    """A member of a group without a partition does nothing."""
    return [
        f"{title(one)} scales to {bounds(one)[1]}, a topic has {PARTITIONS} partitions"
        for one in of(documents, "ScaledObject")
        if bounds(one)[1] > PARTITIONS
    ]


def triggers(documents: Documents) -> list[tuple[Document, Document]]:
    """Every (ScaledObject, trigger)."""
    return [(one, trigger) for one in of(documents, "ScaledObject") for trigger in one["spec"]["triggers"]]


def trigger_keys_are_known(documents: Documents) -> Sentences:
    """Against the list of each type."""
    return [
        f"{title(one)}: a trigger {trigger['type']} knows no {key}"
        for one, trigger in triggers(documents)
        for key in sorted(set(trigger["metadata"]) - KEYS.get(trigger["type"], set()))
    ]


def triggers_say_what_they_need(documents: Documents) -> Sentences:
    """Without `version` KEDA speaks a protocol that Kafka 4 has dropped; without `earliest` a new group has no lag."""
    wrong = [
        f"{title(one)}: trigger {trigger['type']} has no {key}"
        for one, trigger in triggers(documents)
        for key in sorted(NEEDED.get(trigger["type"], set()) - set(trigger["metadata"]))
    ]
    policies = [(one, trigger["metadata"].get("offsetResetPolicy", "earliest")) for one, trigger in triggers(documents)]
    return wrong + [f"{title(one)}: offsetResetPolicy is {policy}" for one, policy in policies if policy != "earliest"]


def triggers_watch_what_is_read(documents: Documents) -> Sentences:
    """One trigger per topic that the worker's group reads, and no others."""
    wrong = []
    for one in of(documents, "ScaledObject"):
        group = one["spec"]["scaleTargetRef"]["name"].removesuffix("-worker")
        reads = {(group, topic.name) for topic in SUBSCRIPTIONS.get(group, ())}
        found = [trigger["metadata"] for trigger in one["spec"]["triggers"] if trigger["type"] == "kafka"]
        watched = {(each.get("consumerGroup"), each.get("topic")) for each in found}
        wrong += [f"{title(one)} does not watch {topic} for {owner}" for owner, topic in sorted(reads - watched)]
        wrong += [f"{title(one)} watches {topic} for {owner}" for owner, topic in watched - reads if owner and topic]
    return wrong


def budgets_leave_room(documents: Documents) -> Sentences:
    """A budget as large as the smallest number of pods lets nobody drain a node."""
    wrong = []
    for one in of(documents, "PodDisruptionBudget"):
        for target in _guarded(documents, one):
            low, asked = lowest(documents, target), one["spec"].get("minAvailable")
            if asked is not None and not (isinstance(asked, int) and asked < low):
                wrong.append(f"{title(one)} wants {asked} of at least {low} pods, so that none can be moved")
            if one["spec"].get("maxUnavailable") in (0, "0%"):
                wrong.append(f"{title(one)} lets no pod be moved")
    return wrong


def _guarded(documents: Documents, budget: Document) -> list[Document]:
    selector = budget["spec"]["selector"]
    here = of(documents, "Deployment", "StatefulSet")
    return [one for one in here if matches(selector, template(one)["metadata"].get("labels", {}))]


def lowest(documents: Documents, workload: Document) -> int:
    """The smallest number of pods that a workload is ever scaled to."""
    lows = [bounds(one)[0] for one in scalers(documents) if workload in scaled(documents, one)]
    return min(lows, default=workload["spec"].get("replicas", 1))


def scalers_bear_the_labels_of_their_workload(documents: Documents) -> Sentences:
    """They are found by them: `kubectl get hpa -l app.kubernetes.io/name=order-service`."""
    pairs = [(one, target) for one in scalers(documents) for target in scaled(documents, one)]
    return [
        f"{title(one)} does not bear the labels of {title(target)}"
        for one, target in pairs
        if not labels(target).items() <= {**labels(one)}.items()
    ]
