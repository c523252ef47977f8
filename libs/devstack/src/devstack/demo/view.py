"""What the user sees while orders are on their way, and the summary when they have arrived."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from devstack.demo.replay import Tally

STATUSES = {"confirmed": "green", "rejected": "red", "cancelled": "yellow"}
MILLI = 1000


def live(tally: Tally, total: int | None, killed: Counter[str]) -> Group:
    """Counts per status, redrawn a few times a second."""
    table = Table.grid(padding=(0, 3))
    table.add_row("products", "customers", "placed", *STATUSES, "under way", "killed")
    counts = [Text(str(tally.statuses[status]), colour) for status, colour in STATUSES.items()]
    under_way, victims = str(tally.placed - tally.done), str(killed.total())
    table.add_row(str(tally.listed), str(tally.registered), str(tally.placed), *counts, under_way, victims)
    bar = ProgressBar(total=total, completed=tally.done, width=60) if total else Text("")
    return Group(table, bar)


def summarise(tally: Tally, retries: int, killed: Counter[str], shares: Mapping[str, float], console: Console) -> None:
    """Figures, and whatever was not as it should be."""
    took = tally.ended - tally.began
    table = Table(title="Summary", title_justify="left", show_header=False)
    table.add_row("orders", ", ".join(f"{tally.statuses[status]} {status}" for status in STATUSES))
    table.add_row("rate", f"{tally.done / took:.0f} orders/s to terminal, {took:.1f} s")
    table.add_row("accept", _quantiles(tally.accept))
    table.add_row("accept to terminal", _quantiles(tally.decide))
    table.add_row("keys sent twice", f"{tally.repeated}, {len(tally.mistaken)} answered otherwise")
    table.add_row("requests sent again", str(retries))
    if killed:
        table.add_row("killed", ", ".join(f"{kind} {count}x" for kind, count in sorted(killed.items())))
    table.add_row("CPU share", ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= 0.005))
    console.print(table)
    for mistake in tally.mistaken:
        console.print(Text(mistake, "red"))


def _quantiles(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "too few"
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {cuts[49] * MILLI:.0f} ms, p99 {cuts[98] * MILLI:.0f} ms"
