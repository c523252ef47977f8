"""The verdict as people read it: one line per promise, and under a broken one its first faults."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from auditor.verdict import Verdict

SHOWN_FAULTS = 5


def show(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print it."""
    table = Table(title="Audit", title_justify="left")
    for heading in ("", "promise", "verdict", "examined"):
        table.add_column(heading)
    for verdict in verdicts:
        word = Text("holds", "green") if verdict.holds else Text("BROKEN", "bold red")
        table.add_row(verdict.promise, verdict.claim, word, verdict.examined)
    console.print(table)
    for verdict in verdicts:
        _show_faults(verdict, console)
    broken = [verdict.promise for verdict in verdicts if not verdict.holds]
    console.print(f"broken: {', '.join(broken)}" if broken else "every promise holds")


def _show_faults(verdict: Verdict, console: Console) -> None:
    for fault in verdict.faults[:SHOWN_FAULTS]:
        console.print(Text(f"{verdict.promise}: {fault}", "red"))
    if (more := len(verdict.faults) - SHOWN_FAULTS) > 0:
        console.print(Text(f"{verdict.promise}: and {more} more", "red"))
