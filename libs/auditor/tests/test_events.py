"""I4 and I5: events that are missing, that nobody wrote, or that come in the wrong order."""

from dataclasses import replace
from datetime import timedelta

from auditor import Expectation, Terms
from auditor.facts import Letter, Waiting, Written


def test_i4_an_event_that_was_never_published(healthy, tamper, broken, order_with):
    key = str(order_with("a2"))
    facts = tamper.drop(healthy, "deliveries", lambda row: row.key == key and row.type == "stock.released.v1")
    assert broken(facts) == ["I4"]


def test_i4_a_ghost_event(healthy, tamper, broken, run):
    last = healthy.deliveries[-1]
    ghost = replace(last, offset=last.offset + 1, event_id=run.new_id(), version=9)
    assert broken(tamper.add(healthy, "deliveries", ghost)) == ["I4"]


def test_i4_a_compacted_topic_without_the_last_version(healthy, tamper, broken):
    assert broken(tamper.drop(healthy, "deliveries", lambda row: row.key == "tea" and row.version == 2)) == ["I4"]


def test_i4_a_ghost_on_a_compacted_topic(healthy, tamper, broken, run):
    tea = next(row for row in healthy.deliveries if row.key == "tea")
    ghost = replace(tea, offset=tea.offset + 1, event_id=run.new_id(), version=3)
    assert broken(tamper.add(healthy, "deliveries", ghost)) == ["I4"]


def test_i4_an_unreadable_record_that_nobody_set_aside(healthy, tamper, broken, run):
    assert broken(tamper.add(healthy, "deliveries", unreadable(healthy, run.new_id()))) == ["I4"]


def test_i4_an_unreadable_record_that_was_set_aside_is_judged_by_i8(healthy, tamper, broken, run):
    record = unreadable(healthy, run.new_id())
    letter = Letter("inventory-service", record.topic, record.key, record.event_id, "dead")
    facts = tamper.add(tamper.add(healthy, "deliveries", record), "letters", letter)
    assert broken(facts) == ["I8"]
    assert broken(facts, Terms(expect=Expectation.parse("dead=1"))) == []


def test_i4_what_waits_behind_a_parked_aggregate_is_judged_by_i8(healthy, tamper, broken, run):
    stuck, behind = run.new_id(), run.new_id()
    now, key = healthy.read_at, "an order"
    for version, event in enumerate((stuck, behind), start=1):
        row = Written("order-service", event, "order-events", key, "order.placed.v1", version, None, now)
        healthy = tamper.add(healthy, "history", row)
        healthy = tamper.add(healthy, "outbox", Waiting("order-service", "order-events", key, event, event == stuck))
    assert broken(healthy) == ["I8"]
    assert broken(healthy, Terms(expect=Expectation.parse("outbox=1"))) == []


def test_i4_asks_for_nothing_from_before_the_run_where_old_records_are_gone(healthy, tamper, broken, run):
    last_year = healthy.read_at - timedelta(days=365)
    old = Written("order-service", run.new_id(), "order-events", "old", "order.placed.v1", 1, None, last_year)
    facts = tamper.add(healthy, "history", old)
    assert broken(facts) == ["I4"]
    cut = {"partitions": tuple(replace(p, beginning=1) if p.topic == "order-events" else p for p in partitions(facts))}
    assert "I4" not in broken(tamper.change(facts, "readings", lambda row: True, **cut))


def test_i5_two_events_of_an_order_in_the_wrong_order(healthy, tamper, broken, order_with):
    key = str(order_with("a1"))
    first, second = (row for row in healthy.deliveries if row.key == key and row.topic == "order-events")
    rest = [row for row in healthy.deliveries if row not in (first, second)]
    swapped = [replace(first, offset=second.offset), replace(second, offset=first.offset)]
    assert broken(replace(healthy, deliveries=(*rest, *swapped))) == ["I5"]


def test_i5_a_version_given_twice(healthy, tamper, broken, order_with):
    key = str(order_with("b1"))
    assert broken(tamper.change(healthy, "deliveries", lambda row: row.key == key, version=1)) == ["I5"]


def test_i5_a_later_cause_before_an_earlier_one(healthy, tamper, broken, order_with):
    key = str(order_with("a2"))
    first, second = (row for row in healthy.history if row.key == key and row.topic == "inventory-events")
    facts = tamper.change(healthy, "history", lambda row: row == first, cause_event_id=second.cause_event_id)
    facts = tamper.change(facts, "history", lambda row: row == second, cause_event_id=first.cause_event_id)
    assert broken(facts) == ["I5"]


def test_i5_forgives_that_an_old_event_comes_again(healthy, tamper, broken):
    first = healthy.deliveries[0]
    assert broken(tamper.add(healthy, "deliveries", replace(first, offset=1_000))) == []


def unreadable(facts, event_id):
    last = facts.deliveries[-1]
    nothing = {"type": "", "source": "", "version": 0, "fault": "header ce_type is missing"}
    return replace(last, offset=last.offset + 1, event_id=event_id, **nothing)


def partitions(facts):
    return facts.readings[-1].partitions
