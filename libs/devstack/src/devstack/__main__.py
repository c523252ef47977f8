"""`python -m devstack up | down | status | logs | demo`: what make's targets call. Errors are told once, here."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from devstack import jars, state, status, system
from devstack.demo import run as demo
from devstack.demo.options import Options
from devstack.errors import StageError
from devstack.layout import Wishes, parse_port, parse_replicas

WIDTH = 130
"""Of what is written to a file or a pipe, which has no width of its own."""
console = Console(width=None if sys.stdout.isatty() else WIDTH)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="devstack", description="Waybill's whole system on one machine.")
    verbs = root.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="start it and keep it running")
    up.add_argument("--port", default="8080")
    up.add_argument("--replicas", default="", help="like order-service/worker=2")
    verbs.add_parser("down", help="stop it")
    verbs.add_parser("status", help="what runs, where, and how much memory it takes")
    verbs.add_parser("logs", help="follow every log")
    Options.add_to(verbs.add_parser("demo", help="start, replay orders, audit, stop"))
    return root


def main(arguments: Sequence[str]) -> int:
    """Carry out one verb; 2 and one sentence when that cannot be done."""
    asked = parser().parse_args(arguments)
    try:
        match asked.verb:
            case "up":
                _up(Wishes(port=parse_port(asked.port), replicas=parse_replicas(asked.replicas)))
            case "down":
                print("stopped" if system.stop(state.DIRECTORY) else "nothing was running")
            case "status":
                status.show(state.read(), console)
            case "logs":
                status.follow(state.DIRECTORY / "logs")
            case "demo":
                return demo.main(Options.of(asked), console)
    except StageError as error:
        print(f"devstack: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("devstack: interrupted; everything that was started has been stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


def _up(wishes: Wishes) -> None:
    jars.fetch(jars.folder())  # here, where its progress can be seen
    with console.status("starting") as shown:
        system.start(state.DIRECTORY, wishes, lambda text: shown.update(text), detached=True)
    status.show(state.read(), console)


if __name__ == "__main__":
    Path(state.DIRECTORY).mkdir(exist_ok=True)
    sys.exit(main(sys.argv[1:]))
