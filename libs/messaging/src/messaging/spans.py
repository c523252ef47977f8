"""One trace per order across processes: producer and process spans, linked through the `traceparent` of the outbox row.

Own instrumentation: the stock one appends a second traceparent header and ends its span before the handler has run.
Only sampled traces cost anything here. Attribute names: OpenTelemetry semantic conventions for messaging, version 1.30.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from contracts import Envelope, Record

SYSTEM = {"messaging.system": "kafka"}
DESTINATION = "messaging.destination.name"
MESSAGE_ID = "messaging.message.id"
KEY = "messaging.kafka.message.key"
BATCH_COUNT = "messaging.batch.message_count"

_W3C = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("messaging")


def is_sampled(traceparent: str | None) -> bool:
    """Whether anybody will look at this trace (bit 0 of the flags)."""
    return bool(traceparent) and traceparent is not None and traceparent[-1] in "13579bdf"


def context_of(traceparent: str) -> Context:
    """The remote parent."""
    return _W3C.extract({"traceparent": traceparent}, Context())


def traceparent_of(span: Span) -> str:
    """The span as a header."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(span, Context()))
    return carrier["traceparent"]


@contextmanager
def producing(records: Sequence[Record]) -> Iterator[None]:
    """A producer span for each sampled record, from its first send to the batch's last acknowledgement."""
    spans = [span for record in records if (span := _producer_span(record))]
    try:
        yield
    finally:
        for span in spans:
            span.end()


def _producer_span(record: Record) -> Span | None:
    headers = dict(record.headers)
    traceparent = headers.get("traceparent", b"").decode()
    if not is_sampled(traceparent):
        return None
    attributes = {**SYSTEM, DESTINATION: record.topic, MESSAGE_ID: headers["ce_id"].decode(), KEY: record.key.decode()}
    name = f"send {headers['ce_type'].decode()}"
    return _TRACER.start_span(name, context_of(traceparent), SpanKind.PRODUCER, attributes)


def start_process(envelope: Envelope, topic: str, group: str) -> Span | None:
    """The span of one event's effect, from decoding to commit; None when its trace is not sampled."""
    if envelope.traceparent is None or not is_sampled(envelope.traceparent):
        return None
    attributes = {**SYSTEM, DESTINATION: topic, MESSAGE_ID: str(envelope.id), "messaging.consumer.group.name": group}
    context = context_of(envelope.traceparent)
    return _TRACER.start_span(f"process {envelope.type}", context, SpanKind.CONSUMER, attributes)


@contextmanager
def batch(topic: str, members: Sequence[Span]) -> Iterator[None]:
    """The span of one transaction for many events, in a trace of its own that links to each of them."""
    links = [Link(member.get_span_context()) for member in members]
    attributes: dict[str, str | int] = {**SYSTEM, DESTINATION: topic, BATCH_COUNT: len(members)}
    with _TRACER.start_as_current_span(f"batch {topic}", Context(), SpanKind.CONSUMER, attributes, links):
        yield
