"""I3 and I6: goods that appear, vanish or move twice."""

from dataclasses import replace

import pytest

from auditor import judge
from auditor.facts import Effect


def faults(facts, promise):
    return " | ".join(next(verdict.faults for verdict in judge(facts) if verdict.promise == promise))


@pytest.fixture
def oversold(healthy, tamper, order_with):
    """One cup more than there were, booked flawlessly in every table: only the sum tells."""
    order = order_with("a1")
    more = next(row.on_hand for row in healthy.stock if row.sku == "cup") + 1

    def line(row):
        return row.sku == "cup" and row.order_id == order

    facts = tamper.change(healthy, "order_lines", line, quantity=1 + more)
    facts = tamper.change(facts, "reserved_lines", line, quantity=1 + more)
    reserve, sell = {"reserved_delta": 1 + more}, {"on_hand_delta": -1 - more, "reserved_delta": -1 - more}
    facts = tamper.change(facts, "ledger", lambda row: line(row) and row.kind == "reserve", **reserve)
    facts = tamper.change(facts, "ledger", lambda row: line(row) and row.kind == "sell", **sell)
    return tamper.change(facts, "stock", lambda row: row.sku == "cup", on_hand=-1)


def test_i3_oversold_by_one(oversold, broken):
    assert broken(oversold) == ["I3"]
    assert "cup: oversold, -1 on hand" in faults(oversold, "I3")


def test_i3_a_delivery_that_never_reached_the_shelf(healthy, tamper, broken):
    facts = tamper.change(healthy, "restocks", lambda row: row.sku == "tea", quantity=11)
    assert broken(facts) == ["I3"]
    assert faults(facts, "I3") == "tea: 11 restocked, but 7 on hand and 3 sold"


def test_i3_a_delivery_that_is_forgotten(healthy, tamper, broken):
    assert broken(tamper.drop(healthy, "restocks", lambda row: row.sku == "cup")) == ["I3"]


def test_i3_pieces_reserved_for_nobody(healthy, tamper):
    facts = tamper.change(healthy, "stock", lambda row: row.sku == "tea", reserved=1)
    assert faults(facts, "I3") == "tea: 1 reserved, but open reservations hold 0"


def test_i6_the_same_effect_twice(healthy, tamper, broken):
    twice = next(row for row in healthy.ledger if row.kind == "sell")
    facts = tamper.add(healthy, "ledger", twice)
    assert broken(facts) == ["I6"]
    assert f"event {twice.cause_event_id} had 2 effects on {twice.sku}" in faults(facts, "I6")


def test_i6_the_same_effect_by_another_event(healthy, tamper, broken, run):
    sold = next(row for row in healthy.ledger if row.kind == "sell")
    facts = tamper.add(healthy, "ledger", replace(sold, cause_event_id=run.new_id()))
    assert broken(facts) == ["I6"]


def test_i6_a_lost_effect(healthy, tamper, broken):
    assert broken(tamper.drop(healthy, "ledger", lambda row: row.kind == "release")) == ["I6"]


def test_i6_an_effect_without_a_written_cause(healthy, tamper, broken, run):
    facts = tamper.change(healthy, "ledger", lambda row: row.kind == "release", cause_event_id=run.new_id())
    assert broken(facts) == ["I6"]


def test_i6_an_effect_of_another_orders_event(healthy, tamper, broken, order_with):
    other = next(row.event_id for row in healthy.history if row.type == "order.confirmed.v1")
    facts = tamper.change(healthy, "ledger", lambda row: row.kind == "release", cause_event_id=other)
    assert broken(facts) == ["I6"]


def test_i6_stock_that_the_ledger_does_not_explain(healthy, tamper):
    facts = tamper.change(healthy, "stock", lambda row: row.sku == "tea", on_hand=8)
    assert (
        faults(facts, "I6")
        == "tea: the ledger adds up to 7 on hand and 0 reserved, the stock row says 8 on hand and 0 reserved"
    )


def test_i6_two_movements_by_hand_that_cancel_each_other(healthy, tamper, broken):
    there, back = Effect("tea", None, "sell", -1, 0, None), Effect("tea", None, "restock", 1, 0, None)
    assert broken(tamper.add(healthy, "ledger", there, back)) == ["I6"]
