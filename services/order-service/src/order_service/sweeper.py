"""The deadline's guard: cancels orders that nobody decided in time, judged by the database's clock.

After start, and whenever trouble has ended, it first lets the consumer catch up: an answer that lies in Kafka already
shall win against a deadline that passed only because we were away.
"""

import asyncio
from collections.abc import Callable

import structlog
from prometheus_client import Counter

from messaging import Consumer, Transactions
from order_service.use_cases import SWEEP_LIMIT, Orders

CATCH_UP_SECONDS = 60.0
SWEEP_SECONDS = 1.0

EXPIRED = Counter("orders_expired_total", "Orders cancelled because their deadline passed")
_LOG = structlog.get_logger("sweeper")


class Sweeper:
    """`run` until cancelled."""

    def __init__(
        self,
        orders: Orders,
        consumer: Consumer,
        transactions: Transactions,
        is_transient: Callable[[BaseException], bool],
    ) -> None:
        self._orders, self._consumer = orders, consumer
        self._transactions, self._is_transient = transactions, is_transient

    async def run(self) -> None:
        """Catch up, then sweep each second."""
        caught_up_after: int | None = None
        while True:
            if caught_up_after != self._consumer.recoveries:
                caught_up_after = self._consumer.recoveries
                await self._catch_up()
            if not await self._sweep():
                caught_up_after = None
            await asyncio.sleep(SWEEP_SECONDS)

    async def _catch_up(self) -> None:
        if not await self._consumer.catch_up(CATCH_UP_SECONDS):
            _LOG.warning("deadlines are judged though the consumer has not caught up", seconds=CATCH_UP_SECONDS)

    async def _sweep(self) -> bool:
        """Until nothing is overdue; False when the database is in trouble."""
        expired = SWEEP_LIMIT
        try:
            while expired == SWEEP_LIMIT:
                async with self._transactions() as tx:
                    expired = await self._orders.expire_orders(tx)
                EXPIRED.inc(expired)
        except Exception as error:
            if not self._is_transient(error):
                raise
            _LOG.warning("sweep postponed", error=f"{type(error).__name__}: {error}")
            return False
        return True
