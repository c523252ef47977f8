"""Planted where one object names another: ConfigMaps, Secrets, settings, ports, routes."""

from rules import ports, references, secrets, settings

from plants import Plant, append, cut, extra, find, gone, put

BOX = "spec.template.spec.containers.0"
NOT_SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "order-service-db", "namespace": "waybill"}}
UNREAD = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unread", "namespace": "waybill"}, "data": {}}


def _secret_of(documents):
    """The database's Secret is one of the volumes of an api."""
    pod = next(
        one for one in documents if one["metadata"]["name"] == "order-service-api" and one["kind"] == "Deployment"
    )
    (volume,) = [one for one in pod["spec"]["template"]["spec"]["volumes"] if one["name"] == "db"]
    return volume["projected"]["sources"][0]["secret"]


def _another_secret(documents):
    _secret_of(documents)["name"] = "order-service-database"


def _another_key(documents):
    _secret_of(documents)["items"][0]["key"] = "passphrase"


def _administrator_elsewhere(documents):
    job = find(documents, "Job", "user-service-migrate")
    mounts = job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    (mount,) = [one for one in mounts if one["name"] == "admin"]
    mount["mountPath"] = "/run/secrets/administrator"


PLANTS = (
    Plant(
        references.named_config_maps_exist,
        append("Deployment", "collector", f"{BOX}.envFrom", {"configMapRef": {"name": "collector-variables"}}),
    ),
    Plant(references.every_config_map_is_read, extra(UNREAD)),
    Plant(
        references.accounts_exist,
        put("Job", "order-service-migrate", "spec.template.spec.serviceAccountName", "order-servic"),
    ),
    Plant(references.probes_name_a_port, put("Deployment", "collector", f"{BOX}.readinessProbe.httpGet.port", "helth")),
    Plant(
        references.priorities_exist,
        put("Job", "order-service-migrate", "spec.template.spec.priorityClassName", "waybil"),
    ),
    Plant(references.named_secrets_exist, _another_secret, "local"),
    Plant(references.keys_of_secrets_exist, _another_key),
    Plant(references.secrets_have_a_maker, gone("ExternalSecret", "user-service-admin")),
    Plant(secrets.nothing_rendered_is_a_secret, extra(NOT_SECRET)),
    Plant(secrets.no_variable_is_a_secret, put("ConfigMap", "adapter-rules", "data.ELASTIC_PASSWORD", "changeme")),
    Plant(settings.what_is_required_is_told, cut("ConfigMap", "user-service", "data.TOKEN_ISSUER"), "local"),
    Plant(settings.what_is_told_is_known, put("ConfigMap", "user-service", "data.DATABSE_NAME", "users")),
    Plant(settings.what_is_told_is_admissible, put("ConfigMap", "order-service", "data.DRAIN_SECONDS", "five")),
    Plant(settings.what_is_told_is_admissible, put("ConfigMap", "order-service", "data.TRACE_RATIO", "10")),
    Plant(settings.files_that_settings_read_are_mounted, _administrator_elsewhere),
    Plant(
        settings.gateways_believe_the_issuer,
        put("SecurityPolicy", "tokens", "spec.jwt.providers.0.issuer", "https://another.example"),
    ),
    Plant(ports.services_lead_to_a_port, put("Service", "loki", "spec.ports.0.targetPort", "htp")),
    Plant(ports.monitors_name_a_port, put("PodMonitor", "waybill", "spec.podMetricsEndpoints.0.port", "metrics")),
    Plant(ports.backends_are_services, put("HTTPRoute", "order-service", "spec.rules.0.backendRefs.0.port", 81)),
    Plant(ports.parents_of_routes_exist, put("HTTPRoute", "nothing", "spec.parentRefs.0.sectionName", "htps")),
    Plant(
        ports.targets_of_policies_exist,
        put("BackendTrafficPolicy", "reads", "spec.targetRefs.0.sectionName", "read"),
    ),
)
