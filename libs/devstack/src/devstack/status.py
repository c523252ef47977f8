"""What runs, where, and how much memory it takes (PSS: shared pages are divided among those who share them)."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

MEGABYTE = 1024 * 1024


class Process(NamedTuple):
    """One line of the table."""

    name: str
    pid: int
    place: str


def processes(state: dict[str, Any]) -> Iterator[Process]:
    """Every process that the supervisor started, and itself."""
    for kind, members in state["processes"].items():
        for member in members:
            yield Process(kind, member["pid"], member["http"] or member["probes"])
    places = {"gateway": state["gateway"], "kafka": state["kafka"], "postgres": "one database per service"}
    for name, pid in state["parts"].items():
        yield Process(name, pid, places[name])
    yield Process("supervisor", state["supervisor"], "restarts what crashes; receives traces")


def memory(pid: int) -> int:
    """PSS in bytes; 0 when the process has just gone."""
    try:
        return sum(_pss(one) for one in _family(psutil.Process(pid)))
    except psutil.Error:
        return 0


def cpu_seconds(state: dict[str, Any]) -> dict[str, float]:
    """CPU time that each process has taken so far, PostgreSQL's sessions counted in; 0 for one that has just gone."""
    return {process.name: _cpu(process.pid) for process in processes(state)}


def _cpu(pid: int) -> float:
    try:
        process = psutil.Process(pid)
        family = _family(process)
        return sum(one.cpu_times().user + one.cpu_times().system for one in family)
    except psutil.Error:
        return 0.0


def _family(process: psutil.Process) -> list[psutil.Process]:
    """A process, and PostgreSQL's sessions with it; the supervisor's children are listed on their own."""
    return [process, *process.children(recursive=True)] if process.name().startswith("postgres") else [process]


def show(state: dict[str, Any], console: Console) -> None:
    """The table."""
    table = Table(title=f"Waybill at {state['gateway']}")
    for name, side in (("process", "left"), ("pid", "right"), ("memory (PSS)", "right"), ("where", "left")):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    sizes = {process: memory(process.pid) for process in processes(state)}
    for process, size in sizes.items():
        table.add_row(process.name, str(process.pid), f"{size / MEGABYTE:.0f} MB", process.place)
    console.print(table)
    console.print(
        f"memory of the whole system {sum(sizes.values()) / MEGABYTE:.0f} MB, start took {state['ready_after']:.1f} s"
    )


def follow(folder: Path) -> None:
    """Print what is appended to the logs until interrupted."""
    places: dict[Path, int] = {}
    while True:
        for log in sorted(folder.glob("*.log")):
            # The first look shows the end of what is there already.
            place = places.setdefault(log, max(0, log.stat().st_size - 2000))
            with log.open(encoding="utf-8", errors="replace") as file:
                file.seek(place)
                for line in file:
                    print(f"{log.stem}: {line}", end="")
                places[log] = file.tell()
        time.sleep(0.3)


def _pss(process: psutil.Process) -> int:
    full = process.memory_full_info()
    return int(getattr(full, "pss", full.rss))
