"""How far back the evidence reaches: a run that began before it cannot be judged, however clean the rest looks."""

from collections.abc import Iterator
from datetime import datetime

from auditor.events import COMPACTED
from auditor.facts import Delivery, Facts
from auditor.verdict import Finding, Terms


def covers_the_run(facts: Facts, _: Terms) -> Finding:
    """Every partition, and the history of events, still holds what was written since the run began."""
    records = min((delivery.at for delivery in facts.deliveries), default=None)
    rows = min((row.written_at for row in facts.history), default=None)
    examined = f"records since {_said(records)}, history since {_said(rows)}"
    return Finding(examined, tuple(_cut_off(facts)))


def _cut_off(facts: Facts) -> Iterator[str]:
    """A history that begins too late, and uncompacted partitions whose oldest records the run would need."""
    began, oldest = facts.began_at, _oldest(facts.deliveries)
    if began and facts.history and (first_row := min(row.written_at for row in facts.history)) > began:
        # Products and users are events too and come before the first order, so a whole history begins before a run.
        yield f"the history of events begins at {_said(first_row)}, after the run began at {_said(began)}"
    for one in facts.readings[-1].partitions if facts.readings else ():
        if one.topic in COMPACTED or one.beginning == 0 or began is None:
            continue
        first = oldest.get((one.topic, one.partition))
        if first is None or first > began:
            yield f"{one.topic}/{one.partition} begins at offset {one.beginning}, after the run began at {_said(began)}"


def _oldest(deliveries: tuple[Delivery, ...]) -> dict[tuple[str, int], datetime]:
    oldest: dict[tuple[str, int], datetime] = {}
    for one in deliveries:
        place = (one.topic, one.partition)
        oldest[place] = min(one.at, oldest.get(place, one.at))
    return oldest


def _said(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "never"
