"""The court: every promise, its words and the rule that tests it. Pure: the same facts always get the same verdict."""

from collections.abc import Callable
from typing import NamedTuple

from auditor import events, horizon, leftovers, orders, stock
from auditor.facts import Facts
from auditor.verdict import Finding, Terms, Verdict

Rule = Callable[[Facts, Terms], Finding]


class Promise(NamedTuple):
    """A promise's short name, what it says, and its rule."""

    name: str
    claim: str
    rule: Rule


PROMISES = (
    Promise("I1", "every acknowledged order exists and became terminal in time", orders.kept),
    Promise("I2", "one order per user and idempotency key", orders.one_per_key),
    Promise("I3", "stock adds up and is never oversold", stock.adds_up),
    Promise("I4", "events written = events on their topics", events.same_on_both_sides),
    Promise("I5", "versions and causes rise for every aggregate", events.in_order),
    Promise("I6", "one effect per event", stock.one_effect_per_event),
    Promise("I7", "confirmed is sold, cancelled and rejected hold nothing", orders.agree_with_stock),
    Promise("I8", "nothing is set aside that was not expected", leftovers.set_aside),
    Promise("I9", "the system is quiet", leftovers.quiet),
    Promise("horizon", "the whole run can still be read", horizon.covers_the_run),
)


def judge(facts: Facts, terms: Terms | None = None) -> list[Verdict]:
    """One verdict per promise, I1 to I9, then the horizon; `terms` are the defaults when left out."""
    terms = terms or Terms()
    return [_verdict(promise, promise.rule(facts, terms)) for promise in PROMISES]


def _verdict(promise: Promise, finding: Finding) -> Verdict:
    return Verdict(promise.name, promise.claim, finding.examined, finding.faults)
