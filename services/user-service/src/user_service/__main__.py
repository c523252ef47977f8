"""`python -m user_service <role>`: the table of this service's processes."""

import sys

from chassis.roles import lasting, once, play
from user_service import app

ROLES = {
    "api": lasting(app.api),
    "worker": lasting(app.worker),
    "migrate": once(app.migrate),
    "openapi": once(app.print_openapi),
}

if __name__ == "__main__":
    sys.exit(play("user_service", ROLES))
