"""skaffold.yaml as skaffold reads it: the configuration of each profile, and which files it copies where.

`python tests/manifests/skaffold.py [PROFILE]` (make dev-dry) says what would be built, copied and applied.
"""

import copy
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from rendering import ROOT, render

Config = dict[str, Any]
WHOLE = {"kubectl", "kustomize", "local", "tagPolicy"}
"""A profile that has one of these replaces all of it; other mappings are merged, lists are replaced."""
DEFAULT = "dev"
"""What skaffold does without a profile."""


def load(root: Path = ROOT) -> Config:
    """The file, as it stands."""
    return yaml.safe_load((root / "skaffold.yaml").read_text())


def profiles(config: Config) -> list[str]:
    """Every configuration that there is: the default one and each profile's."""
    return [DEFAULT, *(one["name"] for one in config.get("profiles", ()))]


def effective(config: Config, name: str) -> Config:
    """The configuration with a profile: overlaid, then patched; raises KeyError or IndexError for a wrong path."""
    found = {key: value for key, value in copy.deepcopy(config).items() if key != "profiles"}
    for profile in config.get("profiles", ()):
        if profile["name"] == name:
            _overlay(found, {key: one for key, one in profile.items() if key not in ("name", "patches", "activation")})
            for patch in profile.get("patches", ()):
                _patch(found, patch)
    return found


def _overlay(below: Config, above: Config) -> None:
    for key, value in copy.deepcopy(above).items():
        if isinstance(value, dict) and isinstance(below.get(key), dict) and key not in WHOLE:
            _overlay(below[key], value)
        else:
            below[key] = value


def _patch(config: Config, patch: Config) -> None:
    *steps, last = [int(one) if one.isdecimal() else one for one in patch["path"].strip("/").split("/")]
    holder: Any = config
    for step in steps:
        holder = holder[step]
    if patch.get("op", "replace") != "add":
        holder[last]
    if patch.get("op") == "remove":
        del holder[last]
    else:
        holder[last] = patch["value"]


def artifacts(config: Config) -> list[Config]:
    """What is built."""
    return config.get("build", {}).get("artifacts", [])


def folders(config: Config) -> list[str]:
    """What is rendered and applied, in this order."""
    return config["manifests"]["kustomize"]["paths"]


def hooks(config: Config) -> list[str]:
    """The command lines that run before a deploy."""
    before = config["deploy"]["kubectl"].get("hooks", {}).get("before", ())
    return [" ".join(one["host"]["command"]) for one in before]


def copied(artifact: Config, root: Path = ROOT) -> Iterator[tuple[Config, str, str]]:
    """(rule, file in the context, place in the container) of every file that may be copied into a running pod."""
    for rule in artifact.get("sync", {}).get("manual", ()):
        context = root / artifact.get("context", ".")
        for file in sorted(context.glob(rule["src"])):
            name = str(file.relative_to(context))
            yield rule, name, f"{rule['dest'].rstrip('/')}/{name.removeprefix(rule.get('strip', '')).lstrip('/')}"


def plan(config: Config, root: Path = ROOT) -> Iterator[str]:
    """Lines that say what this configuration would do."""
    for one in artifacts(config):
        docker = one["docker"]
        words = [f"{key}={value}" for key, value in docker.get("buildArgs", {}).items()]
        target = f" target {docker['target']}" if "target" in docker else ""
        yield " ".join([f"build {one['image']} from {docker['dockerfile']}{target}", *words])
        for rule in one.get("sync", {}).get("manual", ()):
            files = [file for found, _, file in copied(one, root) if found is rule]
            place = Path(files[0]).parent if files else "nowhere"
            yield f"  copy {rule['src']}: {len(files)} files to {place} and below"
    yield from (f"before: {line}" for line in hooks(config))
    yield from (f"apply {folder}: {_counted(root / folder)}" for folder in folders(config))
    for one in config.get("portForward", ()):
        yield f"forward 127.0.0.1:{one['localPort']} to {one['resourceType']} {one['resourceName']}:{one['port']}"
    for one in config.get("verify", ()):
        manifest = one["executionMode"]["kubernetesCluster"]["jobManifestPath"]
        yield f"verify {one['name']}: {one['container']['image']} as {manifest}"


def _counted(folder: Path) -> str:
    """`3 Service, 6 Deployment`."""
    kinds = Counter(one["kind"] for one in render(folder))
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))


def main() -> int:
    """Every configuration, or the one that is named; 2 when there is none of that name."""
    config, wanted = load(), sys.argv[1:]
    if unknown := set(wanted) - set(profiles(config)):
        print(f"dev-dry: {', '.join(unknown)} is no profile; there are {', '.join(profiles(config))}", file=sys.stderr)
        return 2
    for name in wanted or profiles(config):
        print(f"== {name}", *(f"  {line}" for line in plan(effective(config, name))), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
