"""Rules about the files themselves."""

import pytest
from rules import SOURCES


@pytest.mark.parametrize("rule", SOURCES, ids=lambda rule: rule.__name__)
def test_sources(root, rule):
    assert rule(root) == []
