"""I4 and I5: what was said. Events written to outboxes against events on their topics, and the order of both."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from uuid import UUID

from auditor.facts import Aggregate, Delivery, Facts, Written
from auditor.verdict import Finding, Terms
from contracts import TOPICS

COMPACTED = frozenset(topic.name for topic in TOPICS if topic.compacted)


def same_on_both_sides(facts: Facts, _: Terms) -> Finding:
    """I4: every written event is on its topic and the other way round; on compacted topics the last per key."""
    faults = (*_unpublished(facts), *_ghosts(facts), *_forgotten(facts))
    return Finding(f"{len(facts.history)} events written, {len(facts.deliveries)} records on topics", faults)


def _unpublished(facts: Facts) -> Iterator[str]:
    """Written and not there. What waits behind a parked aggregate is known to the operator and judged by I8."""
    delivered = {delivery.event_id for delivery in facts.deliveries}
    parked = {row.aggregate for row in facts.outbox if row.parked}
    excused = {row.event_id for row in facts.outbox if row.aggregate in parked} | _out_of_sight(facts)
    for row in facts.history:
        if row.topic not in COMPACTED and row.event_id not in delivered and row.event_id not in excused:
            yield f"{row.type} {row.event_id} was written by {row.service} and is not on {row.topic}"


def _out_of_sight(facts: Facts) -> set[UUID]:
    """Written before the run to topics that have since dropped old records; what the run needs, the horizon guards."""
    partitions = facts.readings[-1].partitions if facts.readings else ()
    cut, began = {one.topic for one in partitions if one.beginning > 0}, facts.began_at
    return {row.event_id for row in facts.history if row.topic in cut and began and row.written_at < began}


def _ghosts(facts: Facts) -> Iterator[str]:
    """There and never written. An unreadable record that somebody has set aside is judged by I8."""
    written = {row.event_id for row in facts.history}
    aside = {letter.event_id for letter in facts.letters}
    for delivery in facts.deliveries:
        excused = delivery.fault is not None and delivery.event_id in aside
        if delivery.event_id not in written and not excused:
            place = f"{delivery.topic}/{delivery.partition}@{delivery.offset}"
            yield f"{delivery.type or 'an unreadable record'} {delivery.event_id} is at {place} and was never written"


def _forgotten(facts: Facts) -> Iterator[str]:
    """Compaction may drop all but the last of a key, and nothing else."""
    last_written, last_delivered = _last(_compacted(facts.history)), _last(_compacted(facts.deliveries))
    for aggregate, version in last_written.items():
        if (found := last_delivered.get(aggregate, 0)) < version:
            yield f"{aggregate.topic} of {aggregate.key} ends with version {found}, but version {version} was written"


def _compacted(rows: Iterable[Written] | Iterable[Delivery]) -> Iterator[Written | Delivery]:
    return (row for row in rows if row.topic in COMPACTED)


def _last(rows: Iterable[Written | Delivery]) -> dict[Aggregate, int]:
    last: dict[Aggregate, int] = {}
    for row in rows:
        last[row.aggregate] = max(row.version, last.get(row.aggregate, 0))
    return last


def in_order(facts: Facts, _: Terms) -> Finding:
    """I5: first deliveries of an aggregate rise in version, and so do the causes of its events, per source."""
    firsts = _first_deliveries(facts.deliveries)
    faults = (*_falling_versions(firsts), *_falling_causes(facts.history))
    return Finding(f"{len(firsts)} aggregates", faults)


def _first_deliveries(deliveries: Iterable[Delivery]) -> dict[Aggregate, list[Delivery]]:
    """Aggregate -> its events in the order in which they first came; a repeated event says nothing about order."""
    seen: set[UUID] = set()
    firsts: defaultdict[Aggregate, list[Delivery]] = defaultdict(list)
    for one in sorted(deliveries, key=lambda d: (d.topic, d.partition, d.offset)):
        if one.fault is None and one.event_id not in seen:
            seen.add(one.event_id)
            firsts[one.aggregate].append(one)
    return dict(firsts)


def _falling_versions(firsts: Mapping[Aggregate, list[Delivery]]) -> Iterator[str]:
    for aggregate, deliveries in firsts.items():
        if not _rises(versions := [delivery.version for delivery in deliveries]):
            yield f"{aggregate.topic} of {aggregate.key} came with versions {versions}"


def _falling_causes(history: Iterable[Written]) -> Iterator[str]:
    """Follow each aggregate's own events in their order and look at what made them happen."""
    rows = sorted(history, key=lambda row: (row.aggregate, row.version))
    written = {row.event_id: row for row in rows}
    causes: defaultdict[tuple[Aggregate, Aggregate], list[int]] = defaultdict(list)
    for row in rows:
        if row.cause_event_id and (cause := written.get(row.cause_event_id)):
            causes[row.aggregate, cause.aggregate].append(cause.version)
    for (aggregate, source), versions in causes.items():
        if not _rises(versions):
            yield f"{aggregate.topic} of {aggregate.key} was caused by versions {versions} of {source.topic}"


def _rises(versions: list[int]) -> bool:
    return all(one < other for one, other in pairwise(versions))
