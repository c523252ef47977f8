"""I1, I2 and I7: what was promised to customers. Orders against the client's log, and against reservations."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from auditor.facts import Facts, Line, Order
from auditor.verdict import Finding, Terms

HOLDING = ("open", "sold")
PLACED_VERSION = 1

Items = dict[UUID, Counter[str]]


def kept(facts: Facts, terms: Terms) -> Finding:
    """I1: every acknowledged order exists and is terminal within T, by the database's clock."""
    acknowledged = {attempt.order_id for attempt in facts.acknowledged if attempt.order_id}
    rows = {order.id: order for order in facts.orders}
    decided = _decided_at(facts)
    within = timedelta(seconds=terms.within)
    words = (_broken_word(one, rows.get(one), decided, facts.read_at, within) for one in sorted(acknowledged))
    faults = (*_nameless(facts), *(word for word in words if word))
    return Finding(f"{len(acknowledged)} acknowledged orders, {terms.within:g} s", faults)


def _nameless(facts: Facts) -> Iterator[str]:
    """An acknowledgement that names no order cannot be held against anybody, so it is a fault by itself."""
    for attempt in facts.acknowledged:
        if attempt.order_id is None:
            yield f"user {attempt.user}, key {attempt.key!r}: acknowledged with {attempt.status} and no order id"


def _broken_word(
    order_id: UUID, order: Order | None, decided: Mapping[str, datetime], now: datetime, within: timedelta
) -> str | None:
    """What is wrong with one acknowledged order. A pending one that is still in time is left to I9."""
    if order is None:
        return f"order {order_id} was acknowledged and does not exist"
    if order.status != "pending" and order.terminal_at is None:
        return f"order {order_id} is {order.status} without a time"
    # A confirmed order that is cancelled an hour later was terminal in time: its first transition counts.
    ended = min(order.terminal_at or now, decided.get(str(order_id), now))
    if (took := ended - order.created_at) > within:
        return f"order {order_id} was pending for {took.total_seconds():.1f} s and is {order.status}"
    return None


def _decided_at(facts: Facts) -> dict[str, datetime]:
    """Order id as text -> when its first event after `order.placed` was written."""
    decided: dict[str, datetime] = {}
    for row in facts.history:
        if row.type.startswith("order.") and row.version > PLACED_VERSION:
            decided[row.key] = min(row.written_at, decided.get(row.key, row.written_at))
    return decided


def one_per_key(facts: Facts, _: Terms) -> Finding:
    """I2: one order per (user, key), the rows keep both, and every acknowledgement of a key named the same order."""
    by_key: defaultdict[tuple[UUID, str], set[UUID]] = defaultdict(set)
    for order in facts.orders:
        by_key[order.user_id, order.idempotency_key].add(order.id)
    doubled = (_doubled("stored", *one) for one in by_key.items() if len(one[1]) > 1)
    faults = (*doubled, *_unlike_the_log(facts))
    return Finding(f"{len(by_key)} keys", tuple(faults))


def _unlike_the_log(facts: Facts) -> Iterator[str]:
    """Answers that differ for one key, and rows that do not carry the key which made them."""
    answers: defaultdict[tuple[UUID, str], set[UUID]] = defaultdict(set)
    for attempt in facts.acknowledged:
        if attempt.order_id:
            answers[attempt.user, attempt.key].add(attempt.order_id)
    keys = {order.id: (order.user_id, order.idempotency_key) for order in facts.orders}
    for key, ids in answers.items():
        if len(ids) > 1:
            yield _doubled("answered", key, ids)
        for order_id in ids:
            if keys.get(order_id, key) != key:
                yield f"order {order_id} was placed by user {key[0]} with key {key[1]!r} and its row says otherwise"


def _doubled(verb: str, key: tuple[UUID, str], ids: Iterable[UUID]) -> str:
    return f"user {key[0]}, key {key[1]!r}: {verb} orders {' and '.join(map(str, sorted(ids)))}"


def agree_with_stock(facts: Facts, _: Terms) -> Finding:
    """I7: confirmed => sold; cancelled or rejected holds nothing; nothing is held for an order that is not there."""
    faults = tuple(text for _, text in disagreements(facts))
    return Finding(f"{len(facts.orders)} orders, {len(facts.reservations)} reservations", faults)


def disagreements(facts: Facts) -> Iterator[tuple[UUID, str]]:
    """Orders whose two databases tell different stories. They are read at two instants: suspects are read again."""
    states = {reservation.order_id: reservation.state for reservation in facts.reservations}
    wanted, reserved = _items(facts.order_lines), _items(facts.reserved_lines)
    for order in facts.orders:
        state = states.get(order.id, "missing")
        if order.status == "confirmed" and state != "sold":
            yield order.id, f"order {order.id} is confirmed and its reservation is {state}"
        elif order.status == "confirmed" and wanted.get(order.id) != reserved.get(order.id):
            yield order.id, f"order {order.id} is confirmed and other goods were sold than ordered"
        elif order.status in ("cancelled", "rejected") and state in HOLDING:
            yield order.id, f"order {order.id} is {order.status} and its reservation is {state}"
    yield from _held_for_nobody(facts, states)


def _held_for_nobody(facts: Facts, states: Mapping[UUID, str]) -> Iterator[tuple[UUID, str]]:
    """Reservations without an order; one that a client knows of is a lost order and I1 names it."""
    known = {order.id for order in facts.orders} | {attempt.order_id for attempt in facts.acknowledged}
    for order_id, state in states.items():
        if state in HOLDING and order_id not in known:
            yield order_id, f"a reservation is {state} for order {order_id}, which does not exist"


def _items(lines: Iterable[Line]) -> Items:
    """Order id -> SKU -> pieces."""
    items: Items = defaultdict(Counter)
    for line in lines:
        items[line.order_id][line.sku] += line.quantity
    return items
