"""`python -m inventory_service <role>`: one image, several processes."""

import asyncio
import json
import sys
from collections.abc import Sequence

from chassis.shutdown import run
from inventory_service import app

USAGE = "usage: python -m inventory_service api | worker | migrate | messages list|show|replay|discard | openapi"


def main(arguments: Sequence[str]) -> int:
    """Play one role; returns the exit code."""
    match arguments:
        case ["api"]:
            run(app.api)
        case ["worker"]:
            run(app.worker)
        case ["migrate"]:
            app.migrate()
        case ["messages", *rest]:
            return asyncio.run(app.messages(rest))
        case ["openapi"]:
            print(json.dumps(app.blank().openapi(), indent=2))
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
