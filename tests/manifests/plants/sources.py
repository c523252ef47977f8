"""Planted in files: each writes into a copy of the folders that are judged."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rules import dockerfiles, secrets, sources

Edit = Callable[[Path], None]
BY_INDEX = """
patches:
  - target: {kind: PodDisruptionBudget}
    patch: "[{op: remove, path: /spec/selector/matchExpressions/0}]"
"""
KEY = "-----BEGIN PRIVATE" + " KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n"


class Plant(NamedTuple):
    """What is written, and whose work it is to notice."""

    rule: Callable[[Path], list[str]]
    edit: Edit


def more(file: str, text: str) -> Edit:
    """Text at the end of a file, which may be new."""

    def edit(root: Path) -> None:
        place = root / file
        place.write_text((place.read_text() if place.exists() else "") + text)

    return edit


def instead(file: str, old: str, new: str) -> Edit:
    """One text for another, which must be there."""

    def edit(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text, f"{file} has no {old!r}"
        (root / file).write_text(text.replace(old, new, 1))

    return edit


def without(file: str) -> Edit:
    """No such file."""
    return lambda root: (root / file).unlink()


def both(*edits: Edit) -> Edit:
    """One after the other."""

    def edit(root: Path) -> None:
        for one in edits:
            one(root)

    return edit


ENV = "kustomize/base/order-service/config.env"
LOCAL = "kustomize/overlays/local/kustomization.yaml"
FIRST, SECOND = "  - ../../components/kafka-strimzi\n", "  - ../../components/kafka-tls\n"
PRODUCTION = "kustomize/overlays/production/kustomization.yaml"
DISRUPTION = "kustomize/components/disruption/kustomization.yaml"
PLANTS = (
    Plant(dockerfiles.copied_paths_exist, instead("services/Dockerfile", "COPY libs/chassis", "COPY libs/chasis")),
    Plant(dockerfiles.copied_paths_are_not_ignored, instead(".dockerignore", "!libs", "!lib")),
    Plant(
        secrets.nothing_in_git_looks_secret,
        more(ENV, "DATABASE_PASSWORD=hunter22\n"),
    ),
    Plant(secrets.nothing_in_git_looks_secret, more("kustomize/base/order-service/api.yaml", "---\nkind: Secret\n")),
    Plant(secrets.nothing_in_git_looks_secret, more("deploy/configs/lite/README.md.txt", KEY)),
    Plant(sources.components_are_explained, without("kustomize/components/disruption/README.md")),
    Plant(
        sources.components_come_in_order,
        instead(PRODUCTION, FIRST + SECOND, SECOND + FIRST),
    ),
    Plant(sources.everything_is_included, more("kustomize/components/disruption/more.yaml", "kind: None\n")),
    Plant(sources.names_have_no_prefix, more(DISRUPTION, "namePrefix: blue-\n")),
    Plant(sources.no_field_is_deprecated, more(DISRUPTION, "commonLabels: {colour: blue}\n")),
    Plant(sources.nothing_is_patched_by_index, more(DISRUPTION, BY_INDEX)),
    Plant(sources.overlays_fit_a_screen, more(LOCAL, "# more\n" * 31)),
    Plant(
        sources.overlays_only_choose,
        both(
            instead(LOCAL, "resources: [../../base]", "resources: [../../base, more.yaml]"),
            more("kustomize/overlays/local/more.yaml", "kind: Namespace\n"),
        ),
    ),
    Plant(sources.overlays_only_choose, more(LOCAL, "configMapGenerator: [{name: more, literals: [a=b]}]\n")),
    Plant(sources.paths_lead_somewhere, instead(DISRUPTION, "api.yaml, ", "api.yaml, gone.yaml, ")),
    Plant(
        sources.service_defaults_come_last,
        instead(
            LOCAL, "components/service-defaults\n", "components/service-defaults\n  - ../../components/disruption\n"
        ),
    ),
)
