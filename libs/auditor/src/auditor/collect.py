"""Collects the evidence: waits until the system is quiet, then reads databases and topics, and reads suspects again."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from auditor import client_log, databases, topics
from auditor.errors import BadInput
from auditor.facts import Facts, Reading
from auditor.leftovers import APART_SECONDS, unrest
from auditor.orders import disagreements

QUIET_SECONDS = 60.0
LOOKS = 3
"""Orders and reservations lie in two databases: what disagrees three times, a second apart, disagrees."""


class Places(NamedTuple):
    """Where the evidence lies."""

    databases: dict[str, str]
    kafka: str


def places(state: Path) -> Places:
    """From a state file; raises BadInput."""
    try:
        body = json.loads(state.read_text(encoding="utf-8"))
        return Places({service: body["databases"][service] for service in databases.SERVICES}, str(body["kafka"]))
    except OSError as error:
        raise BadInput(f"the state file {state} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"the state file {state} does not say where everything is: {error!r}") from error


async def collect(where: Places, log: Path, quiet_within: float = QUIET_SECONDS) -> Facts:
    """All facts. After `quiet_within` seconds the rest is judged as it is, and I9 says what still moves."""
    attempts = client_log.read(log)
    readings = await _settled(where, quiet_within)
    facts = await _read(where)
    for _ in range(LOOKS - 1):
        if not any(disagreements(facts)):
            break
        await asyncio.sleep(APART_SECONDS)
        facts = await _read(where)
    return replace(facts, client_log=attempts, readings=readings)


async def _settled(where: Places, seconds: float) -> tuple[Reading, Reading]:
    """The last two readings: the first quiet pair, or the ones at which patience ended."""
    deadline = asyncio.get_running_loop().time() + seconds
    before = await _reading(where)
    while True:
        await asyncio.sleep(APART_SECONDS)
        after = await _reading(where)
        if not any(unrest(before, after)) or asyncio.get_running_loop().time() > deadline:
            return before, after
        before = after


async def _reading(where: Places) -> Reading:
    partitions, committed = await topics.partitions(where.kafka), await topics.committed(where.kafka)
    waiting, pending = await databases.waiting(where.databases), await databases.pending(where.databases)
    return Reading(datetime.now(UTC), partitions, committed, waiting, pending)


async def _read(where: Places) -> Facts:
    books = await databases.read(where.databases)
    return Facts(**books._asdict(), deliveries=await topics.deliveries(where.kafka))
