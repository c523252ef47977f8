"""The killer: ends a service process by SIGKILL every few seconds, in turn, and counts whom it has killed."""

import asyncio
import itertools
import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

from devstack import state
from devstack.layout import KINDS


async def kill_on(directory: Path, seconds: float, killed: Counter[str], enough: asyncio.Event) -> None:
    """Until it is enough. Pids come from the state file, which the supervisor rewrites at each restart."""
    for kind in itertools.cycle(KINDS):
        with suppress(TimeoutError):
            await asyncio.wait_for(enough.wait(), seconds)
        if enough.is_set():
            return
        member = state.read(directory)["processes"][kind][0]
        with suppress(ProcessLookupError):  # it was just being restarted
            os.kill(member["pid"], signal.SIGKILL)
            killed[kind] += 1
