"""`python -m user_service <role>`: one image, several processes."""

import json
import sys
from collections.abc import Sequence

from chassis.shutdown import run
from user_service import app

USAGE = "usage: python -m user_service api | worker | migrate | openapi"


def main(arguments: Sequence[str]) -> int:
    """Play one role; returns the exit code."""
    match arguments:
        case ["api"]:
            run(app.api)
        case ["worker"]:
            run(app.worker)
        case ["migrate"]:
            app.migrate()
        case ["openapi"]:
            print(json.dumps(app.blank().openapi(), indent=2))
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
