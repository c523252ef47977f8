"""Custom kinds against the CustomResourceDefinitions of CRD_DIR; collected only where that is set."""

import os
from pathlib import Path

import pytest
from rendering import OVERLAYS, added, configs
from rules.schemas import CustomKinds, custom_kinds_have_known_fields


@pytest.fixture(scope="module")
def known():
    return CustomKinds(Path(os.environ["CRD_DIR"]))


@pytest.mark.parametrize("name", [one.name for one in [*OVERLAYS, *added(), *configs()]])
def test_custom_kinds_have_known_fields(renderings, known, name):
    assert custom_kinds_have_known_fields(renderings.alone(name), known) == []
