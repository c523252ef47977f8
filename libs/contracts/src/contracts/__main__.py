"""`python -m contracts FOLDER [--check]`: writes the documents, or says which of them are stale (exit 1)."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from contracts.schemas import files


def main(arguments: Sequence[str]) -> int:
    """Write or compare; a file that no longer belongs there is stale too."""
    parser = argparse.ArgumentParser(prog="contracts", description="AsyncAPI and JSON Schemas of the events.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing")
    asked = parser.parse_args(arguments)
    stale = [name for name, text in files().items() if _read(asked.folder / name) != text]
    stale += sorted({file.name for file in asked.folder.glob("*.json")} - set(files()))
    if asked.check:
        if stale:
            print(f"contracts: stale: {', '.join(stale)}; run python -m contracts {asked.folder}", file=sys.stderr)
        return 1 if stale else 0
    _write(asked.folder, stale)
    return 0


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def _write(folder: Path, stale: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if (text := files().get(name)) is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
