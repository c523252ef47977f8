"""What a process is told: its ConfigMap and mounted files against the settings classes that read them."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from rules.objects import (
    COMPONENT,
    NAME,
    SERVICES,
    Document,
    Documents,
    Sentences,
    containers,
    of,
    our_workloads,
    template,
    title,
)
from rules.references import files_of

CLASSES = {"api": "ApiSettings", "worker": "WorkerSettings", "migrate": "MigrateSettings"}
PROCESS = {"SECRETS_DIR"}
"""Read before any settings class is."""
WHEN = {
    "database_password_file": lambda told: "DATABASE_PASSWORD" not in told,
    "database_ca_file": lambda told: told.get("DATABASE_TLS") == "verify-full",
    "kafka_ca_file": lambda told: told.get("KAFKA_SECURITY_PROTOCOL") == "SSL",
    "kafka_certificate_file": lambda told: told.get("KAFKA_SECURITY_PROTOCOL") == "SSL",
    "kafka_key_file": lambda told: told.get("KAFKA_SECURITY_PROTOCOL") == "SSL",
}
"""When a file with a default place is read; every other file is read when its variable is set."""


def settings_of(service: str, role: str) -> type[BaseModel]:
    """The class that a role of a service loads."""
    return getattr(import_module(f"{service.replace('-', '_')}.settings"), CLASSES[role])


def role_of(workload: Document) -> tuple[str, str]:
    """(service, role) of one of our workloads."""
    marks = template(workload)["metadata"]["labels"]
    return marks[NAME], marks[COMPONENT]


def told(documents: Documents, workload: Document) -> Mapping[str, Any]:
    """Every variable of a workload's containers; a value that comes from elsewhere reads as None."""
    maps = {one["metadata"]["name"]: one.get("data", {}) for one in of(documents, "ConfigMap")}
    variables: dict[str, Any] = {}
    for container in containers(workload):
        for source in container.get("envFrom", ()):
            variables |= maps.get(source.get("configMapRef", {}).get("name"), {})
        variables |= {one["name"]: one.get("value") for one in container.get("env", ())}
    return variables


def what_is_required_is_told(documents: Documents) -> Sentences:
    """A missing variable ends the process with one sentence; here it is said earlier."""
    return [
        f"{title(one)} is not told {name.upper()}"
        for one in our_workloads(documents)
        for name, field in settings_of(*role_of(one)).model_fields.items()
        if field.is_required() and name.upper() not in told(documents, one)
    ]


def what_is_told_is_known(documents: Documents) -> Sentences:
    """A variable that no role of the service reads is a misspelling."""
    known = {service: _known(service) for service in SERVICES}
    return [
        f"{title(one)} is told {variable}, which {role_of(one)[0]} does not know"
        for one in our_workloads(documents)
        for variable in sorted(set(told(documents, one)) - known[role_of(one)[0]])
    ]


def _known(service: str) -> set[str]:
    return PROCESS | {name.upper() for role in CLASSES for name in settings_of(service, role).model_fields}


def what_is_told_is_admissible(documents: Documents) -> Sentences:
    """Each value passes the check of its own field."""
    return [
        f"{title(one)} is told {name.upper()}={value!r}, which its settings refuse"
        for one in our_workloads(documents)
        for name, field in settings_of(*role_of(one)).model_fields.items()
        if (value := told(documents, one).get(name.upper())) is not None and not _accepts(field, value)
    ]


def _accepts(field: Any, value: str) -> bool:
    kind = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def files_that_settings_read_are_mounted(documents: Documents) -> Sentences:
    """A path under /run/secrets is there when its setting is read."""
    return [
        f"{title(one)} reads {path} ({name.upper()}), which nothing mounts"
        for one in our_workloads(documents)
        for name, path in _read(documents, one)
        if not any(path == file or path in file.parents for file in files_of(one))
    ]


def _read(documents: Documents, workload: Document) -> list[tuple[str, PurePosixPath]]:
    """(field, path) of every secret file that this workload will open."""
    variables = told(documents, workload)
    found = []
    for name, field in settings_of(*role_of(workload)).model_fields.items():
        value = str(variables.get(name.upper()) or field.default)
        if value.startswith("/run/secrets/") and WHEN.get(name, bool)(variables):
            found.append((name, PurePosixPath(value)))
    return found


def gateways_believe_the_issuer(documents: Documents) -> Sentences:
    """A gateway that checks tokens checks for the issuer and the audience that the services were told."""
    issuers = {told(documents, one).get("TOKEN_ISSUER") for one in our_workloads(documents)}
    return [
        f"{title(one)} believes {provider['issuer']} for {provider.get('audiences')}, the services do not"
        for one in of(documents, "SecurityPolicy")
        for provider in one["spec"].get("jwt", {}).get("providers", ())
        if {provider["issuer"]} != issuers or provider.get("audiences") != ["waybill"]
    ]
