"""Planted in autoscalers, triggers, budgets and monitors."""

from copy import deepcopy

from rules import article, metrics, scaling, selectors

from plants import Plant, cut, find, put

WORKER = ("ScaledObject", "order-service-worker")
API = ("HorizontalPodAutoscaler", "order-service-api")
BUDGET = ("PodDisruptionBudget", "order-service-api")
NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


def _again(documents):
    second = deepcopy(find(documents, *WORKER))
    second["metadata"]["name"] = "order-service-worker-too"
    documents.append(second)


def _another_metric(documents):
    metrics_of = find(documents, *API)["spec"]["metrics"]
    (pods,) = [one["pods"] for one in metrics_of if one["type"] == "Pods"]
    pods["metric"]["name"] = "http_requests_inflight"


def _misspelt(documents):
    metadata = find(documents, *WORKER)["spec"]["triggers"][0]["metadata"]
    metadata["tlss"] = metadata.pop("tls")


RULES = ("PrometheusRule", "waybill-messaging")
PLANTS = (
    Plant(metrics.metrics_are_exported, put(*RULES, "spec.groups.0.rules.0.expr", "max(consumer_lag) > 10000")),
    Plant(metrics.metrics_are_exported, _another_metric),
    Plant(
        metrics.alerts_say_what_to_do, put(*RULES, "spec.groups.0.rules.0.annotations.runbook_url", "https://a.b/#c")
    ),
    Plant(scaling.budgets_leave_room, put(*BUDGET, "spec.minAvailable", 3), "staging"),
    Plant(scaling.budgets_leave_room, put("PodDisruptionBudget", "user-service-worker", "spec.maxUnavailable", 0)),
    Plant(scaling.minimum_is_not_above_maximum, put(*WORKER, "spec.minReplicaCount", 13)),
    Plant(scaling.minimum_is_not_above_maximum, put(*API, "spec.minReplicas", 11), "autoscaling"),
    Plant(scaling.nobody_is_scaled_twice, _again),
    Plant(scaling.scalers_bear_the_labels_of_their_workload, cut(*API, "metadata.labels.app~kubernetes~io/name")),
    Plant(scaling.scalers_find_their_workload, put(*API, "spec.scaleTargetRef.name", "order-service"), "autoscaling"),
    Plant(scaling.scalers_measure_a_container, put(*API, "spec.metrics.0.containerResource.container", "main")),
    Plant(scaling.trigger_keys_are_known, _misspelt),
    Plant(scaling.triggers_say_what_they_need, cut(*WORKER, "spec.triggers.0.metadata.version")),
    Plant(scaling.triggers_say_what_they_need, put(*WORKER, "spec.triggers.0.metadata.offsetResetPolicy", "latest")),
    Plant(scaling.triggers_watch_what_is_read, cut(*WORKER, "spec.triggers.0")),
    Plant(scaling.who_is_scaled_states_no_replicas, put("Deployment", "order-service-api", "spec.replicas", 3)),
    Plant(scaling.workers_do_not_outnumber_partitions, put(*WORKER, "spec.maxReplicaCount", 24)),
    Plant(
        selectors.budgets_take_one_workload,
        put("PodDisruptionBudget", "user-service-worker", "spec.selector.matchLabels", {NAME: "user-service"}),
    ),
    Plant(
        selectors.pod_monitors_take_what_lasts,
        put("PodMonitor", "waybill", "spec.selector", {"matchLabels": {COMPONENT: "api"}}),
    ),
    Plant(article.apis_keep_two_pods, put(*BUDGET, "spec.minAvailable", 1)),
    Plant(article.apis_scale_as_the_article_says, put(*API, "spec.maxReplicas", 20)),
)
