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
import schemas_given

collect_ignore = list(schemas_given.missing(os.environ).values())


def pytest_configure() -> None:
    if sentence := schemas_given.refused(os.environ):
        raise pytest.UsageError(sentence)


def pytest_report_header() -> str | None:
    return schemas_given.said(os.environ)


def pytest_terminal_summary(terminalreporter, config) -> None:
    """A quiet run has no header."""
    if config.get_verbosity() < 0 and (sentence := schemas_given.said(os.environ)):
        terminalreporter.write_line(sentence)


@pytest.fixture(scope="session")
def root() -> Path:
    return rendering.ROOT


@pytest.fixture(scope="session")
def renderings(tmp_path_factory) -> Iterator[rendering.Renderings]:
    everything = [rendering.BASE, *rendering.OVERLAYS, *rendering.added(), *rendering.configs()]
    begun = rendering.Renderings(everything, tmp_path_factory.mktemp("combinations"))
    yield begun
    begun.close()
