"""A release: pushes the three images and writes their digests into overlay `production`, which builds nothing itself.

`python -m devstack.release REGISTRY VERSION`; the engine and the registry's log-in are docker's own.
"""

import re
import subprocess
import sys
from pathlib import Path

from devstack import checkout
from devstack.errors import StageError
from devstack.layout import SERVICES

OVERLAY = checkout.KUSTOMIZE / "overlays" / "production" / "kustomization.yaml"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def pinned(text: str, service: str, repository: str, digest: str) -> str:
    """The overlay's text with one image pinned; raises StageError when it names no such image."""
    line = re.compile(rf"{{name: {service}, newName: [^,}}]+, digest: \"?{DIGEST.pattern}\"?}}")
    if not line.search(text):
        raise StageError(f"{OVERLAY.name} has no line that pins {service}")
    return line.sub(f'{{name: {service}, newName: {repository}, digest: "{digest}"}}', text)


def pushed(service: str, registry: str, version: str) -> str:
    """Push `<service>:local` as this version; returns the digest that the registry gave it."""
    target = f"{registry}/{service}:{version}"
    _docker("tag", f"{service}:local", target)
    found = DIGEST.search(_docker("push", target))
    if not found:
        raise StageError(f"the registry gave {target} no digest")
    return found.group()


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)  # noqa: S607
    if done.returncode:
        raise StageError(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def release(registry: str, version: str, overlay: Path = OVERLAY) -> None:
    """All three, or none: the overlay is written when the last one is pushed."""
    text = overlay.read_text(encoding="utf-8")
    for service in SERVICES:
        text = pinned(text, service, f"{registry}/{service}", pushed(service, registry, version))
    overlay.write_text(text, encoding="utf-8")


def main() -> int:
    """2 and one sentence when it cannot be done."""
    if len(sys.argv) != 3:
        print("release: say make release REGISTRY=registry.example.com/waybill VERSION=0.2.0", file=sys.stderr)
        return 2
    try:
        release(sys.argv[1], sys.argv[2])
    except StageError as error:
        print(f"release: {error}", file=sys.stderr)
        return 2
    print(f"{OVERLAY} pins version {sys.argv[2]}; commit it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
