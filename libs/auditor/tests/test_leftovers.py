"""I8 and I9: what was set aside, and what still moves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from auditor import Expectation, Terms
from auditor.facts import Letter, ParkedKey, Waiting


@pytest.fixture
def aside(healthy, tamper, run):
    """Kind -> the healthy run with one thing of that kind set aside."""
    order = healthy.history[-1]
    parked = ParkedKey("inventory-service", "order-events", "an order")
    return {
        "dead": tamper.add(healthy, "letters", Letter("order-service", "user-events", "?", run.new_id(), "dead")),
        "parked": tamper.add(healthy, "parked_keys", parked),
        "outbox": tamper.add(healthy, "outbox", Waiting(order.service, order.topic, order.key, order.event_id, True)),
    }


@pytest.mark.parametrize("kind", ["dead", "parked", "outbox"])
def test_i8_whatever_is_set_aside_unexpectedly(aside, broken, kind):
    assert broken(aside[kind]) == ["I8"]


@pytest.mark.parametrize("kind", ["dead", "parked", "outbox"])
@pytest.mark.parametrize("text", ["1", "{kind}=1"])
def test_i8_whatever_was_expected_passes(aside, broken, kind, text):
    assert broken(aside[kind], Terms(expect=Expectation.parse(text.format(kind=kind)))) == []


def test_i8_a_fault_that_was_expected_and_did_not_happen(healthy, broken):
    assert broken(healthy, Terms(expect=Expectation.parse("dead=1"))) == ["I8"]


def test_i8_another_kind_than_expected(aside, broken):
    assert broken(aside["parked"], Terms(expect=Expectation.parse("dead=1"))) == ["I8"]


def test_i8_a_stranded_record_whose_key_is_no_longer_parked(healthy, tamper, broken, run):
    stranded = Letter("inventory-service", "order-events", "an order", run.new_id(), "parked")
    assert broken(tamper.add(healthy, "letters", stranded)) == ["I8"]


def test_i8_what_was_replayed_or_discarded_is_settled(healthy, tamper, broken, run):
    settled = [Letter("order-service", "user-events", "?", run.new_id(), state) for state in ("replayed", "discarded")]
    assert broken(tamper.add(healthy, "letters", *settled)) == []


@pytest.mark.parametrize("moves", [{"waiting": 1}, {"pending": 1}, {"committed": ()}])
def test_i9_something_is_still_to_be_done(healthy, broken, moves):
    before, after = healthy.readings
    assert broken(replace(healthy, readings=(before, replace(after, **moves)))) == ["I9"]


def test_i9_records_between_two_readings(healthy, broken):
    before, after = healthy.readings
    fewer = tuple(replace(one, end=one.end - 1) if one.topic == "user-events" else one for one in before.partitions)
    assert broken(replace(healthy, readings=(replace(before, partitions=fewer), after))) == ["I9"]


def test_i9_a_group_one_record_behind(healthy, broken):
    before, after = healthy.readings
    first, *rest = after.committed
    behind = (replace(first, offset=first.offset - 1), *rest)
    assert broken(replace(healthy, readings=(before, replace(after, committed=behind)))) == ["I9"]


def test_i9_readings_too_close_to_each_other(healthy, broken):
    before, after = healthy.readings
    close = replace(before, at=after.at - timedelta(seconds=0.9))
    assert broken(replace(healthy, readings=(close, after))) == ["I9"]


def test_i9_one_reading_proves_nothing(healthy, broken):
    assert broken(replace(healthy, readings=healthy.readings[1:])) == ["I9"]


def test_i9_an_empty_partition_that_nobody_ever_committed_is_quiet(healthy, broken):
    spoken = {(one.topic, one.partition) for one in healthy.readings[-1].committed}
    assert any(p.end == 0 and (p.topic, p.partition) not in spoken for p in healthy.readings[-1].partitions)
    assert broken(healthy) == []
