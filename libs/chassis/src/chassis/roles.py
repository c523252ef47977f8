"""`python -m <service> <role>`: one image, several processes. Every service's `__main__` is a table of its roles."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

from chassis import shutdown
from chassis.shutdown import Shutdown

Role = Callable[[Sequence[str]], int | None]
"""Takes the words after its name; returns the exit code, None for 0."""


def play(package: str, roles: Mapping[str, Role]) -> int:
    """Play the role that the command line names; 2 and one sentence when it names none."""
    name, *rest = sys.argv[1:] or [""]
    if name not in roles:
        print(f"usage: python -m {package} {' | '.join(roles)}", file=sys.stderr)
        return 2
    return roles[name](rest) or 0


def lasting(main: Callable[[Shutdown], Awaitable[None]]) -> Role:
    """A role that goes on until it is asked to stop."""
    return lambda _: shutdown.run(main)


def once(work: Callable[[], None]) -> Role:
    """A role that does something and ends."""
    return lambda _: work()
