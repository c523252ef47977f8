"""CloudEvents 1.0 in Kafka's binary mode: attributes are headers with prefix `ce_`, the value is the event as JSON.

Producers encode when a row is written to the outbox, consumers decode what a poll brings. Source of the mapping:
CloudEvents Kafka protocol binding 1.0.2, section 3.2; `traceparent` is W3C Trace Context.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import ValidationError

from contracts.events import EVENTS, Event
from contracts.topics import topic_of

Headers = tuple[tuple[str, bytes], ...]
CONTENT_TYPE = "application/json"
TRACEPARENT = re.compile("(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Undecodable(ValueError):
    """A record that no retry can make readable. `reason` is one sentence for the dead letter.

    Undecodable
    └── UnknownType    well-formed, but of a type that contracts do not know
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownType(Undecodable):
    """The record's type is not in EVENTS."""


class Record(NamedTuple):
    """What Kafka carries. `value` is None on a tombstone."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event with its context attributes.

    `version` counts the events of (source, subject) from 1. `causation_id` is the event that made this one happen,
    None when a person did; `correlation_id` is shared by everything that follows from one request.
    """

    event: Event
    id: UUID
    source: str
    subject: str
    time: datetime
    version: int
    correlation_id: str
    causation_id: UUID | None = None
    traceparent: str | None = None

    @property
    def type(self) -> str:
        """CloudEvents type, e.g. `order.placed.v1`."""
        return self.event.type


def encode(envelope: Envelope) -> Record:
    """The record as it is stored and published; equal envelopes give equal bytes."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": str(envelope.id),
        "ce_type": envelope.type,
        "ce_source": envelope.source,
        "ce_subject": envelope.subject,
        "ce_time": envelope.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "ce_aggregateversion": str(envelope.version),
        "ce_correlationid": envelope.correlation_id,
        "ce_causationid": str(envelope.causation_id) if envelope.causation_id else None,
        "content-type": CONTENT_TYPE,
        "traceparent": envelope.traceparent,
    }
    headers = tuple((name, value.encode()) for name, value in attributes.items() if value is not None)
    value = envelope.event.model_dump_json().encode()
    return Record(topic_of(type(envelope.event)).name, envelope.subject.encode(), value, headers)


def decode(record: Record) -> Envelope:
    """Read a record; raises Undecodable or UnknownType with a sentence that names what is wrong."""
    attributes = _attributes(record.headers)
    _require(attributes, "specversion", "1.0")
    try:
        return Envelope(
            event=_event(attributes["type"], record.value),
            id=UUID(attributes["id"]),
            source=attributes["source"],
            subject=attributes["subject"],
            time=_time(attributes["time"]),
            version=_version(attributes["aggregateversion"]),
            correlation_id=attributes["correlationid"],
            causation_id=UUID(cause) if (cause := attributes.get("causationid")) else None,
            traceparent=_traceparent(attributes.get("traceparent")),
        )
    except Undecodable:
        raise
    except KeyError as missing:
        raise Undecodable(f"header ce_{missing.args[0]} is missing") from missing
    except ValueError as error:
        raise Undecodable(f"a header does not parse: {error}") from error


def record_id(record: Record, partition: int, offset: int) -> UUID:
    """The event id, or a stable stand-in made of the record's place when the id cannot be read."""
    try:
        return UUID(_attributes(record.headers)["id"])
    except (KeyError, ValueError):  # Undecodable is a ValueError
        return uuid5(NAMESPACE_URL, f"{record.topic}/{partition}/{offset}")


def _attributes(headers: Headers) -> dict[str, str]:
    """Header name without its prefix -> text."""
    try:
        return {name.removeprefix("ce_"): value.decode() for name, value in headers}
    except UnicodeDecodeError as error:
        raise Undecodable("a header is not UTF-8") from error


def _require(attributes: dict[str, str], name: str, wanted: str) -> None:
    if (found := attributes.get(name)) != wanted:
        raise Undecodable(f"header ce_{name} is {found!r}, not {wanted!r}")


def _event(name: str, value: bytes | None) -> Event:
    """The typed data of a record."""
    if name not in EVENTS:
        raise UnknownType(f"type {name!r} is not in the contracts")
    try:
        return EVENTS[name].model_validate_json(value if value is not None else b"null")
    except (ValidationError, RecursionError) as error:
        raise Undecodable(f"{name} does not fit its contract: {_first_fault(error)}") from error


def _first_fault(error: Exception) -> str:
    """One fault with its place; pydantic's own text repeats the input, which may be large or private."""
    if not isinstance(error, ValidationError):
        return "nested too deeply"
    fault = json.loads(error.json(include_input=False, include_url=False))[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'value'}: {fault['msg']}"


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("time has no zone")
    return moment


def _traceparent(text: str | None) -> str | None:
    """W3C asks to ignore one that does not parse: a trace is no reason to lose an event."""
    return text if text and TRACEPARENT.fullmatch(text) else None


def _version(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"aggregateversion {text!r} is not a positive number")
    return int(text)
