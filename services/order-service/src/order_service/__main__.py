"""`python -m order_service <role>`: the table of this service's processes."""

import sys

from chassis.roles import asked, lasting, once, play

ROLES = {
    "api": lasting("order_service.app:api"),
    "worker": lasting("order_service.worker:worker"),
    "migrate": once("order_service.migrate:migrate"),
    "messages": asked("order_service.worker:messages"),
    "openapi": once("order_service.app:print_openapi"),
}

if __name__ == "__main__":
    sys.exit(play("order_service", ROLES))
