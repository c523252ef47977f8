"""How much waits in the outbox: an estimate, refreshed each second, by which the HTTP door refuses in time."""

import asyncio
from collections.abc import Callable

import structlog

from messaging import metrics
from messaging.outbox import Transactions

ESTIMATE = """
SELECT greatest(0, coalesce((SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'outbox'), 0))
"""
REFRESH_SECONDS = 1.0
_LOG = structlog.get_logger("backlog")


class Backlog:
    """`full` when more than `limit` rows wait. While the database is away the last estimate stands."""

    def __init__(
        self, transactions: Transactions, is_transient: Callable[[BaseException], bool], limit: int = 1_000_000
    ) -> None:
        self._transactions, self._is_transient, self._limit = transactions, is_transient, limit
        self.rows = 0

    @property
    def full(self) -> bool:
        """Whether new work shall be refused."""
        return self.rows >= self._limit

    async def run(self) -> None:
        """Refresh until cancelled."""
        while True:
            try:
                await self.refresh()
            except Exception as error:
                if not self._is_transient(error):
                    raise
                _LOG.warning("backlog unknown", error=str(error))
            await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Read the statistics once; counting a million rows each second would be the load it guards against."""
        async with self._transactions() as tx:
            self.rows = await tx.raw.fetchval(ESTIMATE)
        metrics.OUTBOX_BACKLOG.set(self.rows)
