"""What messaging counts; labelled children are made once, since labels() on the hot path costs a lock."""

from prometheus_client import Counter, Gauge, Histogram

PUBLISHED = Counter("outbox_published_total", "Outbox rows acknowledged by the broker and deleted")
OUTBOX_PARKED = Counter("outbox_parked_total", "Outbox rows that the broker will never take")
OUTBOX_BACKLOG = Gauge("outbox_backlog_rows", "Rows waiting to be published, estimated once a second")
RELAY_INTERRUPTIONS = Counter("relay_interruptions_total", "Times the relay lost its database or its producer")
PRODUCE_SECONDS = Histogram("outbox_produce_seconds", "From the first send of a batch to its last acknowledgement")
CONSUMED = Counter("consumer_events_total", "Events by what became of them", ["group", "topic", "outcome"])
PAUSES = Counter("consumer_pauses_total", "Times a partition was paused for transient trouble", ["group"])
REBUILDS = Counter("consumer_rebuilds_total", "Times the watchdog replaced the consumer", ["group"])
LAG = Gauge("consumer_lag_records", "End offsets minus committed offsets, all partitions", ["group"])
