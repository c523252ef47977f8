"""What is rendered: every promised combination, once per session, in threads, and what stands beside it."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import yaml
from rules.objects import Document, namespace, title
from rules.sources import adds_objects, components

ROOT = Path(__file__).parents[2]
KUBECTL = Path(sys.executable).parent / "kubectl"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LOCAL = ("namespace", "network-policies", "service-defaults")
"""What overlay `local` consists of; a combination adds to it."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    "autoscaling-custom": ("autoscaling", "autoscaling-workers"),
    "disruption": ("autoscaling",),
    "kafka-tls": ("kafka-strimzi",),
    "rate-limit-global": ("gateway",),
}
"""What a component's README says that it needs."""
TOGETHER = (
    ("gateway", "tracing", "autoscaling", "disruption"),
    ("gateway", "rate-limit-global", "tracing"),
    ("ingress", "autoscaling", "disruption"),
    ("kafka-strimzi", "kafka-tls", "autoscaling-workers"),
    ("kafka-strimzi", "autoscaling-workers"),
    ("kafka-strimzi", "kafka-tls", "postgres-tls", "external-secrets"),
    ("monitoring", "tracing", "logging-loki"),
    ("monitoring", "autoscaling", "autoscaling-workers", "autoscaling-custom"),
)
"""What makes sense together, beside each component singly."""
ORDER = (
    *("namespace", "autoscaling", "autoscaling-workers", "disruption", "network-policies", "gateway"),
    *("rate-limit-global", "ingress", "kafka-strimzi", "kafka-tls", "postgres-tls", "tracing", "monitoring"),
    *("external-secrets", "autoscaling-custom"),
)
"""Of components that change each other's objects; those that are not here change nobody's."""


class Combination(NamedTuple):
    """A name, the folder that is applied or the components that are added to `local`, and the configs beside it.

    `without` are the names of lite's objects that would be there twice.
    """

    name: str
    folder: str = ""
    components: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()


LITE = "lite"
OPERATED = ("priority", "kafka/production", "secrets", "monitoring")
OVERLAYS = (
    Combination("local", "kustomize/overlays/local", beside=(LITE,)),
    Combination("dev", "kustomize/overlays/dev", beside=(LITE,)),
    Combination("staging", "kustomize/overlays/staging", beside=(*OPERATED, "gateway", "postgres/staging")),
    Combination(
        "production",
        "kustomize/overlays/production",
        beside=(*OPERATED, "gateway/acme", "postgres/production", "monitoring/logs/loki"),
    ),
)
"""`beside` is what deploy/configs/README.md says goes with it."""
INSTEAD: Mapping[str, tuple[str, frozenset[str]]] = {
    "kafka-strimzi": ("kafka/local", frozenset({"kafka", "topics"})),
    "kafka-tls": ("kafka/production", frozenset()),
    "tracing": ("monitoring", frozenset({"collector"})),
    "gateway": ("gateway", frozenset({"gateway"})),
}
"""Component -> the config that stands beside it and the names of lite's objects that it replaces."""
BASE = Combination("base", "kustomize/base")


def added(root: Path = ROOT) -> list[Combination]:
    """local + each component, singly and together with what it needs, then those of TOGETHER."""
    singly = [folder.name for folder in components(root) if folder.name not in LOCAL]
    sets = [(*NEEDS.get(name, ()), name) for name in singly] + list(TOGETHER)
    return [_added(names) for names in dict.fromkeys(sets)]


def _added(names: tuple[str, ...]) -> Combination:
    instead = [INSTEAD[name] for name in names if name in INSTEAD]
    without = frozenset().union(*(replaced for _, replaced in instead))
    return Combination("+".join(names), "", names, (LITE, *(config for config, _ in instead)), without)


def configs(root: Path = ROOT) -> list[Combination]:
    """Everything under deploy/configs that can be applied."""
    found = sorted(file.parent for file in (root / "deploy/configs").rglob("kustomization.yaml"))
    applied = [folder.relative_to(root) for folder in found if folder.name != "base"]
    return [Combination(str(folder.relative_to("deploy")), str(folder)) for folder in applied]


def ordered(names: Iterable[str], root: Path = ROOT) -> list[str]:
    """Objects first, then service-defaults, then what only patches what is there."""
    chosen = sorted({*names, *LOCAL[:2]}, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    early = [name for name in chosen if name in ORDER or adds_objects(root / "kustomize/components" / name)]
    return [*early, "service-defaults", *(name for name in chosen if name not in early)]


def write(combination: Combination, folder: Path, root: Path = ROOT) -> Path:
    """An overlay like `local` with more components, as somebody would write it; returns its folder."""
    text = yaml.safe_load((root / "kustomize/overlays/local/kustomization.yaml").read_text())
    text["resources"] = [_relative(root / "kustomize/base", folder)]
    names = ordered(combination.components, root)
    text["components"] = [_relative(root / "kustomize/components" / name, folder) for name in names]
    if any(name.startswith("autoscaling") for name in names):
        text.pop("replicas", None)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(text))
    return folder


def _relative(place: Path, folder: Path) -> str:
    return os.path.relpath(place.resolve(), folder.resolve())


def render(folder: Path) -> list[Document]:
    """The documents that `kubectl apply -k` would send; raises RuntimeError with kustomize's words."""
    said = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True)
    if said.returncode:
        raise RuntimeError(said.stderr.strip())
    return [one for one in yaml.load_all(said.stdout, Loader=LOADER) if one]


class Renderings:
    """Starts everything at once and hands out what was asked for when it is there."""

    def __init__(self, combinations: Iterable[Combination], directory: Path) -> None:
        self._pool = ThreadPoolExecutor(os.cpu_count() or 2)
        self._directory = directory
        self._known = {one.name: one for one in combinations}
        self._begun: dict[str, Future[list[Document]]] = {}
        for number, one in enumerate(self._known.values()):
            self._begun[one.name] = self._pool.submit(self._render, number, one)

    def _render(self, number: int, one: Combination) -> list[Document]:
        folder = ROOT / one.folder if one.folder else write(one, self._directory / str(number))
        return render(folder)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def alone(self, name: str) -> list[Document]:
        """What a combination itself consists of."""
        return self._begun[name].result()

    def whole(self, name: str) -> list[Document]:
        """With what stands beside it; the Namespace, which several bring, is there once."""
        combination = self._known[name]
        kept = [one for config in combination.beside for one in self._beside(config, combination.without)]
        return list({_key(one): one for one in [*kept, *self.alone(name)]}.values())

    def _beside(self, config: str, without: frozenset[str]) -> list[Document]:
        found = self.alone(f"configs/{config}")
        return [one for one in found if config != LITE or one["metadata"]["name"] not in without]

    def close(self) -> None:
        """Waits for nothing that nobody asked for."""
        self._pool.shutdown(cancel_futures=True)


def _key(document: Document) -> tuple[str, str, str]:
    return document["apiVersion"].split("/")[0], title(document), namespace(document)
