"""Reads the topics whole, and where each group stands. As a stranger: it joins no group and commits nothing."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from auditor.errors import BadInput
from auditor.facts import Committed, Delivery, Partition
from contracts import GROUPS, TOPICS, Record, Undecodable, decode, record_id

Client = TypeVar("Client", AIOKafkaConsumer, AIOKafkaAdminClient)

POLL_MS = 500
SILENCE_MS = 30_000
FETCH_BYTES = 4 * 1024 * 1024


async def partitions(bootstrap: str) -> tuple[Partition, ...]:
    """Begin and end of every partition of the contracts' topics."""
    async with _reader(bootstrap) as reader:
        return await _partitions(reader)


async def committed(bootstrap: str) -> tuple[Committed, ...]:
    """Where the groups stand, as far as they have ever committed."""
    async with _started(bootstrap, AIOKafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        answers = [(group, await admin.list_consumer_group_offsets(group)) for group in GROUPS]
    return tuple(
        Committed(group, place.topic, place.partition, found.offset)
        for group, offsets in answers
        for place, found in offsets.items()
    )


async def deliveries(bootstrap: str) -> tuple[Delivery, ...]:
    """Every record from each partition's begin to the end that it had when the reading began."""
    async with _reader(bootstrap) as reader:
        ends = {TopicPartition(one.topic, one.partition): one.end for one in await _partitions(reader)}
        reader.assign(list(ends))
        await reader.seek_to_beginning(*ends)
        return tuple([delivery(record) async for record in _until(reader, ends)])


async def _until(reader: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> AsyncIterator[Any]:
    """Raw records up to the ends; raises BadInput when the broker falls silent before."""
    silent_ms = 0
    while not await _at_end(reader, ends):
        batches = await reader.getmany(timeout_ms=POLL_MS)
        silent_ms = 0 if batches else silent_ms + POLL_MS
        if silent_ms > SILENCE_MS:
            raise BadInput(f"Kafka has sent nothing for {SILENCE_MS / 1000:g} s and its topics go on")
        for records in batches.values():
            for record in records:
                yield record


async def _at_end(reader: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    return all([await reader.position(place) >= end for place, end in ends.items()])


async def _partitions(reader: AIOKafkaConsumer) -> tuple[Partition, ...]:
    if missing := {topic.name for topic in TOPICS} - await reader.topics():
        raise BadInput(f"Kafka has no topic {', '.join(sorted(missing))}")
    places = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
    begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    return tuple(Partition(p.topic, p.partition, begins[p], ends[p]) for p in places)


def _reader(bootstrap: str) -> AbstractAsyncContextManager[AIOKafkaConsumer]:
    options = {"enable_auto_commit": False, "max_partition_fetch_bytes": FETCH_BYTES}
    return _started(bootstrap, AIOKafkaConsumer(bootstrap_servers=bootstrap, **options))


@asynccontextmanager
async def _started(bootstrap: str, client: Client) -> AsyncIterator[Client]:
    """The client between start and end; raises BadInput for whatever is wrong with the broker."""
    try:
        await client.start()
        yield client
    except KafkaError as error:
        raise BadInput(f"Kafka at {bootstrap} cannot be read: {type(error).__name__}") from error
    finally:
        await (client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())


def delivery(raw: Any) -> Delivery:
    """A record as evidence, readable or not."""
    record = Record(raw.topic, raw.key or b"", raw.value, tuple(raw.headers))
    place = (raw.topic, raw.partition, raw.offset, record.key.decode(errors="backslashreplace"))
    at = datetime.fromtimestamp(raw.timestamp / 1000, UTC)
    try:
        envelope = decode(record)
    except Undecodable as error:
        return Delivery(*place, record_id(record, raw.partition, raw.offset), "", "", 0, at, error.reason)
    return Delivery(*place, envelope.id, envelope.type, envelope.source, envelope.version, at, None)
