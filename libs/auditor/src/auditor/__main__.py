"""`python -m auditor --state FILE --client-log FILE`: exit 0 = all promises hold, 1 = one is broken, 2 = bad input."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from auditor import archive, report
from auditor.collect import QUIET_SECONDS, collect, places
from auditor.errors import BadInput
from auditor.facts import Facts
from auditor.judge import judge
from auditor.verdict import TERMINAL_SECONDS, Expectation, Terms

WIDTH = 130
"""Of what is written to a file or a pipe, which has no width of its own."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="auditor", description="Judges every promise of a running system.")
    root.add_argument("--state", type=Path, default=Path(".devstack/state.json"), help="where everything is")
    root.add_argument("--client-log", type=Path, help="what the clients were told")
    root.add_argument("--expect", default="", help="what may be set aside: 3, or dead=1,parked=2,outbox=1")
    root.add_argument("--within", type=float, default=TERMINAL_SECONDS, help="seconds to a terminal status")
    root.add_argument("--quiet-within", type=float, default=QUIET_SECONDS, help="seconds to wait for quiet")
    root.add_argument("--save", type=Path, help="keep the facts")
    root.add_argument("--from", type=Path, dest="source", help="judge kept facts again")
    root.add_argument("--json", action="store_true", help="print verdicts as JSON")
    return root


def main(arguments: Sequence[str]) -> int:
    """Collect, judge, report."""
    asked = parser().parse_args(arguments)
    try:
        terms = Terms(asked.within, _expectation(asked.expect))
        facts = _facts(asked)
        if asked.save:
            archive.save(facts, asked.save)
    except BadInput as error:
        print(f"auditor: {error}", file=sys.stderr)
        return 2
    verdicts = judge(facts, terms)
    if asked.json:
        print(json.dumps([{**asdict(verdict), "holds": verdict.holds} for verdict in verdicts], indent=1))
    else:
        report.show(verdicts, Console(width=None if sys.stdout.isatty() else WIDTH))
    return 0 if all(verdict.holds for verdict in verdicts) else 1


def _facts(asked: argparse.Namespace) -> Facts:
    if asked.source:
        return archive.load(asked.source)
    if asked.client_log is None:
        raise BadInput("name the clients' log with --client-log")
    return asyncio.run(collect(places(asked.state), asked.client_log, asked.quiet_within))


def _expectation(text: str) -> Expectation:
    try:
        return Expectation.parse(text) if text else Expectation()
    except ValueError as error:
        raise BadInput(f"--expect {error}") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
