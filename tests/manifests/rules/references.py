"""Whatever is named is there: ConfigMaps, Secrets and their keys, accounts, priorities, ports, backends."""

import fnmatch
from collections.abc import Iterator
from pathlib import PurePosixPath

from rules.objects import (
    SERVICES,
    Document,
    Documents,
    Sentences,
    containers,
    named,
    of,
    template,
    title,
    walk,
    workloads,
)

SECRETS: dict[str, tuple[str, ...]] = {
    **{f"{service}-db": ("username", "password") for service in SERVICES},
    **{f"kafka-{service}": ("user.crt", "user.key") for service in SERVICES},
    "kafka-cluster-ca-cert": ("ca.crt",),
    "postgres-ca": ("ca.crt",),
    "user-service-admin": ("password",),
    "user-service-signing-keys": ("*.pem",),
}
"""Name -> keys. Who makes a Secret differs (`make secrets`, External Secrets, an operator), these do not."""
WHOLE_MENTIONS = {"secret", "passwordSecret", "secretKeyRef"}
NAME_MENTIONS = {"secretName", "serverCASecret", "serverTLSSecret"}
MADE = {
    "Certificate": lambda one: (one["spec"]["secretName"], ("tls.crt", "tls.key", "ca.crt")),
    "ExternalSecret": lambda one: (one["spec"].get("target", {}).get("name", one["metadata"]["name"]), _keys(one)),
    "Ingress": lambda one: (_of_ingress(one), ("tls.crt", "tls.key", "ca.crt")),
    "KafkaUser": lambda one: (f"kafka-{one['metadata']['name']}", ("user.crt", "user.key", "ca.crt")),
    "Kafka": lambda one: (f"{one['metadata']['name']}-cluster-ca-cert", ("ca.crt",)),
}
"""Custom kinds whose controller makes a Secret: its name and keys."""


def _of_ingress(ingress: Document) -> str:
    """cert-manager makes the Secret of an Ingress that names an issuer; nobody does otherwise."""
    issued = any(key.startswith("cert-manager.io/") for key in ingress["metadata"].get("annotations", {}))
    return ingress["spec"]["tls"][0]["secretName"] if issued and ingress["spec"].get("tls") else ""


def _keys(external: Document) -> tuple[str, ...]:
    keys = [one["secretKey"] for one in external["spec"].get("data", ())]
    keys += external["spec"].get("target", {}).get("template", {}).get("data", {})
    return tuple(keys) if keys and "dataFrom" not in external["spec"] else ("*",)


def secrets(documents: Documents) -> dict[str, tuple[str, ...]]:
    """Every Secret that will be there: the table's and those that these documents have made."""
    return {**dict(MADE[one["kind"]](one) for one in of(documents, *MADE)), **SECRETS}


def named_secrets_exist(documents: Documents) -> Sentences:
    """In volumes, variables and custom resources."""
    have = secrets(documents)
    return [
        f"{title(one)} needs the Secret {name}, which nobody makes"
        for one in documents
        if one["kind"] != "TriggerAuthentication" or one["metadata"]["name"] in _in_use(documents)
        for name, _ in sorted(_secrets_named(one))
        if name not in have
    ]


def _in_use(documents: Documents) -> set[str]:
    """The authentications that a trigger names; another one is not read."""
    triggers = [trigger for one in of(documents, "ScaledObject") for trigger in one["spec"]["triggers"]]
    return {trigger.get("authenticationRef", {}).get("name") for trigger in triggers}


def keys_of_secrets_exist(documents: Documents) -> Sentences:
    """A missing key keeps a pod in ContainerCreating for ever."""
    have = secrets(documents)
    return [
        f"{title(one)} needs {key} of the Secret {name}, which has {', '.join(have[name])}"
        for one in documents
        for name, key in sorted(_secrets_named(one))
        if key and name in have and not any(fnmatch.fnmatch(key, known) for known in have[name])
    ]


def _secrets_named(document: Document) -> set[tuple[str, str]]:
    """(name, key) for every mention; the key is empty where the whole Secret is taken."""
    found = set()
    for path, value in walk(document):
        last = path.rsplit(".", 1)[-1]
        if last in WHOLE_MENTIONS or ".secretTargetRef." in path or ".certificateRefs." in path:
            found |= _mentions(value)
        if last in NAME_MENTIONS and document["kind"] != "Certificate":
            found.add((value, ""))
    return found


def secrets_have_a_maker(documents: Documents) -> Sentences:
    """Where nobody says `make secrets`, each Secret is an operator's or External Secrets' to make."""
    made = dict(MADE[one["kind"]](one) for one in of(documents, *MADE) if one["kind"] != "Kafka")
    named = {name for one in workloads(documents) for name, _ in _secrets_named(one)}
    return [f"nothing makes the Secret {name}" for name in sorted(named - set(made))]


def _mentions(value: object) -> set[tuple[str, str]]:
    if not isinstance(value, dict) or not (name := value.get("secretName", value.get("name"))):
        return set()
    items = value.get("items") or [{"key": value.get("key", "")}]
    return {(name, item["key"]) for item in items}


def named_config_maps_exist(documents: Documents) -> Sentences:
    """Under the name that the generator gave them, hash and all."""
    have = {one["metadata"]["name"] for one in of(documents, "ConfigMap")}
    return [
        f"{title(one)} needs the ConfigMap {name}, which is not there"
        for one in workloads(documents)
        for path, value in walk(one)
        if path.rsplit(".", 1)[-1] in ("configMap", "configMapRef", "configMapKeyRef")
        and (name := value.get("name")) not in have
    ]


def every_config_map_is_read(documents: Documents) -> Sentences:
    """One that nobody names was renamed by half."""
    told = {name for one in workloads(documents) for name in _config_maps(one)}
    marked = {one["metadata"]["name"] for one in of(documents, "ConfigMap") if _is_for_a_sidecar(one)}
    have = {one["metadata"]["name"] for one in of(documents, "ConfigMap")}
    return [f"ConfigMap {name} is read by nobody" for name in sorted(have - told - marked)]


def _is_for_a_sidecar(config: Document) -> bool:
    """Grafana finds its dashboards by this label."""
    return "grafana_dashboard" in config["metadata"].get("labels", {})


def _config_maps(document: Document) -> Iterator[str]:
    for path, value in walk(document):
        if path.rsplit(".", 1)[-1] in ("configMap", "configMapRef", "configMapKeyRef"):
            yield value.get("name", "")


def accounts_exist(documents: Documents) -> Sentences:
    """Whose pods wait for ever otherwise."""
    have = {one["metadata"]["name"] for one in of(documents, "ServiceAccount")} | {"default"}
    used = [(one, template(one)["spec"].get("serviceAccountName", "default")) for one in workloads(documents)]
    return [f"{title(one)} runs as {name}, which is no ServiceAccount" for one, name in used if name not in have]


def priorities_exist(documents: Documents) -> Sentences:
    """A PriorityClass is cluster-wide: deploy/configs brings it."""
    have = {one["metadata"]["name"] for one in of(documents, "PriorityClass")}
    used = [(one, template(one)["spec"].get("priorityClassName")) for one in workloads(documents)]
    return [
        f"{title(one)} has the priority {name}, which is not there" for one, name in used if name and name not in have
    ]


def probes_name_a_port(documents: Documents) -> Sentences:
    """A probe of a port that its own container does not name fails for ever."""
    wrong = []
    for one in workloads(documents):
        for container in containers(one):
            have = {port.get("name") for port in container.get("ports", ())}
            for path, value in walk({key: below for key, below in container.items() if key.endswith("Probe")}):
                if path.endswith(".port") and isinstance(value, str) and value not in have:
                    wrong.append(f"{named(one, container)}: {path} {value} is no port of it")
    return wrong


def files_of(workload: Document) -> set[PurePosixPath]:
    """Every file that Secrets bring into a workload's containers, `*` where a Secret's keys are free."""
    volumes = {volume["name"]: _files(volume) for volume in template(workload)["spec"].get("volumes", ())}
    mounts = [mount for container in containers(workload) for mount in container.get("volumeMounts", ())]
    return {PurePosixPath(mount["mountPath"]) / file for mount in mounts for file in volumes.get(mount["name"], ())}


def _files(volume: Document) -> list[str]:
    sources = volume.get("projected", {}).get("sources", [volume])
    found = [one["secret"] for one in sources if "secret" in one]
    return [file for secret in found for file in _files_of_a_secret(secret)]


def _files_of_a_secret(secret: Document) -> list[str]:
    if "items" in secret:
        return [item["path"] for item in secret["items"]]
    return list(SECRETS.get(secret.get("secretName", secret.get("name")), ("*",)))
