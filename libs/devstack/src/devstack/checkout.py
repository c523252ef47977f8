"""What the repository's own files say about the system: each service's settings, lite's Kafka, where the root is.

Stages read them, so that containers and clusters run what is written there and nothing else.
"""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[4]
KUSTOMIZE = ROOT / "kustomize"
LITE = ROOT / "deploy" / "configs" / "lite"
DATABASES_SQL = ROOT / "deploy" / "compose" / "databases.sql"


def settings(service: str) -> dict[str, str]:
    """The variables of `kustomize/base/<service>/config.env`."""
    lines = (KUSTOMIZE / "base" / service / "config.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def lite_environment(name: str) -> dict[str, str]:
    """The variables of lite's Deployment of that name."""
    text = (LITE / f"{name}.yaml").read_text(encoding="utf-8")
    deployment = next(one for one in yaml.safe_load_all(text) if one["kind"] == "Deployment")
    container: dict[str, Any] = deployment["spec"]["template"]["spec"]["containers"][0]
    return {variable["name"]: variable["value"] for variable in container["env"]}
