"""Traces cross processes through the outbox row, and unsampled ones cost nothing."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts import encode
from messaging import spans

TRACE = "00-" + "a" * 32 + "-" + "b" * 16


@pytest.fixture
def exported(monkeypatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "_TRACER", provider.get_tracer("messaging"))
    return exporter


async def test_send_and_process_belong_to_the_orders_trace(store, announcement, keys, exported):
    (envelope,) = await store.announce(announcement(keys(1)[0], 1, f"{TRACE}-01"))
    with spans.producing([encode(envelope)]):
        pass
    process = spans.start_process(envelope, "inventory-events", "g")
    with spans.batch("inventory-events", [process]):
        pass
    process.end()
    send, batch, processed = exported.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in (send, processed)} == {"a" * 32}
    assert [f"{link.context.trace_id:032x}" for link in batch.links] == ["a" * 32]
    assert f"{batch.context.trace_id:032x}" != "a" * 32
    assert send.attributes["messaging.destination.name"] == "inventory-events"


async def test_an_unsampled_trace_makes_no_span(store, announcement, keys, exported):
    (envelope,) = await store.announce(announcement(keys(1)[0], 1, f"{TRACE}-00"))
    with spans.producing([encode(envelope)]):
        assert spans.start_process(envelope, "t", "g") is None
    assert exported.get_finished_spans() == ()


def test_what_follows_an_event_carries_its_process_span():
    with trace.use_span(
        trace.NonRecordingSpan(trace.get_current_span(spans.context_of(f"{TRACE}-01")).get_span_context())
    ):
        span = trace.get_current_span()
    assert spans.traceparent_of(span) == f"{TRACE}-01"
