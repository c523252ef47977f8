"""Stages: where the end-to-end suite plays. One suite, one interface, three places to run it.

`processes` is this machine, `containers` an engine, `cluster` a Kubernetes context, `inside` a pod of one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pkgutil import resolve_name

from devstack.errors import StageError
from devstack.layout import Wishes
from devstack.stages.stage import Stage

NAMES = ("processes", "containers", "cluster", "inside")

__all__ = ["NAMES", "Stage", "opened", "require"]


def require(name: str) -> None:
    """Raises StageError, and has touched nothing, when the stage of that name cannot be had here."""
    if name not in NAMES:
        raise StageError(f"there is no stage {name!r}; choose {', '.join(NAMES)}")
    resolve_name(f"devstack.stages.{name}:require")()


@contextmanager
def opened(name: str, directory: Path, wishes: Wishes) -> Iterator[Stage]:
    """The stage of that name for the length of a block; raises StageError when it cannot be had."""
    require(name)
    with resolve_name(f"devstack.stages.{name}:running")(directory, wishes) as stage:
        yield stage
