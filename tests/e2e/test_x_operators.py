"""What an operator meets: poison, dead letters, parked keys, replay and discard, through the service's own command."""

from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer

from chassis.ids import new_id
from contracts import Envelope, StockReserved, encode

POISON = b"\x00 no event at all"


@pytest.fixture
async def produce(stage):
    """Puts a record onto a topic, as a broken or foreign producer would."""
    producer = AIOKafkaProducer(bootstrap_servers=stage.state["kafka"])
    await producer.start()

    async def send(topic, key, value, headers=()):
        await producer.send_and_wait(topic, value, key.encode(), headers=list(headers))

    yield send
    await producer.stop()


async def number_of(api, stage, service, words):
    """Waits until the operator's list shows a message with these words; returns its number."""
    found = []

    async def listed():
        lines = stage.messages(service, "list").stdout.splitlines()
        found[:] = [line.split()[0] for line in lines if words in line]
        return bool(found)

    await api.eventually(listed)
    return found[0]


async def test_poison_is_set_aside_with_its_reason_and_the_next_order_proceeds(api, stage, user, produce):
    sku = await api.product(5)
    await produce("order-events", "poison", POISON)
    assert (await api.ended(user, (await api.place(user, sku)).json()["id"]))["status"] == "confirmed"
    number = await number_of(api, stage, "inventory-service", "dead      order-events poison")
    shown = stage.messages("inventory-service", "show", number)
    assert "no event at all" in shown.stdout
    assert "ce_specversion is None" in shown.stdout
    replayed = stage.messages("inventory-service", "replay", number)
    assert replayed.returncode == 2
    assert "still cannot be read" in replayed.stderr
    code, said = await api.audit("--expect", "dead=1")
    assert code == 0, said
    assert stage.messages("inventory-service", "discard", number).returncode == 0


async def test_a_parked_event_is_replayed_once_its_cause_is_mended(api, stage, user, produce):
    order = new_id()
    event = StockReserved(order_id=order)
    envelope = Envelope(event, new_id(), "/inventory-service", str(order), datetime.now(UTC), 1, str(order))
    record = encode(envelope)
    await produce(record.topic, str(order), record.value, record.headers)
    number = await number_of(api, stage, "order-service", f"parked    inventory-events {order}")
    replayed = stage.messages("order-service", "replay", number)
    assert replayed.returncode == 2
    assert f"There is no order {order}" in replayed.stderr
    await api.sql(
        "order-service",
        "INSERT INTO orders VALUES ($1, $2, 'k', '', 'pending', 1, 0, 0, 'EUR', null, now(), now() + '1 h', null)",
        order,
        user.id,
    )
    replayed = stage.messages("order-service", "replay", number)
    assert (replayed.returncode, replayed.stdout) == (0, "applied 1\n")
    assert (await api.ended(user, order))["status"] == "confirmed"


async def test_what_no_operator_may_do_is_refused_in_one_sentence(stage):
    refused = stage.messages("order-service", "replay", "999999")
    assert refused.returncode == 2
    assert refused.stderr == "messages: there is no dead or parked message 999999 in order-service\n"
