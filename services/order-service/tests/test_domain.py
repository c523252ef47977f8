"""The order's rules without a database: every status meets every fact."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import OrderCancelled, OrderConfirmed, OrderRejected, StockRejected, StockReleased, StockReserved
from order_service import domain
from order_service.domain import Order, Price, Status

ID = uuid4()
FACTS = {
    "reserved": (domain.decide_on_reserved, StockReserved(order_id=ID)),
    "rejected": (domain.decide_on_rejected, StockRejected(order_id=ID, shortages=())),
    "released": (domain.decide_on_released, StockReleased(order_id=ID)),
}


def order(status, version=1, stock_version=0):
    return Order(ID, Status(status), version, stock_version)


@pytest.mark.parametrize(
    ("fact", "status", "becomes", "announces"),
    [
        ("reserved", "pending", "confirmed", OrderConfirmed),
        ("rejected", "pending", "rejected", OrderRejected),
        ("released", "cancelled", "cancelled", None),
        *(("reserved", status, status, None) for status in ("confirmed", "rejected", "cancelled")),
        *(("rejected", status, status, None) for status in ("confirmed", "rejected", "cancelled")),
    ],
)
def test_what_a_stock_event_makes_of_an_order(fact, status, becomes, announces):
    decide, event = FACTS[fact]
    decision = domain.after_stock(order(status), decide, event, 1)
    assert decision.order.status == becomes
    assert [type(e) for e in decision.events] == ([announces] if announces else [])
    assert decision.order.version == (2 if announces else 1)


def test_a_second_event_of_the_same_version_is_stale():
    decide, event = FACTS["reserved"]
    assert domain.after_stock(order("pending", stock_version=1), decide, event, 1).stale


@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_a_customer_may_cancel_until_it_is_over(status):
    decision = domain.decide_on_cancel(order(status))
    assert decision.order.status == "cancelled"
    assert decision.events == (OrderCancelled(order_id=ID, reason="customer"),)


def test_cancelling_twice_changes_nothing_and_a_rejected_order_refuses():
    assert domain.decide_on_cancel(order("cancelled")).events == ()
    with pytest.raises(domain.IllegalCancel):
        domain.decide_on_cancel(order("rejected"))


@pytest.mark.parametrize("status", list(Status))
def test_a_deadline_cancels_only_what_is_pending(status):
    decision = domain.decide_on_deadline(order(status))
    assert [e.reason for e in decision.events] == (["timeout"] if status == "pending" else [])


@given(st.lists(st.tuples(st.sampled_from(list(FACTS)), st.integers(1, 3)), max_size=8))
def test_whatever_comes_an_order_ends_once_and_versions_only_rise(story):
    now, ends = order("pending"), 0
    for fact, version in story:
        decide, event = FACTS[fact]
        decision = domain.after_stock(now, decide, event, version)
        ends += decision.order.status != now.status
        assert decision.order.version >= now.version
        now = decision.order
    assert ends <= 1


def test_an_order_has_one_currency_and_only_what_is_sold():
    prices = {"a": Price(100, "EUR", True), "b": Price(5, "GBP", True), "c": Price(1, "EUR", False)}
    items, total, currency = domain.priced({"a": 3}, prices)
    assert (items[0].unit_price_minor, total, currency) == (100, 300, "EUR")
    with pytest.raises(domain.MixedCurrencies):
        domain.priced({"a": 1, "b": 1}, prices)
    with pytest.raises(domain.InactiveProduct):
        domain.priced({"c": 1}, prices)
