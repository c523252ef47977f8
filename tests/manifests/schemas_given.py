"""Schemas that come from outside, by CRD_DIR and SKAFFOLD_SCHEMA; without them their tests are left out."""

from collections.abc import Mapping

MODULES = {"CRD_DIR": "test_custom_kinds.py", "SKAFFOLD_SCHEMA": "test_skaffold_schema.py"}
"""Variable -> the tests that need it."""


def missing(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that are not set, and their tests."""
    return {name: module for name, module in MODULES.items() if not environment.get(name)}


def said(environment: Mapping[str, str]) -> str | None:
    """One sentence about what stays unchecked; None when nothing does."""
    if not (unset := missing(environment)):
        return None
    return f"{' and '.join(unset)} not set: {' and '.join(unset.values())} not collected, what they judge is unchecked."


def refused(environment: Mapping[str, str]) -> str | None:
    """One sentence when a run in CI would pass without having looked."""
    unset = missing(environment)
    return f"CI is set and {' and '.join(unset)} not: set them too" if unset and environment.get("CI") else None
