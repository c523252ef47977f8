"""Kafka for a worker: one address and its timing make every client that relay and consumer ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from messaging.consumer import Consumer
from messaging.kafka_producer import KafkaProducer
from messaging.kafka_source import KafkaSource
from messaging.outbox import Transactions
from messaging.subscription import Subscription
from messaging.tls import MutualTls


@dataclass(frozen=True, slots=True)
class Kafka:
    """A cluster, and how fast a silent member of a group is given up. Times are seconds.

    `tls_files` are the CA's certificate, this client's and its key; without them it speaks plain text.
    """

    bootstrap: str
    session_seconds: float = 6.0
    heartbeat_seconds: float = 2.0
    tls_files: tuple[Path, Path, Path] | None = None

    def producer(self) -> KafkaProducer:
        """A fresh producer."""
        return KafkaProducer(self.bootstrap, tls=self._tls())

    def source(self, group: str, topics: Sequence[str]) -> KafkaSource:
        """A fresh member for a group."""
        timing = {"session_seconds": self.session_seconds, "heartbeat_seconds": self.heartbeat_seconds}
        return KafkaSource(self.bootstrap, group, topics, tls=self._tls(), **timing)

    def consumer(
        self,
        group: str,
        subscriptions: Sequence[Subscription],
        transactions: Transactions,
        is_transient: Callable[[BaseException], bool],
    ) -> Consumer:
        """The group's consumer in this process."""
        return Consumer(
            group,
            subscriptions,
            source=lambda: self.source(group, [s.topic.name for s in subscriptions]),
            producer=self.producer,
            transactions=transactions,
            is_transient=is_transient,
            session_seconds=self.session_seconds,
        )

    def _tls(self) -> MutualTls | None:
        return MutualTls(*self.tls_files) if self.tls_files else None
