"""Schemas: the core kinds strictly, for the three newest minors that kubernetes-validate carries; custom kinds by CRD.

Unknown fields are refused in both: the API server drops them with no more than a warning.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from kubernetes_validate import utils as carried
from referencing import Registry, Resource

from rules.objects import Document, Documents, Sentences, title

SCHEMAS = files("kubernetes_validate") / "kubernetes-json-schema"
NOT_CORE = {"gateway.networking.k8s.io"}
"""Ends like a core group and is a CustomResourceDefinition."""
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def newest(count: int = 3) -> list[str]:
    """`1.35.0`, `1.36.0`, `1.37.0`: the newest version of each of the newest minors, oldest first."""
    by_minor = {carried.major_minor(version): version for version in carried.all_versions()}
    return list(by_minor.values())[-count:]


def is_built_in(document: Document) -> bool:
    """Whether every cluster knows this kind."""
    return _is_carried(document["kind"], document["apiVersion"])


@cache
def _is_carried(kind: str, api_version: str) -> bool:
    return _file({"kind": kind, "apiVersion": api_version}, newest(1)[0]).is_file()


def core_kinds_have_known_fields(documents: Documents) -> Sentences:
    """Strictly, in each of the three minors."""
    texts = {json.dumps(one, sort_keys=True) for one in documents if is_built_in(one)}
    return sorted(fault for text in texts for version in newest() for fault in _core_faults(text, version))


@cache
def _core_faults(text: str, version: str) -> tuple[str, ...]:
    document = json.loads(text)
    if not _file(document, version).is_file():
        return (f"{title(document)}: Kubernetes {version} knows no {document['apiVersion']} {document['kind']}",)
    validator = _core_validator(document["kind"].lower(), _group(document), version)
    return tuple(_said(document, error) + f" (Kubernetes {version})" for error in validator.iter_errors(document))


@cache
def _core_validator(kind: str, group: str, version: str) -> Any:
    schema = json.loads((SCHEMAS / f"v{version}-local-strict" / f"{kind}-{group}.json").read_text())
    return jsonschema.Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> Any:
    text = (SCHEMAS / f"v{version}-local-strict" / "_definitions.json").read_text()
    return Resource.from_contents(json.loads(text)) @ Registry()


def _file(document: Document, version: str) -> Any:
    return SCHEMAS / f"v{version}-local-strict" / f"{document['kind'].lower()}-{_group(document)}.json"


def _group(document: Document) -> str:
    """`networking-v1` for networking.k8s.io/v1, `apps-v1`, `v1`; a group of somebody else's stays as it is."""
    group, _, version = document["apiVersion"].rpartition("/")
    short = group.split(".")[0] if group.endswith(".k8s.io") and group not in NOT_CORE else group
    return f"{short}-{version}".lstrip("-")


def _said(document: Document, error: jsonschema.ValidationError) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    return f"{title(document)}: {place or 'it'}: {error.message[:200]}"


class CustomKinds:
    """The CustomResourceDefinitions of a folder; each is read when the first document of its kind comes."""

    def __init__(self, folder: Path) -> None:
        self._texts = [file.read_text() for file in sorted(folder.glob("*.yaml"))]
        self._known: dict[str, dict[str, Any]] = {}

    def validator(self, api_version: str, kind: str) -> Any:
        """For documents of this version and kind; None when nobody defines it."""
        if kind not in self._known:
            texts = [text for text in self._texts if re.search(rf"(?m)^ +kind: {kind}$", text)]
            self._known[kind] = {key: found for text in texts for key, found in _versions(text, kind)}
        return self._known[kind].get(api_version)


def _versions(text: str, kind: str) -> Iterator[tuple[str, Any]]:
    for crd in yaml.load_all(text, Loader=LOADER):
        if crd["spec"]["names"]["kind"] == kind:
            for version in crd["spec"]["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"], root=True)
                yield f"{crd['spec']['group']}/{version['name']}", jsonschema.Draft202012Validator(schema)


def custom_kinds_have_known_fields(documents: Documents, known: CustomKinds) -> Sentences:
    """As the API server with `fieldValidation: Strict` would say it, CEL apart."""
    wrong = []
    for one in documents:
        if is_built_in(one):
            continue
        validator = known.validator(one["apiVersion"], one["kind"])
        if validator is None:
            wrong.append(f"{title(one)}: nothing defines {one['apiVersion']} {one['kind']}")
        else:
            wrong += [_said(one, error) for error in validator.iter_errors(one)]
    return wrong


def strict(schema: Any, *, root: bool = False) -> Any:
    """A structural schema of a CRD as plain JSON Schema that refuses what it does not know."""
    if not isinstance(schema, dict):
        return schema
    plain = {key: _strict_part(key, value) for key, value in schema.items()}
    if schema.get("nullable") and "type" in schema:
        plain["type"] = [schema["type"], "null"]
    if "properties" in schema and not _is_open(schema):
        plain["additionalProperties"] = False
    if root:
        plain["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
    return plain


def _is_open(schema: dict[str, Any]) -> bool:
    """Whether it lets other fields pass; a branch of anyOf or oneOf speaks of some fields only and has no type."""
    return (
        "type" not in schema
        or "additionalProperties" in schema
        or bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    )


def _strict_part(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: strict(below) for name, below in value.items()}
    if key in ("items", "additionalProperties", "not"):
        return strict(value)
    if key in ("anyOf", "allOf", "oneOf"):
        return [strict(below) for below in value]
    return value
