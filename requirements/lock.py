"""Writes or verifies the locks of this folder: dev.txt (everything) and one file per image or separate environment.

Each file is pinned, hash-checked, valid for every platform and free of registry addresses.
`--write` resolves again; without the flag it exits 1 when a lock no longer fits its pyproject.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
MEMBERS = sorted([*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])


def distribution(pyproject: Path) -> str:
    """Name of a member as its pyproject states it (tomllib would do, and says nothing more)."""
    return next(line.split('"')[1] for line in pyproject.read_text().splitlines() if line.startswith("name = "))


def inputs() -> dict[str, list[str]]:
    """Lock file name -> what it is compiled from."""
    services = {p.parent.name: [str(p)] for p in MEMBERS if p.parent.parent.name == "services"}
    whole = {group: [str(ROOT / "pyproject.toml"), "--group", group] for group in ("dev", "e2e")}
    return {**whole, **{name: [str(HERE / f"{name}.in")] for name in ("reload", "scan")}, **services}


def compiled(name: str, sources: list[str], directory: Path) -> Path:
    """Resolve one lock into `directory`, keeping the pins that are already there."""
    target = directory / f"{name}.txt"
    ours = [flag for member in MEMBERS for flag in ("--no-emit-package", distribution(member))]
    form = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header"]
    uv = [str(ROOT / ".venv/bin/uv"), "pip", "compile", "--quiet", *form, *ours, *sources, "--output-file", str(target)]
    subprocess.run(uv, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return target


def main() -> int:
    write = "--write" in sys.argv
    stale = []
    with tempfile.TemporaryDirectory(dir=HERE) as scratch:
        for name, sources in inputs().items():
            lock, fresh = HERE / f"{name}.txt", Path(scratch) / f"{name}.txt"
            if lock.exists() and "--upgrade" not in sys.argv:
                fresh.write_text(lock.read_text())
            compiled(name, sources, Path(scratch))
            if not lock.exists() or lock.read_text() != fresh.read_text():
                stale.append(f"requirements/{name}.txt")
                if write:
                    fresh.replace(lock)
    if stale and not write:
        print(f"lock: {', '.join(stale)} no longer fit their pyproject; run make lock", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
