"""Real PostgreSQL, real Kafka, the services' real schema: what a run left there is what the auditor reads."""

import json
import runpy
import subprocess
import sys
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import astuple, replace
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from polyfactory.factories.pydantic_factory import ModelFactory

from auditor import BadInput, archive, collect, topics
from auditor.collect import Places
from contracts import EVENTS, TOPICS, Envelope, encode
from devstack import topics as devstack_topics
from devstack.kafka import Kafka
from devstack.ports import free_port

SERVICES = Path(__file__).parents[3] / "services"
UNORDERED = ("orders", "order_lines", "stock", "restocks", "reservations", "reserved_lines", "ledger", "history")
INSERTS = {
    "orders": """INSERT INTO orders (id, user_id, idempotency_key, status, created_at, terminal_at, deadline_at,
                 fingerprint, version, stock_version, total_minor, currency)
                 VALUES ($1, $2, $3, $4, $5, $6, $5, '', 2, 1, 0, 'GBP')""",
    "order_lines": "INSERT INTO order_items VALUES ($1, 0, $2, $3, 0)",
    "stock": "INSERT INTO stock (sku, on_hand, reserved) VALUES ($1, $2, $3)",
    "restocks": "INSERT INTO restocks VALUES ($1, $2, $3, $1, $1::uuid::text, '')",
    "reservations": "INSERT INTO reservations (order_id, state, version, order_version) VALUES ($1, $2, 1, 1)",
    "reserved_lines": "INSERT INTO reservation_items (order_id, sku, quantity) VALUES ($1, $2, $3)",
    "ledger": """INSERT INTO stock_ledger (sku, order_id, kind, on_hand_delta, reserved_delta, cause_event_id)
                 VALUES ($1, $2, $3, $4, $5, $6)""",
}
HISTORY = """INSERT INTO event_history (event_id, topic, key, type, version, cause_event_id, written_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"""


@pytest.fixture(scope="session")
def broker(stage_directory):
    """One of its own: on the shared one other rooms' tests leave records that nobody has written."""
    with Kafka(stage_directory / "auditor-kafka") as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
async def bare_refusal(broker):
    """What is said about a broker that has no topics yet."""
    with pytest.raises(BadInput) as refusal:
        await topics.partitions(broker)
    return str(refusal.value)


@pytest.fixture(scope="session")
def databases(database):
    return {service: database() for service in ("order-service", "inventory-service", "user-service")}


@pytest.fixture(scope="session")
async def where(healthy, broker, databases, bare_refusal):
    """The healthy run, stored as three services would have stored it."""
    for service, dsn in databases.items():
        await store(service, dsn, healthy)
    await devstack_topics.create(broker)
    await publish(broker, healthy)
    await commit(broker, healthy)
    return Places(databases, broker)


@pytest.fixture(scope="session")
def told(healthy, tmp_path_factory):
    """The client log as clients write it."""
    file = tmp_path_factory.mktemp("told") / "client.jsonl"
    names = ("at", "user", "key", "attempt", "status", "order_id")
    lines = [dict(zip(names, astuple(attempt), strict=True)) for attempt in healthy.client_log]
    file.write_text("".join(json.dumps(line, default=str) + "\n" for line in lines))
    return file


async def store(service, dsn, facts):
    async with connected(dsn) as raw:
        script = next((SERVICES / service / "migrations" / "versions").glob("0001_*.py"))
        for statement in runpy.run_path(str(script))["STATEMENTS"]:
            await raw.execute(statement)
        names = {"order-service": ("orders", "order_lines"), "inventory-service": tuple(INSERTS)[2:]}.get(service, ())
        for name in names:
            await raw.executemany(INSERTS[name], map(astuple, getattr(facts, name)))
        own = [astuple(row)[1:] for row in facts.history if row.service == service]
        await raw.executemany(HISTORY, own)


async def publish(bootstrap, facts):
    """In each partition's own order, as the contracts encode it."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for row in sorted(facts.deliveries, key=lambda d: (d.topic, d.partition, d.offset)):
            event = ModelFactory.create_factory(EVENTS[row.type]).build()
            record = encode(Envelope(event, row.event_id, row.source, row.key, row.at, row.version, "a correlation"))
            place = {"partition": row.partition, "timestamp_ms": int(row.at.timestamp() * 1000)}
            await producer.send(row.topic, record.value, record.key, headers=list(record.headers), **place)


async def commit(bootstrap, facts):
    """Every group at its end, where it has read anything."""
    ends = {(p.topic, p.partition): p.end for p in await topics.partitions(bootstrap)}
    places = defaultdict(dict)
    for one in facts.readings[-1].committed:
        places[one.consumer_group][TopicPartition(one.topic, one.partition)] = ends[one.topic, one.partition]
    for group, offsets in places.items():
        async with AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False) as member:
            member.assign(list(offsets))
            await member.commit(offsets)


@asynccontextmanager
async def connected(dsn):
    raw = await asyncpg.connect(dsn)
    try:
        yield raw
    finally:
        await raw.close()


@asynccontextmanager
async def meanwhile(dsn, change, undo):
    """Something is wrong in a database for as long as the block runs."""
    async with connected(dsn) as raw:
        await raw.execute(change)
        try:
            yield
        finally:
            await raw.execute(undo)


async def test_what_was_stored_is_what_is_read(where, told, healthy, broken):
    facts = await collect(where, told, 10)
    for name in UNORDERED:
        assert set(getattr(facts, name)) == set(getattr(healthy, name)), name
    assert facts.client_log == healthy.client_log
    assert broken(facts) == []


async def test_every_record_is_read_with_its_headers_and_in_its_order(where, healthy):
    found = await topics.deliveries(where.kafka)
    assert per_partition(found) == per_partition(healthy.deliveries)
    assert {one.fault for one in found} == {None}


async def test_empty_partitions_have_no_commit_and_are_quiet(where, told):
    facts = await collect(where, told, 10)
    after = facts.readings[-1]
    assert len(after.partitions) == sum(topic.partitions for topic in TOPICS)
    assert any(one.beginning == one.end == 0 for one in after.partitions)
    assert {one.consumer_group for one in after.committed} == {"order-service", "inventory-service"}


async def test_patience_ends_and_what_still_moves_is_told(where, told, broken):
    row = "(shard, topic, key, event_id, value, headers) VALUES (0, 'order-events', 'k', gen_random_uuid(), '', '[]')"
    async with meanwhile(where.databases["order-service"], f"INSERT INTO outbox {row}", "DELETE FROM outbox"):
        facts = await collect(where, told, 0)
    assert facts.readings[-1].waiting == 1
    assert broken(facts) == ["I9"]


async def test_what_waits_behind_a_parked_row_is_not_waited_for(where, told, broken):
    columns = "INSERT INTO outbox (shard, topic, key, event_id, value, headers, parked) VALUES "
    rows = ", ".join(f"(0, 'order-events', 'k', gen_random_uuid(), '', '[]', {parked})" for parked in (True, False))
    async with meanwhile(where.databases["order-service"], columns + rows, "DELETE FROM outbox"):
        facts = await collect(where, told, 10)
    assert facts.readings[-1].waiting == 0
    assert broken(facts) == ["I8"]


async def test_parked_records_carry_the_spelling_of_their_key(where, told):
    letter = """INSERT INTO dead_letters (consumer_group, topic, partition, "offset", key, headers, event_id, state,
                error_class, error_text, tries) VALUES ('order-service', 'product-events', 0, 0,
                convert_to('thé', 'UTF8'), '[]', gen_random_uuid(), 'parked', 'Error', '', 3)"""
    parked = "INSERT INTO parked_keys VALUES ('order-service', 'product-events', 'thé')"
    undo = "DELETE FROM dead_letters; DELETE FROM parked_keys"
    async with meanwhile(where.databases["order-service"], f"{letter}; {parked}", undo):
        facts = await collect(where, told, 10)
    assert [one.key for one in facts.letters] == [one.key for one in facts.parked_keys] == ["thé"]


async def test_an_order_that_disagrees_with_its_reservation_is_read_again(where, told, broken, order_with):
    one = f"UPDATE orders SET status = '%s' WHERE id = '{order_with('b1')}'"
    async with meanwhile(where.databases["order-service"], one % "cancelled", one % "confirmed"):
        assert broken(await collect(where, told, 10)) == ["I7"]


def test_a_record_that_nobody_can_read_is_evidence_with_a_reason():
    raw = ConsumerRecord("order-events", 3, 7, 1_000, 0, b"\xff", b"{}", None, 1, 2, [("ce_id", b"?")])
    found = topics.delivery(raw)
    assert (found.key, found.type, found.version) == ("\\xff", "", 0)
    assert found.fault == "header ce_specversion is None, not '1.0'"


def test_the_command_line_judges_the_running_system(where, told, tmp_path):
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"gateway": "-", "kafka": where.kafka, "databases": where.databases}))
    command = [sys.executable, "-m", "auditor", "--state", state, "--client-log", told, "--save", tmp_path / "facts"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "every promise holds" in done.stdout
    assert len(archive.load(tmp_path / "facts").orders) == 5


async def test_a_broker_without_the_topics_is_bad_input(bare_refusal):
    assert bare_refusal == "Kafka has no topic inventory-events, order-events, product-events, user-events"


async def test_places_where_nothing_answers_are_bad_input(where, told, database):
    nobody = f"127.0.0.1:{free_port()}"
    with pytest.raises(BadInput, match=f"Kafka at {nobody} cannot be read"):
        await collect(where._replace(kafka=nobody), told, 0)
    for dsn, why in ((f"postgresql://u:secret@{nobody}/x", "Connect"), (database(), "UndefinedTable")):
        with pytest.raises(BadInput, match=why) as refusal:
            await collect(where._replace(databases={**where.databases, "order-service": dsn}), told, 0)
        assert "secret" not in str(refusal.value)


def per_partition(deliveries):
    """Offsets left out: compaction leaves gaps in the original and none in the copy."""
    rows = sorted(deliveries, key=lambda d: (d.topic, d.partition, d.offset))
    return [replace(row, offset=0) for row in rows]
