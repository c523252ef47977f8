"""Projections of other services' facts: the newest version wins, whatever the order of arrival; no inbox is needed."""

from collections.abc import Collection, Sequence
from uuid import UUID

from contracts import ProductListed, ProductUpdated, UserDeactivated, UserRegistered, UserUpdated
from messaging import Received, Transaction

UPSERT_PRODUCTS = """
INSERT INTO products (sku, name, price_minor, currency, active, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[], $6::integer[])
ON CONFLICT (sku) DO UPDATE SET name = excluded.name, price_minor = excluded.price_minor,
    currency = excluded.currency, active = excluded.active, version = excluded.version
WHERE excluded.version > products.version
"""
UPSERT_USERS = """
INSERT INTO users (id, active, version)
SELECT * FROM unnest($1::uuid[], $2::boolean[], $3::integer[])
ON CONFLICT (id) DO UPDATE SET active = excluded.active, version = excluded.version
WHERE excluded.version > users.version
"""
PRODUCT_TYPES = frozenset({ProductListed, ProductUpdated})
USER_TYPES = frozenset({UserRegistered, UserUpdated, UserDeactivated})


async def project_products(tx: Transaction, received: Sequence[Received]) -> Collection[UUID]:
    """Bring our copy of the catalogue up to date."""
    rows = []
    for version, event in _newest(received):
        assert isinstance(event, ProductListed | ProductUpdated)  # noqa: S101 (the subscription handles no others)
        rows.append((event.sku, event.name, event.price_minor, event.currency, event.active, version))
    await tx.raw.execute(UPSERT_PRODUCTS, *map(list, zip(*rows, strict=True)))
    return ()


async def project_users(tx: Transaction, received: Sequence[Received]) -> Collection[UUID]:
    """Remember who may order."""
    rows = []
    for version, event in _newest(received):
        assert isinstance(event, UserRegistered | UserUpdated | UserDeactivated)  # noqa: S101
        rows.append((event.user_id, event.status == "active", version))
    await tx.raw.execute(UPSERT_USERS, *map(list, zip(*rows, strict=True)))
    return ()


def _newest(received: Sequence[Received]) -> list[tuple[int, object]]:
    """One event per subject, sorted by it, since one statement may touch a row once and batches must not deadlock."""
    newest: dict[str, Received] = {}
    for one in received:
        known = newest.get(one.envelope.subject)
        if known is None or one.envelope.version > known.envelope.version:
            newest[one.envelope.subject] = one
    return [(newest[subject].envelope.version, newest[subject].envelope.event) for subject in sorted(newest)]
