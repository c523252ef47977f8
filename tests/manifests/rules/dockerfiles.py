"""Dockerfiles: stages, arguments, and the paths that they copy, which must exist and may not be ignored."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from rules.objects import SERVICES, Sentences

FILES = ("services/Dockerfile", "tests/e2e/Dockerfile")


class Copy(NamedTuple):
    """`COPY source... target` from the context, in a stage."""

    stage: str
    sources: tuple[str, ...]
    target: str


class Dockerfile(NamedTuple):
    """What others may ask of it: stages by name, arguments with their defaults, copies from the context."""

    stages: tuple[str, ...]
    arguments: dict[str, str | None]
    copies: tuple[Copy, ...]


def read(file: Path) -> Dockerfile:
    """Parse one; a stage without a name is called by its number."""
    stages: list[str] = []
    arguments: dict[str, str | None] = {}
    copies: list[Copy] = []
    for word, *rest in _instructions(file.read_text()):
        if word == "FROM":
            stages.append(rest[2] if len(rest) > 2 else str(len(stages)))
        elif word == "ARG":
            name, _, default = rest[0].partition("=")
            arguments[name] = arguments.get(name) or default or None
        elif word == "COPY" and not any(one.startswith("--from") for one in rest):
            *sources, target = [one for one in rest if not one.startswith("--")]
            copies.append(Copy(stages[-1], tuple(sources), target))
    return Dockerfile(tuple(stages), arguments, tuple(copies))


def _instructions(text: str) -> list[list[str]]:
    """Words of each instruction, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [line.split() for line in joined.splitlines() if line.strip()]


def filled(text: str, arguments: dict[str, str]) -> str:
    """A text with its `${ARGUMENT}`s."""
    return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda found: arguments.get(found[1] or found[2], found[0]), text)


def placed(dockerfile: Dockerfile, source: str, arguments: dict[str, str]) -> set[str]:
    """Where in the image's stages a file of the context comes to lie."""
    found = set()
    for copy in dockerfile.copies:
        for one in (filled(text, arguments) for text in copy.sources):
            if source == one or source.startswith(f"{one}/"):
                found.add(filled(copy.target, arguments).rstrip("/") + source[len(one) :])
    return found


def copied_paths_exist(root: Path) -> Sentences:
    """For each service that the file builds."""
    return [
        f"{name} copies {path}, which is not there"
        for name in FILES
        for path in sorted(copied(root / name))
        if not (root / path).exists()
    ]


def copied_paths_are_not_ignored(root: Path) -> Sentences:
    """.dockerignore lets nothing through that it does not name; the last line that matches decides."""
    lines = [line.strip() for line in (root / ".dockerignore").read_text().splitlines()]
    patterns = [line for line in lines if line and not line.startswith("#")]
    return [
        f"{name} copies {path}, which .dockerignore keeps out"
        for name in FILES
        for path in sorted(copied(root / name))
        if _is_ignored(path, patterns)
    ]


def copied(file: Path) -> set[str]:
    """Every path of the context that a Dockerfile copies, for each service that it builds."""
    dockerfile = read(file)
    services = SERVICES if "SERVICE" in dockerfile.arguments else ("",)
    texts = {text for copy in dockerfile.copies for text in copy.sources}
    return {filled(text, {"SERVICE": service}).rstrip("/") for text in texts for service in services}


def _is_ignored(path: str, patterns: list[str]) -> bool:
    ignored = False
    for pattern in patterns:
        plain = pattern.removeprefix("!").rstrip("/")
        above = [path, *(str(parent) for parent in Path(path).parents)]
        if any(fnmatch(one, plain) for one in above):
            ignored = not pattern.startswith("!")
    return ignored
