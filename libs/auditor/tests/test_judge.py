"""The auditor is proven: a healthy run passes, and each corruption of a copy breaks exactly the promise it should."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from auditor.facts import Letter, ParkedKey, Stock, Waiting
from auditor.judge import judge

GHOST = UUID(int=999)


def broken(facts, terms=None):
    return [verdict.promise for verdict in judge(facts, terms) if not verdict.holds]


def find(rows, **wanted):
    """The first row with these values, and the others."""
    row = next(r for r in rows if all(getattr(r, name) == value for name, value in wanted.items()))
    return row, tuple(r for r in rows if r is not row)


def swap(rows, change, **wanted):
    row, _ = find(rows, **wanted)
    return tuple(replace(r, **change) if r is row else r for r in rows)


def order_of(facts, status):
    return find(facts.reservations, state=status)[0].order_id


def without_order(facts, state):
    """As if the database had lost it: the order's row and lines."""
    order = order_of(facts, state)
    return replace(
        facts,
        orders=tuple(o for o in facts.orders if o.id != order),
        order_lines=tuple(line for line in facts.order_lines if line.order_id != order),
    )


def late(facts):
    order = order_of(facts, "rejected")
    hour = timedelta(hours=1)
    orders = swap(facts.orders, {"terminal_at": facts.orders[0].created_at + hour}, id=order)
    history = tuple(
        replace(row, written_at=row.written_at + hour) if row.key == str(order) and row.version > 1 else row
        for row in facts.history
    )
    return replace(facts, orders=orders, history=history)


def two_orders_for_one_key(facts):
    one, other = facts.orders[0], facts.orders[3]
    orders = swap(facts.orders, {"idempotency_key": one.idempotency_key}, id=other.id)
    log = tuple(replace(a, key=one.idempotency_key) if a.order_id == other.id else a for a in facts.client_log)
    return replace(facts, orders=orders, client_log=log)


def two_answers_for_one_key(facts):
    log = list(facts.client_log)
    log[1] = replace(log[1], order_id=facts.orders[2].id)
    return replace(facts, client_log=tuple(log))


def oversold_by_one(facts):
    """A reservation sold one piece more than there was: every book agrees, and the shelf is short."""
    row = facts.stock[0]
    sold = row.on_hand + 1
    order = order_of(facts, "sold")
    lines = tuple(
        replace(line, quantity=line.quantity + sold) if line.order_id == order else line
        for line in facts.reserved_lines
    )
    wanted = tuple(
        replace(line, quantity=line.quantity + sold) if line.order_id == order else line for line in facts.order_lines
    )

    def more(effect):
        if effect.order_id != order:
            return effect
        pieces = {"reserve": (0, sold), "sell": (-sold, -sold)}[effect.kind]
        return replace(
            effect, on_hand_delta=effect.on_hand_delta + pieces[0], reserved_delta=effect.reserved_delta + pieces[1]
        )

    return replace(
        facts,
        stock=(Stock(row.sku, -1, 0),),
        reserved_lines=lines,
        order_lines=wanted,
        ledger=tuple(more(effect) for effect in facts.ledger),
    )


def restock_forgotten(facts):
    return replace(facts, restocks=())


def event_never_published(facts):
    """The last event of its aggregate, so that order is not touched."""
    row, _ = find(facts.history, type="order.rejected.v1")
    kept = tuple(d for d in facts.deliveries if d.event_id != row.event_id)
    return replace(facts, deliveries=kept)


def ghost_event(facts):
    last = max(facts.deliveries, key=lambda d: d.offset)
    ghost = replace(last, event_id=GHOST, key=str(GHOST), version=1, offset=last.offset + 1)
    return replace(facts, deliveries=(*facts.deliveries, ghost))


def catalogue_forgotten(facts):
    _, kept = find(facts.deliveries, type="product.updated.v1")
    return replace(facts, deliveries=kept)


def deliveries_inverted(facts):
    placed, _ = find(facts.deliveries, type="order.placed.v1")
    later, _ = find(facts.deliveries, key=placed.key, version=2)

    def change(row):
        return replace(row, offset={placed: later.offset, later: placed.offset}.get(row, row.offset))

    return replace(facts, deliveries=tuple(change(row) for row in facts.deliveries))


def causes_inverted(facts):
    released, _ = find(facts.history, type="stock.released.v1")
    reserved, _ = find(facts.history, type="stock.reserved.v1", key=released.key)
    causes = {released: reserved.cause_event_id, reserved: released.cause_event_id}
    history = tuple(replace(r, cause_event_id=causes.get(r, r.cause_event_id)) for r in facts.history)
    return replace(facts, history=history)


def effect_doubled(facts):
    effect, _ = find(facts.ledger, kind="sell")
    return replace(facts, ledger=(*facts.ledger, effect))


def effect_without_cause(facts):
    return replace(facts, ledger=swap(facts.ledger, {"cause_event_id": GHOST}, kind="release"))


def effect_lost(facts):
    _, kept = find(facts.ledger, kind="release")
    return replace(facts, ledger=kept)


def confirmed_and_not_sold(facts):
    """The other way round than oversold: the order says yes, its reservation was restocked."""
    order = order_of(facts, "restocked")
    return replace(facts, orders=swap(facts.orders, {"status": "confirmed"}, id=order))


def cancelled_and_still_sold(facts):
    order = order_of(facts, "sold")
    return replace(facts, orders=swap(facts.orders, {"status": "cancelled"}, id=order))


def dead_letter(facts):
    letter = Letter("order-service", "inventory-events", "k", GHOST, "dead")
    return replace(facts, letters=(letter,))


def parked_key(facts):
    return replace(facts, parked_keys=(ParkedKey("order-service", "inventory-events", "k"),))


def parked_outbox(facts):
    row, _ = find(facts.history, type="order.rejected.v1")
    return replace(facts, outbox=(Waiting(row.service, row.topic, row.key, row.event_id, True),))


def lagging(facts):
    before, after = facts.readings
    moved = replace(after, committed=swap(after.committed, {"offset": 0}, topic="order-events"))
    return replace(facts, readings=(before, moved))


def outbox_waiting(facts):
    before, after = facts.readings
    return replace(facts, readings=(before, replace(after, waiting=1)))


def still_pending(facts):
    before, after = facts.readings
    return replace(facts, readings=(before, replace(after, pending=1)))


def read_too_soon(facts):
    before, _ = facts.readings
    return replace(facts, readings=(before, replace(before, at=before.at + timedelta(seconds=0.5))))


CORRUPTIONS = [
    ("I1", lambda facts: without_order(facts, "rejected")),
    ("I1", lambda facts: without_order(facts, "sold")),
    ("I1", late),
    ("I2", two_orders_for_one_key),
    ("I2", two_answers_for_one_key),
    ("I3", oversold_by_one),
    ("I3", restock_forgotten),
    ("I4", event_never_published),
    ("I4", ghost_event),
    ("I4", catalogue_forgotten),
    ("I5", deliveries_inverted),
    ("I5", causes_inverted),
    ("I6", effect_doubled),
    ("I6", effect_without_cause),
    ("I6", effect_lost),
    ("I7", confirmed_and_not_sold),
    ("I7", cancelled_and_still_sold),
    ("I8", dead_letter),
    ("I8", parked_key),
    ("I8", parked_outbox),
    ("I9", lagging),
    ("I9", outbox_waiting),
    ("I9", still_pending),
    ("I9", read_too_soon),
]


def test_a_healthy_run_passes(healthy):
    assert broken(healthy) == []


@pytest.mark.parametrize(("promise", "corrupt"), CORRUPTIONS)
def test_a_corruption_breaks_exactly_its_promise(healthy, promise, corrupt):
    assert broken(corrupt(healthy)) == [promise]


def test_every_promise_is_proven():
    assert {promise for promise, _ in CORRUPTIONS} == {f"I{n}" for n in range(1, 10)}
