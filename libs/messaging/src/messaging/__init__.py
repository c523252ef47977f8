"""Messaging: outbox and relay on the way out, consumer with inbox, parking and dead letters on the way in.

Knows no service and no chassis: a service's `app.py` hands it transactions and learns of readiness.
"""

from messaging.backlog import Backlog
from messaging.broker import Delivered, Place, Producer, Source, Unsendable
from messaging.consumer import Consumer
from messaging.kafka import Kafka
from messaging.kafka_producer import KafkaProducer
from messaging.kafka_source import KafkaSource
from messaging.outbox import Announcement, Outbox, Transaction, Transactions, trace_id_of
from messaging.relay import Relay
from messaging.subscription import Received, Subscription, Verb

__all__ = [
    "Announcement",
    "Backlog",
    "Consumer",
    "Delivered",
    "Kafka",
    "KafkaProducer",
    "KafkaSource",
    "Outbox",
    "Place",
    "Producer",
    "Received",
    "Relay",
    "Source",
    "Subscription",
    "Transaction",
    "Transactions",
    "Unsendable",
    "Verb",
    "trace_id_of",
]
