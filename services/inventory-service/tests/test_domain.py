"""Stock's rules without a database: versions that come too late, and a story told in any order."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import OrderCancelled, OrderConfirmed, OrderItem, OrderPlaced
from inventory_service import domain
from inventory_service.domain import Level, Reservation, State, Unfounded

ORDER = UUID(int=7)
PLACED = OrderPlaced.model_validate(
    {
        "order_id": ORDER,
        "user_id": ORDER,
        "items": [OrderItem(sku="a", quantity=3, unit_price_minor=1)],
        "total_minor": 3,
        "currency": "EUR",
        "deadline_at": "2026-01-01T00:00:00Z",
    }
)
EVENTS = {
    "placed": (1, domain.decide_on_placed, PLACED),
    "confirmed": (2, domain.decide_on_confirmed, OrderConfirmed(order_id=ORDER)),
    "cancelled": (3, domain.decide_on_cancelled, OrderCancelled(order_id=ORDER, reason="customer")),
}


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_event_that_is_not_newer_changes_nothing(version):
    known = Reservation(ORDER, State.OPEN, 1, 3, {"a": 3})
    _, decide, event = EVENTS["cancelled"]
    decision = domain.after_order(known, decide, event, version, {})
    assert decision.stale
    assert decision.reservation == known


@given(st.lists(st.sampled_from(list(EVENTS)), max_size=12), st.integers(0, 6))
def test_in_whatever_order_and_however_often_the_shelf_agrees_with_the_reservation(story, pieces):
    reservation, level = Reservation(ORDER), Level(pieces, 0)
    for name in story:
        version, decide, event = EVENTS[name]
        try:
            decision = domain.after_order(reservation, decide, event, version, {"a": level})
        except Unfounded:
            continue
        reservation = decision.reservation
        for effect in decision.effects:
            level = domain.moved(level, effect)
        assert level.on_hand >= level.reserved >= 0
    held = {State.OPEN: (pieces, 3), State.SOLD: (pieces - 3, 0)}.get(reservation.state, (pieces, 0))
    assert (level.on_hand, level.reserved) == held
