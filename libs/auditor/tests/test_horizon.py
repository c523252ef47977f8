"""The horizon: a run that began before the evidence cannot be called clean."""

from dataclasses import replace
from datetime import timedelta


def cut(facts, tamper, topic, beginning=1):
    partitions = facts.readings[-1].partitions
    shorter = tuple(
        replace(p, beginning=beginning, end=max(p.end, beginning)) if p.topic == topic else p for p in partitions
    )
    return tamper.change(facts, "readings", lambda row: True, partitions=shorter)


def test_a_topic_that_lost_records_of_the_run(healthy, tamper, broken):
    assert "horizon" in broken(cut(healthy, tamper, "order-events"))


def test_a_topic_that_still_reaches_back_before_the_run(healthy, tamper, broken):
    old = healthy.began_at - timedelta(days=1)
    facts = tamper.change(cut(healthy, tamper, "order-events", 0), "deliveries", lambda row: True, at=old)
    longer = {"partitions": tuple(replace(p, beginning=1) if p.end > 1 else p for p in facts.readings[-1].partitions)}
    assert broken(tamper.change(facts, "readings", lambda row: True, **longer)) == []


def test_a_compacted_topic_may_begin_late(healthy, tamper, broken):
    begun = {
        "partitions": tuple(
            replace(p, beginning=min(p.end, 1)) if p.topic == "product-events" else p
            for p in healthy.readings[-1].partitions
        )
    }
    assert broken(tamper.change(healthy, "readings", lambda row: True, **begun)) == []


def test_a_history_that_begins_after_the_run(healthy, tamper, broken):
    last_year = healthy.began_at - timedelta(days=365)
    assert broken(tamper.change(healthy, "client_log", lambda row: row.attempt == 2, at=last_year)) == ["horizon"]


def test_without_clients_there_is_no_run_to_cover(healthy, broken):
    assert broken(replace(healthy, client_log=())) == []
