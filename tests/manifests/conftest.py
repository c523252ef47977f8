"""The manifests under judgement: everything that is promised, rendered once per session.

Custom kinds and skaffold.yaml are judged where CRD_DIR and SKAFFOLD_SCHEMA say what they may contain.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import rendering

GIVEN = {"CRD_DIR": "test_custom_kinds.py", "SKAFFOLD_SCHEMA": "test_skaffold_schema.py"}
"""Variable -> the module that is collected when it is set."""
MISSING = [name for name in GIVEN if not os.environ.get(name)]
collect_ignore = [GIVEN[name] for name in MISSING]


def pytest_configure() -> None:
    if MISSING and os.environ.get("CI"):
        raise pytest.UsageError(f"CI is set and {' and '.join(MISSING)} not, so that nothing would judge custom kinds")


def pytest_report_header() -> str | None:
    if not MISSING:
        return None
    return (
        f"{' and '.join(MISSING)} not set: {' and '.join(collect_ignore)} not collected, their schemas stay unchecked."
    )


@pytest.fixture(scope="session")
def root() -> Path:
    return rendering.ROOT


@pytest.fixture(scope="session")
def renderings(tmp_path_factory) -> Iterator[rendering.Renderings]:
    everything = [rendering.BASE, *rendering.OVERLAYS, *rendering.added(), *rendering.configs()]
    begun = rendering.Renderings(everything, tmp_path_factory.mktemp("combinations"))
    yield begun
    begun.close()
