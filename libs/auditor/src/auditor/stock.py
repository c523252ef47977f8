"""I3 and I6: what happened to the goods. Three witnesses: stock rows, reservations with restocks, the ledger."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar
from uuid import UUID

from auditor.facts import Effect, Facts, Stock, Written
from auditor.verdict import Finding, Terms
from contracts import ORDER_EVENTS, OrderCancelled, OrderConfirmed, OrderPlaced

CAUSES: Mapping[str, str] = {
    "reserve": OrderPlaced.type,
    "sell": OrderConfirmed.type,
    "release": OrderCancelled.type,
    "restock": OrderCancelled.type,
}
"""Kind of an order's effect -> the only type of event that may have it."""

Place = TypeVar("Place")
"""Where deltas are added up: an order's line, or a SKU."""


class Pieces(NamedTuple):
    """A sum of deltas."""

    on_hand: int = 0
    reserved: int = 0

    def plus(self, on_hand: int, reserved: int) -> "Pieces":
        """The sum with one more delta."""
        return Pieces(self.on_hand + on_hand, self.reserved + reserved)


def adds_up(facts: Facts, _: Terms) -> Finding:
    """I3, per SKU: restocks = on hand + sold; reserved = open reservations; on_hand >= reserved >= 0."""
    rows = {row.sku: row for row in facts.stock}
    restocked = _sum((restock.sku, restock.quantity) for restock in facts.restocks)
    sold, held = _reserved(facts, "sold"), _reserved(facts, "open")
    skus = sorted({*rows, *restocked, *sold, *held})
    faults = (
        fault
        for sku in skus
        for fault in _faults_of(rows.get(sku, Stock(sku, 0, 0)), restocked[sku], sold[sku], held[sku])
    )
    return Finding(f"{len(skus)} SKUs, {restocked.total()} pieces restocked, {sold.total()} sold", tuple(faults))


def _faults_of(row: Stock, restocked: int, sold: int, held: int) -> Iterator[str]:
    if restocked != row.on_hand + sold:
        yield f"{row.sku}: {restocked} restocked, but {row.on_hand} on hand and {sold} sold"
    if row.reserved != held:
        yield f"{row.sku}: {row.reserved} reserved, but open reservations hold {held}"
    if not row.on_hand >= row.reserved >= 0:
        yield f"{row.sku}: oversold, {row.on_hand} on hand and {row.reserved} reserved"


def _reserved(facts: Facts, state: str) -> Counter[str]:
    """SKU -> pieces of all reservations in that state."""
    orders = {reservation.order_id for reservation in facts.reservations if reservation.state == state}
    return _sum((line.sku, line.quantity) for line in facts.reserved_lines if line.order_id in orders)


def _sum(pieces: Iterable[tuple[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for sku, quantity in pieces:
        total[sku] += quantity
    return total


def one_effect_per_event(facts: Facts, _: Terms) -> Finding:
    """I6: no effect twice, each caused by a written event of the right type, and the ledger re-adds to its rows."""
    written = {row.event_id: row for row in facts.history}
    faults = (
        *_doubled(facts.ledger),
        *_uncaused(facts.ledger, written),
        *_unlike_reservations(facts),
        *_unlike_stock(facts),
    )
    return Finding(f"{len(facts.ledger)} effects", faults)


def _doubled(ledger: Iterable[Effect]) -> Iterator[str]:
    """The same effect again, by the same event or by another one. A restock by a person has neither."""
    events = Counter((row.cause_event_id, row.sku) for row in ledger if row.cause_event_id)
    kinds = Counter((row.order_id, row.kind, row.sku) for row in ledger if row.order_id)
    for (event, sku), times in events.items():
        if times > 1:
            yield f"event {event} had {times} effects on {sku}"
    for (order_id, kind, sku), times in kinds.items():
        if times > 1:
            yield f"order {order_id} has {times} effects `{kind}` on {sku}"


def _uncaused(ledger: Iterable[Effect], written: Mapping[UUID, Written]) -> Iterator[str]:
    for row in ledger:
        if row.order_id is None:
            if row.kind != "restock" or row.on_hand_delta <= 0 or row.reserved_delta:
                yield f"`{row.kind}` of {row.sku} belongs to no order, and people only restock"
            continue
        cause = written.get(row.cause_event_id) if row.cause_event_id else None
        if cause is None or (cause.topic, cause.key, cause.type) != _cause_of(row):
            wanted = CAUSES.get(row.kind)
            yield f"order {row.order_id}: `{row.kind}` of {row.sku} was caused by no {wanted} of that order"


def _cause_of(row: Effect) -> tuple[str, str, str | None]:
    return ORDER_EVENTS.name, str(row.order_id), CAUSES.get(row.kind)


def _unlike_reservations(facts: Facts) -> Iterator[str]:
    """Each order's effects, added up, against what its reservation says."""
    added = _add(((row.order_id, row.sku), row) for row in facts.ledger if row.order_id is not None)
    states = {reservation.order_id: reservation.state for reservation in facts.reservations}
    due = {(line.order_id, line.sku): _due(states.get(line.order_id), line.quantity) for line in facts.reserved_lines}
    for place in added.keys() | due.keys():
        found, wanted = added.get(place, Pieces()), due.get(place, Pieces())
        if found != wanted:
            order_id, sku = place
            yield f"order {order_id}: the ledger adds up to {_say(found)} of {sku}, its reservation to {_say(wanted)}"


def _due(state: str | None, quantity: int) -> Pieces:
    """What all effects of one reserved line come to in the end."""
    return {"open": Pieces(0, quantity), "sold": Pieces(-quantity, 0)}.get(state or "", Pieces())


def _unlike_stock(facts: Facts) -> Iterator[str]:
    added = _add((row.sku, row) for row in facts.ledger)
    rows = {row.sku: Pieces(row.on_hand, row.reserved) for row in facts.stock}
    for sku in sorted(added.keys() | rows.keys()):
        found, wanted = added.get(sku, Pieces()), rows.get(sku, Pieces())
        if found != wanted:
            yield f"{sku}: the ledger adds up to {_say(found)}, the stock row says {_say(wanted)}"


def _add(effects: Iterable[tuple[Place, Effect]]) -> dict[Place, Pieces]:
    sums: defaultdict[Place, Pieces] = defaultdict(Pieces)
    for place, row in effects:
        sums[place] = sums[place].plus(row.on_hand_delta, row.reserved_delta)
    return dict(sums)


def _say(pieces: Pieces) -> str:
    return f"{pieces.on_hand} on hand and {pieces.reserved} reserved"
