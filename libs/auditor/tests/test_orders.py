"""I1, I2 and I7: each corruption of a healthy run is laid to the promise that it breaks, and to no other."""

from dataclasses import replace
from datetime import timedelta

import pytest

from auditor import Terms
from auditor.facts import Attempt, Order, Reservation


def test_i1_an_acknowledged_order_that_is_gone(healthy, tamper, broken, order_with):
    assert broken(tamper.drop(healthy, "orders", lambda row: row.id == order_with("a1"))) == ["I1"]


def test_i1_an_order_that_took_too_long(healthy, tamper, broken, order_with):
    placed = next(order.created_at for order in healthy.orders if order.id == order_with("b2"))
    earlier = {"created_at": placed - timedelta(seconds=106)}
    assert broken(tamper.change(healthy, "orders", lambda row: row.id == order_with("b2"), **earlier)) == ["I1"]


def test_i1_time_is_counted_by_what_the_terms_allow(healthy, broken):
    assert broken(healthy, Terms(within=0.001)) == ["I1"]


def test_i1_a_confirmed_order_cancelled_an_hour_later_was_in_time(healthy, tamper, broken, order_with):
    later = {"terminal_at": healthy.read_at + timedelta(hours=1)}
    assert broken(tamper.change(healthy, "orders", lambda row: row.id == order_with("a2"), **later)) == []


def test_i1_an_order_that_is_pending_for_ever(healthy, tamper, broken, order_with):
    late = replace(healthy, read_at=healthy.read_at + timedelta(hours=1))
    late = tamper.drop(late, "history", lambda row: row.key == str(order_with("b2")) and row.version == 2)
    late = tamper.drop(late, "deliveries", lambda row: row.key == str(order_with("b2")) and row.type[:5] == "order")
    late = tamper.drop(late, "history", lambda row: row.key == str(order_with("b2")) and row.type[:5] == "order")
    pending = {"status": "pending", "terminal_at": None}
    assert broken(tamper.change(late, "orders", lambda row: row.id == order_with("b2"), **pending)) == ["I1"]


@pytest.mark.parametrize("changes", [{"terminal_at": None}])
def test_i1_a_final_status_without_a_time(healthy, tamper, broken, order_with, changes):
    assert broken(tamper.change(healthy, "orders", lambda row: row.id == order_with("b3"), **changes)) == ["I1"]


def test_i1_an_acknowledgement_that_names_no_order(healthy, tamper, broken):
    nameless = Attempt(healthy.read_at, healthy.client_log[0].user, "a9", 1, 201, None)
    assert broken(tamper.add(healthy, "client_log", nameless)) == ["I1"]


def test_i1_a_refused_attempt_promises_nothing(healthy, tamper, broken, new_run):
    refused = Attempt(healthy.read_at, healthy.client_log[0].user, "a9", 1, 422, new_run().new_id())
    assert broken(tamper.add(healthy, "client_log", refused)) == []


def test_i2_two_orders_for_one_key(healthy, tamper, broken, order_with, run):
    rejected = next(order for order in healthy.orders if order.id == order_with("b2"))
    assert broken(tamper.add(healthy, "orders", replace(rejected, id=run.new_id()))) == ["I2"]


def test_i2_a_replayed_key_answered_with_another_order(healthy, tamper, broken, order_with):
    other = {"order_id": order_with("a2")}
    assert broken(tamper.change(healthy, "client_log", lambda row: row.attempt == 4, **other)) == ["I2"]


def test_i2_a_row_that_forgot_its_key(healthy, tamper, broken, order_with):
    forgotten = {"idempotency_key": "another"}
    assert broken(tamper.change(healthy, "orders", lambda row: row.id == order_with("a1"), **forgotten)) == ["I2"]


def test_i7_a_confirmed_order_whose_goods_went_back(healthy, tamper, broken, order_with):
    assert broken(tamper.change(healthy, "orders", lambda row: row.id == order_with("a2"), status="confirmed")) == [
        "I7"
    ]


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_i7_goods_sold_for_an_order_that_ended_otherwise(healthy, tamper, broken, order_with, status):
    assert broken(tamper.change(healthy, "orders", lambda row: row.id == order_with("b1"), status=status)) == ["I7"]


def test_i7_other_goods_sold_than_ordered(healthy, tamper, broken, order_with):
    assert broken(tamper.change(healthy, "order_lines", lambda row: row.order_id == order_with("b1"), quantity=9)) == [
        "I7"
    ]


def test_i7_a_confirmed_order_without_reservation(healthy, tamper, broken, run):
    user = healthy.orders[0].user_id
    order = Order(run.new_id(), user, "a9", "confirmed", healthy.read_at, healthy.read_at)
    assert broken(tamper.add(healthy, "orders", order)) == ["I7"]


def test_i7_goods_held_for_nobody(healthy, tamper, broken, run):
    assert broken(tamper.add(healthy, "reservations", Reservation(run.new_id(), "open"))) == ["I7"]


def test_i7_a_tombstone_for_nobody_holds_nothing(healthy, tamper, broken, run):
    assert broken(tamper.add(healthy, "reservations", Reservation(run.new_id(), "refused"))) == []
