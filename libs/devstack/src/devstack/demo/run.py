"""The demo from end to end: start, seed, replay under a live view, summary, one trace, the audit, stop."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.live import Live

from devstack import jars, state, status, system
from devstack.demo import kills, plan, view, waterfall
from devstack.demo.client_log import ClientLog
from devstack.demo.options import Options
from devstack.demo.replay import Replay, Tally
from devstack.demo.shop import Shop
from devstack.errors import StageError
from devstack.layout import Wishes

FLUSH_SECONDS = 3.0
"""Until gateway and services have exported their last spans."""
REFRESH_SECONDS = 0.25


def main(options: Options, console: Console) -> int:
    """Exit code 0 only when every order came to its end and the audit holds."""
    began = time.monotonic()
    planned = plan.made(options)
    wishes = Wishes(port=options.port, trace_ratio=1.0)
    jars.fetch(jars.folder())  # here, where its progress can be seen
    with console.status("starting") as shown:
        running = system.running(state.DIRECTORY, wishes, lambda text: shown.update(text))
        where = running.__enter__()
    try:
        console.print(f"{where['gateway']} is ready after {where['ready_after']:.1f} s")
        log = state.DIRECTORY / "client-log.jsonl"
        flawless = asyncio.run(_replayed(options, planned, where, log, console))
        audited = _audit(log)
    finally:
        with console.status("stopping"):
            running.__exit__(None, None, None)
    console.print(f"the demo took {time.monotonic() - began:.0f} s")
    return 0 if flawless and audited == 0 else 1


async def _replayed(options: Options, planned: plan.Plan, where: dict[str, Any], log: Path, console: Console) -> bool:
    """Whether everything went as it should."""
    tally, killed = Tally(), Counter[str]()
    async with ClientLog(log) as record, Shop(where["gateway"], record) as shop:
        replay = Replay(shop, planned, tally, options.seconds)
        total = None if options.seconds else len(planned.baskets)
        drawing = asyncio.create_task(_draw(tally, total, killed, console))
        try:
            before, after = await _run(options, replay, shop, where, killed)
        except ExceptionGroup as group:
            raise _first(group) from group
        finally:
            drawing.cancel()
            with suppress(asyncio.CancelledError):
                await drawing
        view.summarise(tally, shop.retries, killed, _shares(before, after), console)
        await _show_trace(shop, tally, where, console)
    return not tally.mistaken and tally.done == tally.placed


async def _run(
    options: Options, replay: Replay, shop: Shop, where: dict[str, Any], killed: Counter[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Seed, then replay; CPU seconds by process before and after the replay."""
    keeper = await shop.log_in(where["admin"]["email"], state.admin_password(where))
    _, customers = await asyncio.gather(replay.seed(keeper), replay.register(uuid4().hex[:8]))
    before = status.cpu_seconds(state.read())
    async with asyncio.TaskGroup() as tasks:
        if options.kill:
            tasks.create_task(kills.kill_on(state.DIRECTORY, options.kill, killed, replay.over))
        await replay.run(customers)
    return before, status.cpu_seconds(state.read())


async def _draw(tally: Tally, total: int | None, killed: Counter[str], console: Console) -> None:
    with Live(console=console, refresh_per_second=4) as shown:
        try:
            while True:
                shown.update(view.live(tally, total, killed))
                await asyncio.sleep(REFRESH_SECONDS)
        finally:
            shown.update(view.live(tally, total, killed))


async def _show_trace(shop: Shop, tally: Tally, where: dict[str, Any], console: Console) -> None:
    if tally.sample is None:
        return
    customer, order_id = tally.sample
    steps = await shop.history(customer, order_id)
    trace_id = next((step["trace_id"] for step in steps if step["trace_id"]), None)
    await asyncio.sleep(FLUSH_SECONDS)
    spans = waterfall.spans_of(Path(where["spans"]), trace_id) if trace_id else []
    if spans and trace_id:
        waterfall.show(spans, trace_id, console)


def _shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Each process' part of all CPU time that the system took."""
    spent = {name: max(0.0, seconds - before.get(name, 0.0)) for name, seconds in after.items()}
    total = sum(spent.values()) or 1.0
    return {name: seconds / total for name, seconds in sorted(spent.items(), key=lambda item: -item[1])}


def _audit(log: Path) -> int:
    """The judge is a process of its own: it shares nothing with what it judges."""
    files = ["--state", str(state.DIRECTORY / state.FILE), "--client-log", str(log)]
    return subprocess.run([sys.executable, "-m", "auditor", *files], check=False).returncode


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """The first sentence for the user among what failed side by side."""
    sentences = group.split(StageError)[0]
    error: Exception = sentences.exceptions[0] if sentences else group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
