"""Hears SIGTERM and SIGINT. The first signal asks for a drain, the second ends the process at once."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import uvloop


class Shutdown:
    """`requested` is set by the first signal; every role waits for it and then unwinds its stack."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()

    def listen(self) -> None:
        """Take over the signals; call it once, inside the running loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._heard, number)

    def _heard(self, number: signal.Signals) -> None:
        if self.requested.is_set():
            os._exit(128 + number)
        self.requested.set()


def run(main: Callable[[Shutdown], Awaitable[None]]) -> None:
    """Run a role until it has unwound."""

    async def entered() -> None:
        shutdown = Shutdown()
        shutdown.listen()
        await main(shutdown)

    uvloop.run(entered())
