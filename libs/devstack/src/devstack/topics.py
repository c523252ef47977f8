"""Creates the contracts' topics, and each group's dead letters, before anything is started that would use them.

`python -m devstack.topics HOST:PORT` does it for a broker that somebody else runs.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, TopicAlreadyExistsError, for_code

import contracts

CONNECT_SECONDS = 60.0


def every_topic() -> list[contracts.Topic]:
    """All topics of the system."""
    return [*contracts.TOPICS, *(contracts.dead_letters(group) for group in contracts.GROUPS)]


async def create(bootstrap: str, topics: Iterable[contracts.Topic] | None = None) -> None:
    """Create what is missing; a topic that exists is left as it is."""
    client = await _connect(bootstrap)
    try:
        wanted = [_new(topic) for topic in (every_topic() if topics is None else topics)]
        answer: Any = await client.create_topics(wanted)
        for _, code, *_ in answer.topic_errors:
            with contextlib.suppress(TopicAlreadyExistsError):
                if code:
                    raise for_code(code)
    finally:
        await client.close()


def _new(topic: contracts.Topic) -> NewTopic:
    return NewTopic(topic.name, topic.partitions, 1, topic_configs=dict(topic.config))


async def _connect(bootstrap: str) -> AIOKafkaAdminClient:
    """A broker listens a moment before it answers, and in a container its port is open long before it listens."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            await client.start()
            return client
        except KafkaConnectionError:
            await client.close()
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(create(sys.argv[1]))
