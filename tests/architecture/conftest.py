"""The tree under judgement: every Python source that git knows, parsed once."""

import ast
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class Source(NamedTuple):
    """One file: path relative to the root, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources(root: Path) -> list[Source]:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    names = subprocess.run(listing, cwd=root, capture_output=True, text=True, check=True).stdout.split()
    paths = [Path(name) for name in names if (root / name).is_file()]
    return [Source(p, text := (root / p).read_text(encoding="utf-8"), ast.parse(text)) for p in paths]
