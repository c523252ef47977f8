"""The last step of docs/add-a-service.md: every service stands everywhere; what was skipped is named."""

import pytest
import yaml

from contracts import SUBSCRIPTIONS
from devstack.envoy import PREFIXES
from devstack.layout import DATABASES

NAMED_IN = (
    "pyproject.toml",
    "Makefile",
    "compose.yaml",
    "skaffold.yaml",
    "kustomize/base/kustomization.yaml",
    "kustomize/overlays/local/kustomization.yaml",
    "kustomize/overlays/staging/kustomization.yaml",
    "kustomize/overlays/production/kustomization.yaml",
    "kustomize/components/network-policies/databases.yaml",
    "kustomize/components/gateway/routes.yaml",
    "kustomize/components/kafka-tls/kustomization.yaml",
    "kustomize/components/postgres-tls/kustomization.yaml",
    "deploy/configs/lite/databases.yaml",
    "deploy/configs/lite/network-policies.yaml",
)
"""Files that say the name of every service."""
OWN = (
    "services/{0}/pyproject.toml",
    "services/{0}/README.md",
    "services/{0}/migrations/env.py",
    "requirements/{0}.txt",
    "kustomize/base/{0}/kustomization.yaml",
    "kustomize/base/{0}/config.env",
    "kustomize/base/{0}/kafka/kustomization.yaml",
    "kustomize/components/autoscaling/{0}.yaml",
)
"""Files that every service has."""


def missing(root, name):
    """What a service of that name lacks, a sentence each."""
    lacking = [f"{path.format(name)} does not exist" for path in OWN if not (root / path.format(name)).exists()]
    lacking += [f"{path} does not name {name}" for path in NAMED_IN if name not in (root / path).read_text()]
    if name not in DATABASES:
        lacking.append(f"devstack.layout.DATABASES has no {name}")
    if name not in PREFIXES.values():
        lacking.append(f"devstack.envoy.PREFIXES leads nowhere to {name}")
    return lacking


def services(root):
    return sorted(path.parent.name for path in root.glob("services/*/pyproject.toml"))


def test_every_service_stands_everywhere(root):
    assert {name: lacking for name in services(root) if (lacking := missing(root, name))} == {}


def test_a_service_of_which_a_step_was_skipped_is_named(root):
    assert len(missing(root, "payment-service")) == len(OWN) + len(NAMED_IN) + 2


def test_every_consumer_group_is_a_service(root):
    assert set(SUBSCRIPTIONS) <= set(services(root))


@pytest.fixture(scope="module")
def compose(root):
    return yaml.safe_load((root / "compose.yaml").read_text())["services"]


def test_compose_has_the_settings_of_the_base(root, compose):
    for name in services(root):
        lines = (root / "kustomize/base" / name / "config.env").read_text().splitlines()
        base = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        short = name.removesuffix("-service")
        for process in (name, f"{short}-worker", f"{short}-migrate"):
            added = {"HTTP_PORT": "80", "OTLP_ENDPOINT": "http://collector:4318"}
            assert compose[process]["environment"] == {**base, **added}, process


def test_compose_has_the_kafka_of_lite(root, compose):
    documents = yaml.safe_load_all((root / "deploy/configs/lite/kafka.yaml").read_text())
    deployment = next(one for one in documents if one["kind"] == "Deployment")
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    assert compose["kafka"]["environment"] == {one["name"]: one["value"] for one in variables}


def test_compose_runs_what_lite_runs(root, compose):
    for name in ("gateway", "collector", "topics"):
        documents = yaml.safe_load_all((root / f"deploy/configs/lite/{name}.yaml").read_text())
        workload = next(one for one in documents if one["kind"] in ("Deployment", "Job"))
        command = workload["spec"]["template"]["spec"]["containers"][0]["command"]
        assert compose[name]["command"] == command, name
