"""An outside judge: checkov's checks of overlay production, less those for which checkov-allowed.yaml has a reason.

`python tests/manifests/scan.py CHECKOV` (make scan); checkov has an environment of its own and asks no network.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import yaml
from rendering import KUBECTL, ROOT

OVERLAY = ROOT / "kustomize/overlays/production"
ALLOWED = Path(__file__).with_name("checkov-allowed.yaml")
FLAGS = ("--framework", "kubernetes", "--output", "json", "--compact", "--quiet", "--skip-download")


class Failure(NamedTuple):
    """A check that a resource fails."""

    check: str
    resource: str
    name: str


class Verdict(NamedTuple):
    """How many checks were passed, and which failed."""

    passed: int
    failed: tuple[Failure, ...]


def judged(checkov: str, manifests: Path) -> Verdict:
    """Run the scanner; raises RuntimeError with its words when it does not answer."""
    said = subprocess.run([checkov, *FLAGS, "--file", manifests], capture_output=True, text=True)
    try:
        answer = json.loads(said.stdout)
    except ValueError:
        raise RuntimeError(said.stderr.strip() or "checkov said nothing") from None
    found = answer["results"]["failed_checks"]
    failed = (Failure(one["check_id"], one["resource"], one["check_name"]) for one in found)
    return Verdict(answer["summary"]["passed"], tuple(failed))


def objections(failed: Iterable[Failure], allowed: Iterable[Mapping[str, str]]) -> list[str]:
    """Sentences: failures that no line allows, and lines without a reason or a failure."""
    allowed, failed = list(allowed), list(failed)
    new = [one for one in failed if not any(_is(line, one) for line in allowed)]
    wrong = [f"{one.resource} fails {one.check}: {one.name}" for one in new]
    for line in allowed:
        if not any(_is(line, one) for one in failed):
            wrong.append(f"{ALLOWED.name}: nothing fails {line['check']} on {line['resource']} any more")
        if not line.get("reason", "").strip():
            wrong.append(f"{ALLOWED.name}: {line['check']} on {line['resource']} has no reason")
    return wrong


def _is(line: Mapping[str, str], failure: Failure) -> bool:
    return line["check"] == failure.check and fnmatch(failure.resource, line["resource"])


def main() -> int:
    """0 when there is nothing to object to, 1 when there is, 2 when the scanner cannot be asked."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        subprocess.run([KUBECTL, "kustomize", OVERLAY], stdout=file, check=True)
        try:
            verdict = judged(sys.argv[1], Path(file.name))
        except (OSError, RuntimeError) as error:
            print(f"scan: {error}", file=sys.stderr)
            return 2
    wrong = objections(verdict.failed, yaml.safe_load(ALLOWED.read_text()))
    print(f"checkov: {verdict.passed} checks passed, {len(verdict.failed)} failed, {len(wrong)} objections")
    for sentence in wrong:
        print(f"scan: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
