"""`python -m inventory_service <role>`: the table of this service's processes."""

import sys

from chassis.roles import asked, lasting, once, play

ROLES = {
    "api": lasting("inventory_service.app:api"),
    "worker": lasting("inventory_service.worker:worker"),
    "migrate": once("inventory_service.migrate:migrate"),
    "messages": asked("inventory_service.worker:messages"),
    "openapi": once("inventory_service.app:print_openapi"),
}

if __name__ == "__main__":
    sys.exit(play("inventory_service", ROLES))
