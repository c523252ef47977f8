"""Topics: every event has one, keys never move, and what must be kept is kept."""

import pytest

from contracts import EVENTS, GROUPS, SUBSCRIPTIONS, TOPICS, dead_letters, topic_of
from contracts.topics import DAY_MS


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_every_event_travels_on_exactly_one_topic(event):
    assert [topic for topic in TOPICS if event in topic.types] == [topic_of(event)]


def test_names_are_unique_and_partitions_never_change():
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    assert {topic.partitions for topic in TOPICS} == {12}


def test_groups_read_what_others_send_and_never_their_own_saga_topic():
    assert set(GROUPS) == {"order-service", "inventory-service"}
    assert [topic.name for topic in SUBSCRIPTIONS["inventory-service"]] == ["order-events"]
    assert "order-events" not in {topic.name for topic in SUBSCRIPTIONS["order-service"]}


def test_retention_outlives_an_audit_and_dead_letters_are_kept_for_ever():
    for topic in TOPICS:
        kept = topic.config["min.compaction.lag.ms" if topic.compacted else "retention.ms"]
        assert int(kept) >= 7 * DAY_MS
    assert {group: dead_letters(group).name for group in GROUPS} == {g: f"{g}.dead-letters" for g in GROUPS}
    assert all(dead_letters(group).config["retention.ms"] == "-1" for group in GROUPS)
