"""What a service subscribes to: one verb per topic, and the types that the verb folds."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts import Envelope, Event, Topic
from messaging.outbox import Transaction


@dataclass(frozen=True, slots=True)
class Received:
    """An event on its way into a verb. What is announced because of it carries `traceparent`, its process span."""

    envelope: Envelope
    traceparent: str | None


Verb = Callable[[Transaction, Sequence[Received]], Awaitable[Collection[UUID]]]
"""Applies a batch inside the given transaction and returns the ids of the events that were stale."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic with its verb. A projection is versioned by itself: no inbox, and a rebuild reads it all again."""

    topic: Topic
    verb: Verb
    handles: frozenset[type[Event]]
    projection: bool = False
