"""What may be expected and excused: set-aside records, redeliveries, and a horizon that is too near."""

from dataclasses import replace
from uuid import UUID

import pytest

from auditor.facts import Letter
from auditor.judge import judge
from auditor.verdict import Expectation, Terms

GHOST = UUID(int=999)


def broken(facts, terms=None):
    return [verdict.promise for verdict in judge(facts, terms) if not verdict.holds]


def dead_letter(facts):
    return replace(facts, letters=(Letter("order-service", "inventory-events", "k", GHOST, "dead"),))


@pytest.mark.parametrize(("expect", "holds"), [("1", True), ("dead=1", True), ("2", False), ("parked=1", False)])
def test_what_was_expected_may_be_set_aside(healthy, expect, holds):
    verdict = broken(dead_letter(healthy), Terms(expect=Expectation.parse(expect)))
    assert verdict == ([] if holds else ["I8"])


def test_a_fault_that_did_not_happen_is_no_success(healthy):
    assert broken(healthy, Terms(expect=Expectation.parse("dead=1"))) == ["I8"]


def test_an_unreadable_record_that_was_set_aside_is_no_ghost(healthy):
    poison = replace(healthy.deliveries[0], event_id=GHOST, fault="not JSON", type="", source="", version=0, offset=999)
    facts = replace(dead_letter(healthy), deliveries=(*healthy.deliveries, poison))
    assert broken(facts, Terms(expect=Expectation.parse("dead=1"))) == []


def test_records_that_are_gone_are_told(healthy):
    before, after = healthy.readings
    cut = replace(after, partitions=tuple(replace(p, beginning=3) for p in after.partitions))
    gone = tuple(d for d in healthy.deliveries if d.topic.startswith("product"))
    names = broken(replace(healthy, readings=(before, cut), deliveries=gone))
    assert "horizon" in names


def test_a_redelivered_event_breaks_nothing(healthy):
    again = replace(healthy.deliveries[3], offset=healthy.deliveries[3].offset + 500)
    assert broken(replace(healthy, deliveries=(*healthy.deliveries, again))) == []


@pytest.mark.parametrize("text", ["dead", "dead=x", "dead=1,dead=2", "alive=1", ""])
def test_an_expectation_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="neither a number nor a list"):
        Expectation.parse(text)
