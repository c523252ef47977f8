"""What stage `cluster` applies: overlay `local` with the run's settings, and with components when they are rehearsed.

Written beside the run's other files, as a kustomization that only chooses.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from devstack import checkout
from devstack.layout import SERVICES


def write(
    folder: Path,
    settings: Mapping[str, str],
    components: Sequence[str] = (),
    patches: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """A kustomization in `folder`; `settings` go to every service; `patches` are kustomize's own."""
    literals = [f"{name}={value}" for name, value in settings.items()]
    body = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "waybill",
        "resources": [_relative(checkout.KUSTOMIZE / "overlays" / "local", folder)],
        "components": [_relative(checkout.KUSTOMIZE / "components" / name, folder) for name in components],
        "configMapGenerator": [{"name": name, "behavior": "merge", "literals": literals} for name in SERVICES],
        "patches": list(patches),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(body, sort_keys=False))
    return folder


def _relative(target: Path, folder: Path) -> str:
    """kustomize takes no absolute paths."""
    return os.path.relpath(target, folder.resolve())
