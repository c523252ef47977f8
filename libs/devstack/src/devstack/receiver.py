"""A small OTLP/HTTP receiver: what gateway and services export becomes a line per span, in `.devstack/spans.jsonl`.

`python -m devstack.receiver FILE` is the collector of a cluster or of containers; GET /spans reads the lines back.
"""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from devstack import otlp_grpc
from devstack.ports import LOOPBACK

GRPC_PORT, HTTP_PORT = 4317, 4318
"""Of OTLP, as registered."""
MAX_BODY = 16 * 1024 * 1024
TOO_LARGE = b"?"
"""No OTLP, so it is refused as such."""
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


class Receiver:
    """Listens on `port` in threads of its own while the block runs; `file` begins anew."""

    def __init__(self, port: int, file: Path, host: str = LOOPBACK) -> None:
        self._path, self._file = file, file.open("w", encoding="utf-8")
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer((host, port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._file.close()

    def keep(self, body: bytes) -> None:
        """Append a request's spans; raises DecodeError."""
        lines = [json.dumps(span) for span in spans_of(ExportTraceServiceRequest.FromString(body))]
        with self._lock:
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()

    def read(self) -> bytes:
        """All lines so far."""
        return self._path.read_bytes()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            """One request of an exporter."""

            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Keep the spans; 400 for what is no OTLP."""
                self.send_response(_kept(receiver, _body(self)))
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                """The spans so far; 404 elsewhere."""
                body = receiver.read() if self.path == "/spans" else b""
                self.send_response(200 if self.path == "/spans" else 404)
                self.send_header("content-type", "application/jsonl")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
                """Silent: exporters call each second."""

        return Handler


def _body(request: BaseHTTPRequestHandler) -> bytes:
    """The request's body, sent whole (as the services do) or in chunks (as the gateway does); b"?" when too large."""
    if request.headers.get("transfer-encoding", "").lower() != "chunked":
        length = int(request.headers.get("content-length", 0))
        return request.rfile.read(length) if length <= MAX_BODY else TOO_LARGE
    body = b""
    while size := int(request.rfile.readline().split(b";")[0], 16):
        body += request.rfile.read(size)
        request.rfile.readline()
        if len(body) > MAX_BODY:
            return TOO_LARGE
    request.rfile.readline()
    return body


def _kept(receiver: Receiver, body: bytes) -> int:
    try:
        receiver.keep(body)
    except DecodeError:
        return 400
    return 200


def spans_of(request: Any) -> Iterator[dict[str, Any]]:
    """Flat spans: ids in hexadecimal, times in Unix nanoseconds, links as trace ids."""
    for resource in request.resource_spans:
        service = next((a.value.string_value for a in resource.resource.attributes if a.key == "service.name"), "?")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield {
                    "trace_id": span.trace_id.hex(),
                    "span_id": span.span_id.hex(),
                    "parent_id": span.parent_span_id.hex() or None,
                    "name": span.name,
                    "service": service,
                    "kind": KINDS[span.kind],
                    "start_ns": span.start_time_unix_nano,
                    "end_ns": span.end_time_unix_nano,
                    "links": [link.trace_id.hex() for link in span.links],
                    "attributes": {a.key: _value(a.value) for a in span.attributes},
                }


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind in ("string_value", "int_value", "double_value", "bool_value") else None


def main() -> None:
    """Receive until told to stop."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    receiver = Receiver(HTTP_PORT, Path(sys.argv[1]), host="0.0.0.0")  # noqa: S104 (a container's own network)
    with receiver, otlp_grpc.opened(GRPC_PORT, receiver.keep):
        stop.wait()


if __name__ == "__main__":
    main()
