"""`python -m user_service <role>`: the table of this service's processes."""

import sys

from chassis.roles import lasting, once, play

ROLES = {
    "api": lasting("user_service.app:api"),
    "worker": lasting("user_service.worker:worker"),
    "migrate": once("user_service.migrate:migrate"),
    "openapi": once("user_service.app:print_openapi"),
}

if __name__ == "__main__":
    sys.exit(play("user_service", ROLES))
