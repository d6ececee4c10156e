"""An OTLP/HTTP collector on loopback that keeps every span it is sent, decoded by OpenTelemetry's own protobuf."""

from __future__ import annotations

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """`with Collector() as collector`: its `url` is what OTEL_EXPORTER_OTLP_ENDPOINT is set to."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.raw = b""
        self.headers: dict[str, str] = {}
        self.resource: dict[str, Any] = {}
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                kept.take(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        assert path == "/v1/traces"
        body = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        self.raw += body
        self.headers = headers
        sent = ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            self.resource |= {one.key: value_of(one.value) for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def named(self, name: str) -> list[Any]:
        """The spans of this name."""
        return [span for span in self.spans if span.name == name]

    def wait(self, name: str, seconds: float = 15) -> list[Any]:
        """Those spans, once the first of them has come."""
        end = time.monotonic() + seconds
        while not self.named(name) and time.monotonic() < end:
            time.sleep(0.05)
        return self.named(name)

    def __enter__(self) -> Collector:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def value_of(value: Any) -> Any:
    """A protobuf value as Python's."""
    return getattr(value, value.WhichOneof("value"))


def attributes(span: Any) -> dict[str, Any]:
    """A span's attributes."""
    return {one.key: value_of(one.value) for one in span.attributes}
