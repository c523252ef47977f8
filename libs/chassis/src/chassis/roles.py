"""`python -m <service> <role>`: one image, several processes. Every service's `__main__` is a table of its roles.

A role is named by its place, `package.module:function`, and imported when it is played: a worker never loads the web
framework, and only `migrate` loads alembic. That is half of a process's start.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from pkgutil import resolve_name

from chassis import shutdown

Role = Callable[[Sequence[str]], int | None]
"""Takes the words after its name; returns the exit code, None for 0."""


def play(package: str, roles: Mapping[str, Role]) -> int:
    """Play the role that the command line names; 2 and one sentence when it names none."""
    name, *rest = sys.argv[1:] or [""]
    if name not in roles:
        print(f"usage: python -m {package} {' | '.join(roles)}", file=sys.stderr)
        return 2
    return roles[name](rest) or 0


def lasting(place: str) -> Role:
    """A role that goes on until it is asked to stop: `async (Shutdown) -> None`."""
    return lambda _: shutdown.run(resolve_name(place))


def once(place: str) -> Role:
    """A role that does something and ends: `() -> None`."""
    return lambda _: resolve_name(place)()


def asked(place: str) -> Role:
    """A role that somebody talks to: `async (words) -> exit code`."""
    return lambda words: asyncio.run(resolve_name(place)(words))
