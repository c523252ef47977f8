"""I8 and I9: what is left over. Records and keys set aside, and whatever still moves."""

from collections.abc import Iterator
from dataclasses import astuple

from auditor.facts import Facts, ParkedKey, Reading
from auditor.verdict import Finding, Terms
from contracts import SUBSCRIPTIONS

APART_SECONDS = 1.0


def set_aside(facts: Facts, terms: Terms) -> Finding:
    """I8: dead letters, parked keys and parked outbox aggregates, exactly as many as were expected."""
    counts = {
        "dead": sum(letter.state == "dead" for letter in facts.letters),
        "parked": len(_parked(facts)),
        "outbox": len({row.aggregate for row in facts.outbox if row.parked}),
    }
    found = ", ".join(f"{kind}={count}" for kind, count in counts.items())
    faults = () if terms.expect.allows(counts) else (f"{found} set aside, expected {terms.expect}", *_named(facts))
    return Finding(found, faults)


def _parked(facts: Facts) -> list[ParkedKey]:
    """Parked keys, and keys of parked records that nobody remembers as parked: those are stranded."""
    stranded = (ParkedKey(one.consumer_group, one.topic, one.key) for one in facts.letters if one.state == "parked")
    return sorted({*facts.parked_keys, *stranded}, key=astuple)


def _named(facts: Facts) -> Iterator[str]:
    for letter in facts.letters:
        if letter.state == "dead":
            yield f"{letter.consumer_group} holds a dead letter of {letter.topic}, key {letter.key}"
    for parked in _parked(facts):
        yield f"{parked.consumer_group} has parked {parked.key} of {parked.topic}"
    for row in sorted({row.aggregate for row in facts.outbox if row.parked}):
        yield f"{row.service} cannot send the events of {row.key} to {row.topic}"


def quiet(facts: Facts, _: Terms) -> Finding:
    """I9: two readings at least 1 s apart with equal end offsets, nothing waiting, nothing pending, all consumed."""
    if len(facts.readings) < 2:
        return Finding(f"{len(facts.readings)} readings", ("it takes two readings to see that nothing moves",))
    before, after = facts.readings[-2:]
    apart = (after.at - before.at).total_seconds()
    return Finding(f"2 readings, {apart:.1f} s apart", tuple(unrest(before, after)))


def unrest(before: Reading, after: Reading) -> Iterator[str]:
    """What still moves, a sentence each."""
    if (after.at - before.at).total_seconds() < APART_SECONDS:
        yield "the two readings are less than 1 s apart"
    if _ends(before) != _ends(after):
        yield "records are still being written to topics"
    if after.waiting:
        yield f"{after.waiting} outbox rows wait to be published"
    if after.pending:
        yield f"{after.pending} orders are pending"
    yield from _behind(after)


def _ends(reading: Reading) -> dict[tuple[str, int], int]:
    return {(one.topic, one.partition): one.end for one in reading.partitions}


def _behind(reading: Reading) -> Iterator[str]:
    """Groups that have not read to the end; one that never committed has read nothing."""
    done = {(one.consumer_group, one.topic, one.partition): one.offset for one in reading.committed}
    for group, topics in SUBSCRIPTIONS.items():
        names = {topic.name for topic in topics}
        lag = sum(
            one.end - max(one.beginning, done.get((group, one.topic, one.partition), 0))
            for one in reading.partitions
            if one.topic in names
        )
        if lag:
            yield f"{group} has {lag} records to read"
