"""The codec: what is encoded is read again, what is broken is named, and CloudEvents' own package agrees."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given, settings, strategies
from polyfactory.factories.pydantic_factory import ModelFactory

from contracts import EVENTS, Envelope, OrderConfirmed, Record, Undecodable, UnknownType, decode, encode, record_id
from contracts.schemas import HEADERS

ID = UUID("01920000-0000-7000-8000-000000000001")
ORDER = UUID("01920000-0000-7000-8000-00000000000a")
GOOD = {
    "ce_specversion": b"1.0",
    "ce_id": str(ID).encode(),
    "ce_source": b"/x",
    "ce_subject": b"k",
    "ce_time": b"2026-01-02T03:04:05Z",
    "ce_aggregateversion": b"1",
    "ce_correlationid": b"c",
}


@pytest.fixture
def envelope():
    return Envelope(
        event=OrderConfirmed(order_id=ORDER),
        id=ID,
        source="/order-service",
        subject=str(ORDER),
        time=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        version=2,
        correlation_id=str(ORDER),
        causation_id=ID,
        traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    )


def with_header(record, name, value):
    headers = [(n, v) for n, v in record.headers if n != name]
    return record._replace(headers=tuple(headers if value is None else [*headers, (name, value)]))


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_survives_the_way_there_and_back(envelope, name):
    event = ModelFactory.create_factory(EVENTS[name], __random_seed__=7).build()
    sent = replace(envelope, event=event)
    assert decode(encode(sent)) == sent


def test_equal_envelopes_give_equal_bytes(envelope):
    assert encode(envelope) == encode(replace(envelope))


def test_an_unknown_field_is_ignored(envelope):
    record = encode(envelope)
    richer = json.dumps({**json.loads(record.value), "gift_wrap": True}).encode()
    assert decode(record._replace(value=richer)).event == envelope.event


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("ce_id", None, "ce_id is missing"),
        ("ce_id", b"7", "does not parse"),
        ("ce_specversion", b"0.3", "ce_specversion is '0.3'"),
        ("ce_time", b"yesterday", "does not parse"),
        ("ce_time", b"2026-01-02T03:04:05", "time has no zone"),
        ("ce_aggregateversion", b"0", "not a positive number"),
        ("ce_aggregateversion", b"-1", "not a positive number"),
        ("ce_subject", b"\xff", "not UTF-8"),
        ("ce_causationid", b"x", "does not parse"),
    ],
)
def test_a_broken_header_is_named(envelope, header, value, reason):
    with pytest.raises(Undecodable, match=reason):
        decode(with_header(encode(envelope), header, value))


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"\xff", b'{"order_id": 1}', b"[" * 100_000])
def test_a_broken_value_is_undecodable(envelope, value):
    with pytest.raises(Undecodable, match=r"order\.confirmed\.v1 does not fit"):
        decode(encode(envelope)._replace(value=value))


def test_an_unknown_type_is_told_apart(envelope):
    with pytest.raises(UnknownType, match=r"'order\.eaten\.v1'"):
        decode(with_header(encode(envelope), "ce_type", b"order.eaten.v1"))


def test_a_record_without_readable_id_gets_one_from_its_place(envelope):
    nameless = with_header(encode(envelope), "ce_id", None)
    assert record_id(encode(envelope), 3, 4) == ID
    assert record_id(nameless, 3, 4) == record_id(nameless, 3, 4) != record_id(nameless, 3, 5)


def test_the_cloudevents_package_reads_what_we_write(envelope):
    event = from_binary_event(_their_message(encode(envelope)), JSONFormat())
    assert (event.get_id(), event.get_type(), event.get_source()) == (str(ID), envelope.type, envelope.source)
    assert event.get_subject() == envelope.subject
    assert event.get_time() == envelope.time
    assert event.get_extension("aggregateversion") == "2"
    data = event.get_data()
    assert (data if isinstance(data, dict) else json.loads(data)) == {"order_id": str(ORDER)}


def test_we_read_what_the_cloudevents_package_writes(envelope):
    record = encode(envelope)
    event = from_binary_event(_their_message(record), JSONFormat())
    written = to_binary_event(event, JSONFormat(), key_mapper=lambda _: record.key.decode())
    again = decode(record._replace(headers=tuple(written.headers.items()), value=written.value))
    # The trace context is Kafka's header, not CloudEvents' attribute: their package drops it.
    assert replace(again, traceparent=envelope.traceparent) == envelope


def _their_message(record):
    return KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value)


@pytest.mark.parametrize("text", [b"", b"nonsense1", b"00-" + b"0" * 32 + b"-" + b"b" * 16 + b"-01", b"ff-x"])
def test_a_trace_context_that_does_not_parse_is_ignored(envelope, text):
    assert decode(with_header(encode(envelope), "traceparent", text)).traceparent is None


WORDS = strategies.text(strategies.characters(exclude_categories=["Cs"]), min_size=1)
OFFSETS = strategies.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
"""Named zones have hours that do not exist, and no two datetimes in such an hour are equal."""


@given(
    name=strategies.sampled_from(sorted(EVENTS)),
    seed=strategies.integers(0, 2**32),
    texts=strategies.tuples(WORDS, WORDS, WORDS),
    version=strategies.integers(1, 2**31 - 1),
    time=strategies.datetimes(datetime(2000, 1, 1), timezones=OFFSETS),  # noqa: DTZ001 (zone is drawn)
)
def test_any_envelope_survives_the_way_there_and_back(name, seed, texts, version, time):
    factory = ModelFactory.create_factory(EVENTS[name])
    factory.seed_random(seed)
    source, subject, correlation = texts
    sent = Envelope(factory.build(), UUID(int=seed), source, subject, time, version, correlation)
    assert decode(encode(sent)) == sent


VALUES = strategies.none() | strategies.binary() | strategies.sampled_from([b"{}", b"null", b'"\\ud800"'])


@settings(max_examples=300)
@given(
    headers=strategies.dictionaries(strategies.sampled_from([*HEADERS, "x"]), strategies.binary()),
    name=strategies.sampled_from(sorted(EVENTS)),
    value=VALUES,
)
def test_no_bytes_make_anything_but_an_envelope_or_a_sentence(headers, name, value):
    record = Record("t", b"k", value, tuple({**GOOD, "ce_type": name.encode(), **headers}.items()))
    with suppress(Undecodable):
        assert isinstance(decode(record), Envelope)
