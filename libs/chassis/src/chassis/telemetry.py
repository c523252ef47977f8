"""Traces: set up first, closed last. One trace per order, carried between processes as W3C `traceparent` strings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

_W3C = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("chassis")


class Roots(Sampler):
    """Which spans without a parent are kept: a batch when one of its orders is, a request by ratio, a query never.

    Queries without a parent are the polling of relay and sweeper, which would drown everything else.
    """

    def __init__(self, ratio: float) -> None:
        self._ratio = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: trace.TraceState | None = None,
    ) -> SamplingResult:
        """OpenTelemetry's sampler contract."""
        if links:
            kept = any(link.context.trace_flags.sampled for link in links)
            return SamplingResult(Decision.RECORD_AND_SAMPLE if kept else Decision.DROP, attributes, trace_state)
        if kind is SpanKind.CLIENT:
            return SamplingResult(Decision.DROP, attributes, trace_state)
        return self._ratio.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Shown in the SDK's own logs."""
        return f"Roots({self._ratio.get_description()})"


@contextmanager
def started(service_name: str, endpoint: str | None, ratio: float) -> Iterator[None]:
    """Export spans to `endpoint` (OTLP/HTTP base URL) while the block runs, and flush them at its end."""
    provider = TracerProvider(
        sampler=ParentBased(Roots(ratio)), resource=Resource.create({"service.name": service_name})
    )
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=3)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(_W3C)
    AsyncPGInstrumentor().instrument(tracer_provider=provider)
    try:
        yield
    finally:
        AsyncPGInstrumentor().uninstrument()
        provider.shutdown()


def current_traceparent() -> str | None:
    """The current span as a W3C header; None outside of any trace."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def current_trace_id() -> str | None:
    """32 hex digits; None outside of any trace."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


@contextmanager
def batch_span(name: str, traceparents: Sequence[str | None]) -> Iterator[None]:
    """A span of its own trace for work done once for many; it links to each of them."""
    contexts = [_W3C.extract({"traceparent": parent}) for parent in traceparents if parent]
    links = [Link(trace.get_current_span(context).get_span_context()) for context in contexts]
    attributes = {"messaging.batch.message_count": len(traceparents)}
    with _TRACER.start_as_current_span(name, context=Context(), links=links, attributes=attributes):
        yield
