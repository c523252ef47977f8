"""One order's trace as a waterfall: every process that had a hand in it, on one time line."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 44
ROWS = 48
COLOURS = {
    "gateway": "magenta",
    "order-service": "green",
    "inventory-service": "cyan",
    "user-service": "yellow",
}

Span = dict[str, Any]


def spans_of(file: Path, trace_id: str) -> list[Span]:
    """The trace's spans, and those of the batches that link to it, by start."""
    everything = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    batches = {span["trace_id"] for span in everything if trace_id in span["links"]}
    return sorted((s for s in everything if s["trace_id"] in {trace_id, *batches}), key=lambda s: s["start_ns"])


def show(spans: list[Span], trace_id: str, console: Console) -> None:
    """Print it; times are milliseconds since the first span's start."""
    begin, end = min(s["start_ns"] for s in spans), max(s["end_ns"] for s in spans)
    depths = _depths(spans)
    table = Table(title=f"One order, one trace: {trace_id}", title_justify="left", box=None)
    for heading in ("process", "span", "at ms", "took ms", ""):
        table.add_column(heading, no_wrap=True)
    for span in spans[:ROWS]:
        colour = COLOURS.get(span["service"], "white")
        table.add_row(
            Text(span["service"], colour),
            Text(f"{'  ' * depths[span['span_id']]}{_title(span)}"),
            f"{(span['start_ns'] - begin) / 1e6:.1f}",
            f"{(span['end_ns'] - span['start_ns']) / 1e6:.1f}",
            Text(_bar(span, begin, end), colour),
        )
    console.print(table)
    if len(spans) > ROWS:
        console.print(f"and {len(spans) - ROWS} more spans")


def services_in(spans: Iterable[Span]) -> set[str]:
    """Who took part."""
    return {span["service"] for span in spans}


def _title(span: Span) -> str:
    """A batch says for how many it worked; a query shows how it begins."""
    attributes = span["attributes"]
    count = attributes.get("messaging.batch.message_count")
    query = str(attributes.get("db.statement") or attributes.get("db.query.text") or "")
    name = " ".join(query.split()) or str(span["name"])
    return f"{name[:40]} (batch of {count})" if count else name[:44]


def _depths(spans: list[Span]) -> dict[str, int]:
    """Span id -> how many of its ancestors are shown; spans come sorted by start, so parents mostly come first."""
    depths: dict[str, int] = {}
    for span in spans:
        parent = span["parent_id"]
        depths[span["span_id"]] = min(6, depths[parent] + 1) if parent in depths else 0
    return depths


def _bar(span: Span, begin: int, end: int) -> str:
    scale = WIDTH / max(1, end - begin)
    length: int = max(1, round((span["end_ns"] - span["start_ns"]) * scale))
    start: int = min(int((span["start_ns"] - begin) * scale), WIDTH - 1)
    return " " * start + "█" * min(length, WIDTH - start)
