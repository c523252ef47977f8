"""A door's gathering: the members that arrive while one commit is under way share the next transaction.

No timer: a lone request goes at once, and under load batches grow by themselves, since commits take time.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self, TypeVar

from chassis.database import is_lock_timeout, is_transient

T = TypeVar("T")
R = TypeVar("R")

Verb = Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]


class Intake(Generic[T, R]):
    """`verb` does one transaction for a batch and answers each member, by a result or an exception.

    A batch that raises is run again member by member, so that one cannot fail its neighbours; unless the database is in
    trouble, which every member would meet again, one timeout after the other.
    """

    def __init__(self, verb: Verb[T, R], limit: int = 128) -> None:
        self._verb, self._limit = verb, limit
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._arrived = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._worker = asyncio.create_task(self._run(), name="intake")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._worker:
            self._worker.cancel()
            with suppress(asyncio.CancelledError):
                await self._worker
        for _, answer in self._waiting:
            answer.cancel()

    async def submit(self, member: T) -> R:
        """The verb's answer for this member. A caller that goes away does not disturb the batch it is in."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((member, answer))
        self._arrived.set()
        return await answer

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while batch := self._gather():
                await self._serve(batch)

    def _gather(self) -> list[tuple[T, "asyncio.Future[R]"]]:
        batch: list[tuple[T, asyncio.Future[R]]] = []
        while self._waiting and len(batch) < self._limit:
            member, answer = self._waiting.popleft()
            if not answer.done():  # the caller has gone before anything was done for it
                batch.append((member, answer))
        return batch

    async def _serve(self, batch: Sequence[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._verb([member for member, _ in batch])
        except Exception as error:
            if len(batch) > 1 and _may_be_one_members_fault(error):
                for one in batch:
                    await self._serve([one])
                return
            results = [error] * len(batch)
        for (_, answer), result in zip(batch, results, strict=True):
            _settle(answer, result)


def _may_be_one_members_fault(error: Exception) -> bool:
    """A row that somebody else holds concerns whoever wants that row; other transient trouble concerns all."""
    return is_lock_timeout(error) or not is_transient(error)


def _settle(answer: "asyncio.Future[R]", result: R | Exception) -> None:
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
