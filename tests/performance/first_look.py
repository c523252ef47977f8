"""A first look at speed: durable POST /orders per second beside pgbench of the same SQL on the same server.

`make bench`. Rounds are interleaved; both cores are shared by everything, the load generator included.
"""

import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import UUID

import export
import httpx2
from rich.console import Console
from rich.table import Table

from chassis.database import Database
from devstack import stages, state
from devstack.layout import Wishes
from devstack.ports import free_port
from devstack.postgres import BINARIES

CONNECTIONS = (1, 8, 32)
SECONDS = 6
ROUNDS = 3
USERS = 4
PASSWORD = "a long password"
# Past these limits the run would measure refusals.
SETTINGS = {"PENDING_LIMIT": "1000000000", "ORDER_DEADLINE_SECONDS": "600"}


def load(url: str, tokens: list[str], sku: str, connections: int) -> dict[str, float]:
    asked = {"url": url, "tokens": tokens, "sku": sku, "connections": connections, "seconds": SECONDS}
    command = [sys.executable, str(Path(__file__).with_name("load.py")), json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def pgbench(dsn: str, script: Path, connections: int) -> float:
    """Transactions per second."""
    command = [
        BINARIES / "pgbench",
        "-n",
        "-M",
        "prepared",
        "-f",
        script,
        "-c",
        str(connections),
        "-T",
        str(SECONDS),
        dsn,
    ]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pgbench: {done.stderr}")
    return float(re.search(r"tps = ([\d.]+)", done.stdout)[1])


async def prepared(gateway: str, where: dict) -> tuple[list[str], str, str]:
    """Users' tokens, a product that does not run out, and the id of one user."""
    async with httpx2.AsyncClient(base_url=gateway) as http:

        async def log_in(email: str, password: str) -> str:
            form = {"grant_type": "password", "username": email, "password": password}
            return (await http.post("/oauth/token", data=form)).json()["access_token"]

        keeper = {"authorization": f"Bearer {await log_in(where['admin']['email'], state.admin_password(where))}"}
        body = {"name": "Lamp", "price_minor": 100, "currency": "EUR", "active": True}
        await http.put("/products/lamp", json=body, headers=keeper)
        stock = {"quantity": 1_000_000}
        await http.post("/products/lamp/restocks", json=stock, headers={**keeper, "idempotency-key": "k"})
        tokens = []
        for number in range(USERS):
            body = {"email": f"u{number}@waybill.example", "name": "U", "password": PASSWORD}
            user = (await http.post("/users", json=body)).json()["id"]
            tokens.append(await log_in(body["email"], PASSWORD))
        await asyncio.sleep(2)  # until the projections know them
        return tokens, "lamp", user


async def exported(dsn: str, user: str, sku: str) -> str:
    async with Database(dsn, pool_size=1) as database:
        return await export.script(database, UUID(user), sku)


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 130)
    with tempfile.TemporaryDirectory(prefix="waybill-") as name:
        Path(name).chmod(0o755)
        wishes = Wishes(port=free_port(), trace_ratio=0.1, settings=SETTINGS)
        with stages.opened("processes", Path(name) / "system", wishes) as stage:
            where = stage.state
            tokens, sku, user = asyncio.run(prepared(where["gateway"], where))
            dsn = where["databases"]["order-service"]
            script = Path(name) / "order.sql"
            script.write_text(asyncio.run(exported(dsn, user, sku)))
            console.print(measured(where, tokens, sku, dsn, script))
    return 0


def measured(where: dict, tokens: list[str], sku: str, dsn: str, script: Path) -> Table:
    """One row per number of connections; medians of interleaved rounds."""
    api = where["processes"]["order-service/api"][0]["http"]
    table = Table(title="durable POST /orders beside pgbench of the same SQL", title_justify="left")
    for heading in (
        "connections",
        "pgbench/s",
        "service/s",
        "ratio",
        "through the gateway/s",
        "ratio",
        "p50 ms",
        "p99 ms",
    ):
        table.add_column(heading, justify="right")
    for connections in CONNECTIONS:
        rounds = [
            (
                pgbench(dsn, script, connections),
                load(api, tokens, sku, connections),
                load(where["gateway"], tokens, sku, connections),
            )
            for _ in range(ROUNDS)
        ]
        limit = statistics.median(one[0] for one in rounds)
        direct = statistics.median(one[1]["rate"] for one in rounds)
        through = statistics.median(one[2]["rate"] for one in rounds)
        p50, p99 = (statistics.median(one[1][cut] for one in rounds) for cut in ("p50", "p99"))
        figures = (limit, direct, direct / limit, through, through / limit, p50, p99)
        table.add_row(str(connections), *(f"{figure:.2f}" if figure < 10 else f"{figure:.0f}" for figure in figures))
    return table


if __name__ == "__main__":
    sys.exit(main())
