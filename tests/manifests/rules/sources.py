"""The files under `kustomize/` and `deploy/` themselves, where what is rendered cannot tell any more."""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.objects import Sentences, walk

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
OVERLAY_LINES = 30
DEPRECATED = {"bases", "commonLabels", "imageTags", "patchesJson6902", "patchesStrategicMerge", "vars"}
PREFIXES = {"namePrefix", "nameSuffix"}
"""They would rename topics and everything that is found by name."""
NEW = {"configMapGenerator", "secretGenerator", "generators", "helmCharts", "helmChartInflationGenerator"}
AFTER = {
    "autoscaling-custom": ("autoscaling", "autoscaling-workers"),
    "dev": ("service-defaults",),
    "kafka-strimzi": ("autoscaling-workers",),
    "kafka-tls": ("autoscaling-workers", "kafka-strimzi", "network-policies"),
    "logging-elasticsearch": ("rate-limit-global", "tracing"),
    "logging-loki": ("rate-limit-global", "tracing"),
    "rate-limit-global": ("gateway",),
    "tracing": ("gateway",),
}
"""Component -> those whose objects it changes."""
GENERATES = ("configMapGenerator", "secretGenerator")
INDEX = re.compile(r"(^|[./])\d+([./]|$)")


def kustomizations(root: Path) -> dict[Path, dict[str, Any]]:
    """Every kustomization below a repository's `kustomize` and `deploy`, read."""
    found = [file for folder in ("kustomize", "deploy") for file in sorted((root / folder).rglob("kustomization.yaml"))]
    return {file: next(iter(_read(file.read_text())), {}) for file in found}


@cache
def _read(text: str) -> tuple[Any, ...]:
    """The documents of a text."""
    return tuple(one for one in yaml.load_all(text, Loader=LOADER) if one)


def overlays(root: Path) -> dict[Path, dict[str, Any]]:
    """The kustomizations that people apply."""
    return {file: content for file, content in kustomizations(root).items() if file.parts[-3] == "overlays"}


def _short(root: Path, file: Path) -> str:
    return str(file.parent.relative_to(root))


def overlays_fit_a_screen(root: Path) -> Sentences:
    """30 lines, or it does more than choose."""
    lengths = [(file, file.read_text().count("\n")) for file in overlays(root)]
    return [
        f"{_short(root, file)} has {lines} lines, at most {OVERLAY_LINES} are allowed"
        for file, lines in lengths
        if lines > OVERLAY_LINES
    ]


def overlays_only_choose(root: Path) -> Sentences:
    """Its resources are the base or another overlay; it makes no object of its own."""
    wrong = []
    for file, content in overlays(root).items():
        homes = {root / "kustomize/base", *(other.parent for other in overlays(root))}
        strange = [one for one in content.get("resources", ()) if (file.parent / one).resolve() not in homes]
        wrong += [f"{_short(root, file)} brings {one} of its own" for one in strange]
        wrong += [f"{_short(root, file)} generates objects" for one in _new(content)]
    return wrong


def _new(content: dict[str, Any]) -> list[Any]:
    """Generators that add; one that merges only sets values."""
    found = [one for key in NEW for one in content.get(key, ())]
    return [one for one in found if not (isinstance(one, dict) and one.get("behavior") in ("merge", "replace"))]


def no_field_is_deprecated(root: Path) -> Sentences:
    """kustomize 5 still reads them, with a warning that nobody sees."""
    pairs = [(file, key) for file, content in kustomizations(root).items() for key in sorted(DEPRECATED & set(content))]
    return [f"{_short(root, file)} uses the deprecated field {key}" for file, key in pairs]


def names_have_no_prefix(root: Path) -> Sentences:
    """A topic is an object too."""
    pairs = [(file, key) for file, content in kustomizations(root).items() for key in sorted(PREFIXES & set(content))]
    return [f"{_short(root, file)} uses {key}" for file, key in pairs]


def nothing_is_patched_by_index(root: Path) -> Sentences:
    """The next container, port or trigger that is put in front would take the patch."""
    return [
        f"{_short(root, file)} patches by index: {path}"
        for file, content in kustomizations(root).items()
        for path in _paths_of_patches(file, content)
        if INDEX.search(re.sub(r"\[[^]]*\]", "", path))
    ]


def _paths_of_patches(file: Path, content: dict[str, Any]) -> Iterator[str]:
    """JSON pointers of patches and field paths of replacements, in the file or in files that it names."""
    parts = [part for key in ("patches", "replacements", "transformers") for part in content.get(key, ())]
    for part in parts:
        yield from _pointers(_loaded(file, part))


def _loaded(file: Path, part: Any) -> Any:
    """What a patch says, wherever it stands."""
    if isinstance(part, dict) and "patch" in part:
        return list(_read(part["patch"]))
    place = file.parent / str(part.get("path", "") if isinstance(part, dict) else part)
    return list(_read(place.read_text())) if place.is_file() else part


def _pointers(value: Any) -> Iterator[str]:
    for path, below in walk(value):
        if isinstance(below, dict) and "op" in below and "path" in below:
            yield below["path"]
        if path.endswith("fieldPaths"):
            yield from below
        if path.endswith("fieldPath"):
            yield below


def components_are_explained(root: Path) -> Sentences:
    """A README of one paragraph: a title, and what the component changes and needs."""
    wrong = []
    for folder in components(root):
        text = (folder / "README.md").read_text() if (folder / "README.md").is_file() else ""
        title, _, rest = text.partition("\n")
        if title != f"# {folder.name}" or not rest.strip():
            wrong.append(f"component {folder.name} has no README with its name and a paragraph")
    return wrong


def components(root: Path) -> list[Path]:
    """Every component's folder."""
    return sorted(file.parent for file in (root / "kustomize/components").glob("*/kustomization.yaml"))


def adds_objects(folder: Path) -> bool:
    """Whether a component brings objects, itself or by a component that it includes."""
    file = folder / "kustomization.yaml"
    content = next(iter(_read(file.read_text())), {}) if file.is_file() else {}
    inner = [folder / one for one in content.get("components", ())]
    return bool(content.get("resources")) or any(adds_objects(one) for one in inner)


def service_defaults_come_last(root: Path) -> Sentences:
    """Objects that come later stay without security context, limits and probes, silently."""
    wrong = []
    for file, content in kustomizations(root).items():
        names = [Path(one).name for one in content.get("components", ())]
        if "service-defaults" not in names:
            continue
        late = content["components"][names.index("service-defaults") + 1 :]
        wrong += [
            f"{_short(root, file)}: {one} adds objects after service-defaults"
            for one in late
            if adds_objects(file.parent / one)
        ]
    return wrong


def components_come_in_order(root: Path) -> Sentences:
    """A patch or a replacement of something that is not there yet does nothing, silently."""
    return [
        f"{_short(root, file)}: {name} comes before {other}"
        for file, content in kustomizations(root).items()
        for names in [[Path(one).name for one in content.get("components", ())]]
        for place, name in enumerate(names)
        for other in AFTER.get(name, ())
        if other in names[place:]
    ]


def everything_is_included(root: Path) -> Sentences:
    """A manifest that no kustomization names is dead."""
    named = {place.resolve() for file, content in kustomizations(root).items() for place in places(file, content)}
    found = [
        one for folder in ("kustomize", "deploy/configs") for one in sorted((root / folder).rglob("*")) if one.is_file()
    ]
    kinds = (".yaml", ".env", ".json")
    return [
        f"{one.relative_to(root)} is named by no kustomization"
        for one in found
        if one.suffix in kinds and one.name != "kustomization.yaml" and one.resolve() not in named
    ]


def places(file: Path, content: dict[str, Any]) -> Iterator[Path]:
    """Every path that a kustomization names; addresses of somebody else's are none."""
    for key in ("resources", "components", "configurations", "generators", "transformers", "crds"):
        yield from (file.parent / one for one in content.get(key, ()) if isinstance(one, str) and "\n" not in one)
    for key in ("patches", "replacements"):
        yield from (file.parent / one["path"] for one in content.get(key, ()) if "path" in one)
    for generator in [one for key in GENERATES for one in content.get(key, ())]:
        named = [*generator.get("files", ()), *generator.get("envs", ())]
        yield from (file.parent / one.split("=")[-1] for one in named)


def paths_lead_somewhere(root: Path) -> Sentences:
    """kustomize says so too, but only for what is rendered."""
    return [
        f"{_short(root, file)} names {os.path.relpath(place, file.parent)}, which is not there"
        for file, content in kustomizations(root).items()
        for place in places(file, content)
        if "://" not in str(place) and not _is_there(place)
    ]


def _is_there(place: Path) -> bool:
    return place.is_file() or (place / "kustomization.yaml").is_file()
