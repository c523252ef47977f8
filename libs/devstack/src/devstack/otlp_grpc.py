"""The receiver's second door: OTLP over gRPC, the only thing by which Envoy Gateway exports its spans."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
ACCEPTED = b""
"""An ExportTraceServiceResponse without a partial success."""
STOP_SECONDS = 1.0


@contextmanager
def opened(port: int, keep: Callable[[bytes], None]) -> Iterator[None]:
    """Hand every request's bytes to `keep` while the block runs; no message is decoded here."""

    def export(body: bytes, _: object) -> bytes:
        keep(body)
        return ACCEPTED

    handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_insecure_port(f"0.0.0.0:{port}")
    server.start()
    try:
        yield
    finally:
        server.stop(STOP_SECONDS)
