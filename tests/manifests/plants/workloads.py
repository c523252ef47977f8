"""Planted in workloads: containers, images, names, selectors, the article's numbers."""

from rules import article, containers, images, names, schemas, selectors

from plants import Plant, append, cut, find, gone, put

BOX = "spec.template.spec.containers.0"
JAEGER, SERVICE, API = ("Deployment", "jaeger"), ("Service", "order-service"), ("Deployment", "user-service-api")


def _twice(documents):
    documents.append(find(documents, "ServiceAccount", "order-service"))


PLANTS = (
    Plant(schemas.core_kinds_have_known_fields, put(*JAEGER, f"{BOX}.redinessProbe", {"periodSeconds": 1})),
    Plant(schemas.core_kinds_have_known_fields, put("Service", "loki", "spec.ports.0.targetPorts", 80)),
    Plant(names.names_fit_into_a_label, put("PrometheusRule", "waybill-slo", "metadata.name", "a" * 64)),
    Plant(names.label_values_are_labels, put("Deployment", "jaeger", "metadata.labels.team", "not one label")),
    Plant(names.objects_are_unique, _twice),
    Plant(names.port_names_are_short, put("Service", "loki", "spec.ports.0.name", "the-port-of-loki")),
    Plant(names.port_names_are_short, put("Service", "loki", "spec.ports.0.name", "3100")),
    Plant(names.everything_is_in_one_namespace, put("PrometheusRule", "waybill-slo", "metadata.namespace", "default")),
    Plant(
        names.the_namespace_enforces_the_standard,
        put("Namespace", "waybill", "metadata.labels.pod-security~kubernetes~io/enforce", "baseline"),
    ),
    Plant(
        names.the_namespace_enforces_the_standard,
        put("Namespace", "waybill", "metadata.labels.pod-security~kubernetes~io/enforce-version", "latest"),
    ),
    Plant(
        containers.mounts_name_a_volume,
        append("Deployment", "jaeger", "spec.template.spec.volumes", {"name": "more", "emptyDir": {}}),
    ),
    Plant(containers.requests_are_within_limits, put(*JAEGER, f"{BOX}.resources.requests.cpu", "1001m")),
    Plant(containers.requests_are_within_limits, put(*JAEGER, f"{BOX}.resources.requests.memory", "2Gi")),
    Plant(
        containers.restart_policies_fit_the_kind,
        put("Job", "order-service-migrate", "spec.template.spec.restartPolicy", "Always"),
    ),
    Plant(containers.containers_have_requests_and_limits, cut("Deployment", "jaeger", f"{BOX}.resources.limits")),
    Plant(
        containers.containers_have_requests_and_limits,
        cut("Deployment", "collector", f"{BOX}.resources.limits.memory"),
    ),
    Plant(containers.what_lasts_has_probes, cut("Deployment", "jaeger", f"{BOX}.readinessProbe")),
    Plant(containers.what_lasts_has_probes, cut("Deployment", "order-service-worker", f"{BOX}.startupProbe")),
    Plant(containers.our_containers_are_named_app, put("Deployment", "user-service-worker", f"{BOX}.name", "main")),
    Plant(
        containers.pods_hold_no_token,
        put("Deployment", "order-service-api", "spec.template.spec.automountServiceAccountToken", True),
    ),
    Plant(
        containers.pods_meet_the_restricted_standard,
        cut("Job", "order-service-migrate", f"{BOX}.securityContext.capabilities"),
    ),
    Plant(
        containers.pods_meet_the_restricted_standard,
        put("Deployment", "collector", "spec.template.spec.securityContext", {}),
    ),
    Plant(
        containers.our_roots_are_read_only,
        put("Deployment", "order-service-api", f"{BOX}.securityContext.readOnlyRootFilesystem", False),
    ),
    Plant(images.images_have_a_tag, put("Deployment", "kafka", f"{BOX}.image", "registry:5000/kafka"), "local"),
    Plant(images.no_image_is_the_latest, put("Deployment", "kafka", f"{BOX}.image", "apache/kafka:latest"), "local"),
    Plant(images.images_are_not_pulled_again, put("Deployment", "kafka", f"{BOX}.imagePullPolicy", "Always"), "local"),
    Plant(images.our_images_are_pinned_by_digest, put(*API, f"{BOX}.image", "a.b/user:1.0.0")),
    Plant(images.others_images_name_a_whole_version, put(*JAEGER, f"{BOX}.image", "a.b/jaeger:2")),
    Plant(selectors.services_take_a_pod, put(*SERVICE, "spec.selector.app~kubernetes~io/name", "order")),
    Plant(
        selectors.services_take_one_workload,
        cut("Service", "order-service", "spec.selector.app~kubernetes~io/component"),
    ),
    Plant(
        selectors.our_services_take_an_api,
        put(*SERVICE, "spec.selector.app~kubernetes~io/name", "user-service"),
    ),
    Plant(
        selectors.workloads_take_their_own_pods,
        put("Deployment", "jaeger", "spec.selector.matchLabels.app~kubernetes~io/name", "prometheus"),
    ),
    Plant(
        selectors.pods_spread_over_nodes,
        put(
            "Deployment",
            "order-service-api",
            "spec.template.spec.topologySpreadConstraints.0.labelSelector",
            {"matchLabels": {"app": "order-service"}},
        ),
    ),
    Plant(
        selectors.names_and_components_agree,
        put("Job", "order-service-migrate", "metadata.name", "order-service-migration"),
    ),
    Plant(article.every_service_has_all_its_processes, put("Job", "order-service-migrate", f"{BOX}.args", ["worker"])),
    Plant(article.every_service_has_all_its_processes, gone("Job", "user-service-migrate")),
    Plant(
        article.resources_are_the_articles,
        put("Deployment", "order-service-api", f"{BOX}.resources.limits.memory", "512Mi"),
    ),
    Plant(
        article.rollouts_take_no_pod_away_first,
        put("Deployment", "order-service-api", "spec.strategy.rollingUpdate.maxUnavailable", 1),
    ),
    Plant(article.services_are_the_articles, put(*SERVICE, "spec.type", "NodePort")),
    Plant(article.what_lasts_ends_in_peace, cut("Deployment", "order-service-api", f"{BOX}.lifecycle")),
    Plant(
        article.what_lasts_ends_in_peace,
        put("Deployment", "order-service-worker", "spec.template.spec.terminationGracePeriodSeconds", 30),
    ),
)
