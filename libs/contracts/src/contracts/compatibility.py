"""Whether today's shape of an event still serves those who read its published shape.

A published `vN` may gain optional fields and nothing else: whatever is removed, renamed, retyped or newly required
breaks somebody and needs `vN+1`.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
SHAPE = ("type", "format", "const", "pattern", "additionalProperties", "multipleOf", "uniqueItems")
# A tighter bound refuses what lies on the topic already; a wider one reaches consumers who still refuse it.
BOUNDS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
)


def breaking_changes(published: Schema, today: Schema) -> list[str]:
    """A sentence per breaking change from `published` to `today`, both JSON Schemas of one event type."""
    return list(_compare(published, published, today, today, "value"))


def _compare(old_root: Schema, old: Schema, new_root: Schema, new: Schema, place: str) -> Iterator[str]:
    old, new = _resolved(old_root, old), _resolved(new_root, new)
    for word in (*SHAPE, *BOUNDS):
        if old.get(word) != new.get(word):
            yield f"{place}: {word} was {old.get(word)!r} and is {new.get(word)!r}"
    if set(old.get("enum", ())) != set(new.get("enum", ())):
        yield f"{place}: the allowed values were {old.get('enum')} and are {new.get('enum')}"
    yield from _properties(old_root, old, new_root, new, place)
    yield from _parts(old_root, old, new_root, new, place)


def _properties(old_root: Schema, old: Schema, new_root: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{place}.{name} is required now"
    for name, schema in before.items():
        if name not in after:
            yield f"{place}.{name} is gone"
        else:
            yield from _compare(old_root, schema, new_root, after[name], f"{place}.{name}")


def _parts(old_root: Schema, old: Schema, new_root: Schema, new: Schema, place: str) -> Iterator[str]:
    """Items of lists, and alternatives."""
    if ("items" in old) != ("items" in new) or len(old.get("anyOf", ())) != len(new.get("anyOf", ())):
        yield f"{place}: the kind of its parts has changed"
        return
    if "items" in old:
        yield from _compare(old_root, old["items"], new_root, new["items"], f"{place}[]")
    for one, other in zip(old.get("anyOf", ()), new.get("anyOf", ()), strict=True):
        yield from _compare(old_root, one, new_root, other, place)


def _resolved(root: Schema, schema: Schema) -> Schema:
    """Follow `#/$defs/Name`."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema
