"""Custom kinds against the CustomResourceDefinitions of CRD_DIR; collected only where that is set."""

import os
from copy import deepcopy
from pathlib import Path

import pytest
from plants import put
from rendering import OVERLAYS, added, configs
from rules.schemas import CustomKinds, custom_kinds_have_known_fields


@pytest.fixture(scope="module")
def known():
    return CustomKinds(Path(os.environ["CRD_DIR"]))


@pytest.mark.parametrize("name", [one.name for one in [*OVERLAYS, *added(), *configs()]])
def test_custom_kinds_have_known_fields(renderings, known, name):
    assert custom_kinds_have_known_fields(renderings.alone(name), known) == []


@pytest.mark.parametrize(
    "edit",
    [
        put("KafkaTopic", "order-events", "spec.partition", 12),
        put("ScaledObject", "order-service-worker", "spec.maxReplicas", 12),
        put("HTTPRoute", "order-service", "spec.rules.0.timeout", "40s"),
        put("SecurityPolicy", "tokens", "spec.jwt.providers.0.audience", ["waybill"]),
        put("PodMonitor", "waybill", "spec.podMetricsEndpoints.0.port", 9090),
        put("Cluster", "orders-db", "spec.instance", 3),
    ],
)
def test_an_unknown_field_or_a_wrong_type_is_noticed(renderings, known, edit):
    documents = deepcopy(renderings.whole("production"))
    edit(documents)
    assert len(custom_kinds_have_known_fields(documents, known)) == 1


def test_a_kind_that_nobody_defines_is_noticed(known):
    document = {"apiVersion": "example.com/v1", "kind": "Nothing", "metadata": {"name": "x"}}
    assert custom_kinds_have_known_fields([document], known) == ["Nothing x: nothing defines example.com/v1 Nothing"]
