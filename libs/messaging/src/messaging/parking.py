"""What could not be applied, kept with its bytes: dead records (nobody can read them), parked keys (a handler failed).

A parked key's later events follow it in order; other keys go on. Consumer and replay meet on the `parked_keys` row.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from contracts import Headers, Record
from messaging import inbox

DDL: tuple[str, ...] = (
    """
    CREATE TABLE parked_keys (
        consumer_group text NOT NULL, topic text NOT NULL, key text NOT NULL,
        since timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (consumer_group, topic, key)
    )
    """,
    """
    CREATE TABLE dead_letters (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        consumer_group text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        key bytea NOT NULL,
        value bytea,
        headers json NOT NULL,
        event_id uuid NOT NULL,
        state text NOT NULL CHECK (state IN ('parked', 'dead', 'replayed', 'discarded')),
        error_class text NOT NULL,
        error_text text NOT NULL,
        tries integer NOT NULL,
        first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE (consumer_group, event_id)
    )
    """,
)

COLUMNS = """id, consumer_group, topic, partition, "offset", key, value, headers::text AS headers, event_id, state,
error_class, error_text, tries, first_at, last_at"""
"""Of a dead letter. Headers as text: whether json arrives decoded depends on whose connection it is."""
KEEP = """
INSERT INTO dead_letters (consumer_group, topic, partition, "offset", key, value, headers, event_id, state,
                          error_class, error_text, tries)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::json, $8, $9, $10, $11, $12)
ON CONFLICT (consumer_group, event_id) DO UPDATE
SET last_at = clock_timestamp(), tries = dead_letters.tries + excluded.tries,
    state = CASE excluded.state WHEN 'parked' THEN 'parked' ELSE dead_letters.state END
"""
"""A projection that is rebuilt may park an event again; a second burial of a replayed record changes nothing."""
SHARE = "SELECT key FROM parked_keys WHERE consumer_group = $1 AND topic = $2 AND key = ANY($3) ORDER BY key FOR SHARE"
PARK = """
INSERT INTO parked_keys (consumer_group, topic, key) VALUES ($1, $2, $3)
ON CONFLICT (consumer_group, topic, key) DO UPDATE SET since = parked_keys.since
"""
"""Locks the row where there is one: a drain that holds it may be about to find the key empty and to delete it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A record with its place and why it was set aside."""

    record: Record
    partition: int
    offset: int
    event_id: UUID
    error_class: str
    error_text: str
    tries: int

    @property
    def key(self) -> str:
        """The key as text; the parking table is read by people."""
        return text_key(self.record.key)


def printable(text: str) -> str:
    """An error's text as PostgreSQL and Kafka take it: without NUL, without lone surrogates."""
    return text_key(text.encode(errors="backslashreplace"))


def text_key(key: bytes) -> str:
    """A record's key as text, whatever its bytes."""
    return key.decode(errors="backslashreplace").replace("\x00", "\\x00")


async def parked_among(raw: "asyncpg.Connection[Any]", group: str, topic: str, keys: Collection[str]) -> set[str]:
    """Which of the keys are parked; they stay so until this transaction ends (FOR SHARE)."""
    return {row["key"] for row in await raw.fetch(SHARE, group, topic, list(keys))}


async def park(raw: "asyncpg.Connection[Any]", group: str, kept: Sequence[Kept]) -> None:
    """Park these records' keys and keep the records in order; the inbox says `parked`."""
    for one in kept:
        await raw.execute(PARK, group, one.record.topic, one.key)
        await keep(raw, group, one, "parked")
    await inbox.settle(raw, group, [one.event_id for one in kept], "parked")


async def bury(raw: "asyncpg.Connection[Any]", group: str, kept: Kept) -> None:
    """Keep a record that cannot be executed; the inbox says `dead`, unless it knows of an effect."""
    await keep(raw, group, kept, "dead")
    await inbox.claim(raw, group, [kept.event_id], "dead")


async def keep(raw: "asyncpg.Connection[Any]", group: str, kept: Kept, state: str) -> None:
    """One row with the record's bytes as they were."""
    record = kept.record
    place = (group, record.topic, kept.partition, kept.offset, record.key, record.value)
    why = (state, kept.error_class, printable(kept.error_text)[:2000], kept.tries)
    await raw.execute(KEEP, *place, _dump(record.headers), kept.event_id, *why)


def _dump(headers: Headers) -> str:
    """Header values in hexadecimal: undecodable records may hold any bytes. Names may hold NUL, which json takes."""
    return json.dumps([[name, value.hex()] for name, value in headers])


def record_of(row: asyncpg.Record) -> Record:
    """The record again, byte for byte."""
    headers = tuple((name, bytes.fromhex(value)) for name, value in json.loads(row["headers"]))
    return Record(row["topic"], row["key"], row["value"], headers)
