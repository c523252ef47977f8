"""A load generator that runs beside what it loads, as a pod: keep-alive connections that place orders at a steady rate.

`python load.py JSON` with gateway, users [{id, token}], sku, rate (orders/s), connections, seconds, and host when the
gateway is asked for by another name. No attempt is repeated: what fails is counted. Prints the client's log, a line an
attempt, and at its end `{"sent", "failed", "statuses", "seconds", "p50_ms", "p99_ms"}`. SIGINT ends it early.
"""

import asyncio
import itertools
import json
import signal
import statistics
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import httpx2

MOST_SECONDS = 600
MOST_CONNECTIONS = 64


class Load:
    """One run; every connection is a client of its own that keeps its socket."""

    def __init__(self, asked: dict) -> None:
        self.asked, self.stop = asked, asyncio.Event()
        self.statuses: Counter[str] = Counter()
        self.took: list[float] = []
        self.users = itertools.cycle(asked["users"])

    async def run(self) -> dict:
        """Until the time is over or somebody has heard enough."""
        began = time.monotonic()
        asyncio.get_running_loop().call_later(min(MOST_SECONDS, self.asked["seconds"]), self.stop.set)
        connections = min(MOST_CONNECTIONS, self.asked["connections"])
        await asyncio.gather(*(self._connection(number, connections) for number in range(connections)))
        cuts = statistics.quantiles(self.took, n=100) if len(self.took) > 1 else [0.0] * 99
        sent = sum(self.statuses.values())
        return {
            "sent": sent,
            "failed": sent - self.statuses["201"],
            "statuses": dict(self.statuses),
            "seconds": round(time.monotonic() - began, 1),
            "p50_ms": round(cuts[49] * 1000, 1),
            "p99_ms": round(cuts[98] * 1000, 1),
        }

    async def _connection(self, number: int, of: int) -> None:
        pace = of / self.asked["rate"]
        await asyncio.sleep(pace * number / of)
        one = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60)
        async with httpx2.AsyncClient(base_url=self.asked["gateway"], limits=one, timeout=30, verify=False) as http:
            while not self.stop.is_set():
                began = time.monotonic()
                await self._place(http)
                await asyncio.sleep(max(0.0, pace - (time.monotonic() - began)))

    async def _place(self, http: httpx2.AsyncClient) -> None:
        user, key = next(self.users), str(uuid4())
        headers = {"authorization": f"Bearer {user['token']}", "idempotency-key": key}
        extensions = {}
        if host := self.asked.get("host"):
            headers["host"], extensions = host, {"sni_hostname": host}
        body = {"items": [{"sku": self.asked["sku"], "quantity": 1}]}
        began = time.perf_counter()
        try:
            answer = await http.post("/orders", json=body, headers=headers, extensions=extensions)
            status, order = answer.status_code, answer.json().get("id") if answer.status_code == 201 else None
        except httpx2.HTTPError as error:
            status, order = None, None
            self.statuses[type(error).__name__] += 1
        else:
            self.statuses[str(status)] += 1
            self.took.append(time.perf_counter() - began)
        self._note(user["id"], key, status, order)

    @staticmethod
    def _note(user: str, key: str, status: int | None, order: str | None) -> None:
        line = {"at": datetime.now(UTC).isoformat(), "user": user, "key": key, "attempt": 1}
        print(json.dumps({**line, "status": status, "order_id": order}))


async def main(asked: dict) -> None:
    """Run and sum up."""
    load = Load(asked)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, load.stop.set)
    print(json.dumps(await load.run()))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
