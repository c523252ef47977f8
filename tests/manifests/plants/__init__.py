"""Defects to plant: each edits a copy of rendered documents, and exactly one rule must notice.

An edit is a function of documents, made by the verbs below. A path is dotted; a number in it is a place in a list.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rules.objects import Document

Edit = Callable[[list[Document]], None]


class Plant(NamedTuple):
    """What is wrong, where it is planted, and whose work it is to notice."""

    rule: Callable[[list[Document]], list[str]]
    edit: Edit
    combination: str = "production"


def find(documents: list[Document], kind: str, name: str) -> Document:
    """The one object of this name; a generated ConfigMap is found without its hash."""
    named = [one for one in documents if one["kind"] == kind]
    exact = [one for one in named if one["metadata"]["name"] == name]
    return (exact or [one for one in named if one["metadata"]["name"].rpartition("-")[0] == name])[0]


def _steps(path: str) -> list[Any]:
    return [int(step) if step.isdecimal() else step.replace("~", ".") for step in path.split(".")]


def _holder(document: Document, path: str) -> tuple[Any, Any]:
    """(what holds the last step, the last step)."""
    *steps, last = _steps(path)
    holder: Any = document
    for step in steps:
        holder = holder[step]
    return holder, last


def put(kind: str, name: str, path: str, value: Any) -> Edit:
    """Set a field. `~` in a path stands for a dot within a key."""

    def edit(documents: list[Document]) -> None:
        holder, last = _holder(find(documents, kind, name), path)
        holder[last] = value

    return edit


def cut(kind: str, name: str, path: str) -> Edit:
    """Take a field away."""

    def edit(documents: list[Document]) -> None:
        holder, last = _holder(find(documents, kind, name), path)
        del holder[last]

    return edit


def append(kind: str, name: str, path: str, value: Any) -> Edit:
    """One more in a list, which is made if it is not there."""

    def edit(documents: list[Document]) -> None:
        holder, last = _holder(find(documents, kind, name), path)
        holder.setdefault(last, []).append(value)

    return edit


def gone(kind: str, name: str) -> Edit:
    """Take an object away."""
    return lambda documents: documents.remove(find(documents, kind, name))


def extra(document: Document) -> Edit:
    """One object more."""
    return lambda documents: documents.append(document)


def said(subject: Any, rules: Sequence[Callable[[Any], list[str]]]) -> dict[str, list[str]]:
    """Rule -> its sentences."""
    return {rule.__name__: rule(subject) for rule in rules}


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> set[str]:
    """The rules that say something else than before."""
    return {rule for rule in after if after[rule] != before[rule]}
