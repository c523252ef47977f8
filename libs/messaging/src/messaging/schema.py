"""Messaging's tables: every service's first revision creates them beside its own, since they share its transactions."""

from messaging import inbox, outbox, parking

STATEMENTS: tuple[str, ...] = (*outbox.DDL, *inbox.DDL, *parking.DDL)
