"""`python -m order_service <role>`: the table of this service's processes."""

import asyncio
import sys

from chassis.roles import lasting, once, play
from order_service import app

ROLES = {
    "api": lasting(app.api),
    "worker": lasting(app.worker),
    "migrate": once(app.migrate),
    "messages": lambda words: asyncio.run(app.messages(words)),
    "openapi": once(app.print_openapi),
}

if __name__ == "__main__":
    sys.exit(play("order_service", ROLES))
