"""OpenTelemetry behind the `Tracer` seam: spans to an OTLP/HTTP collector, or to stderr. The extra `traces` has it.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_TRACES_EXPORTER is set; OpenTelemetry is imported only then. A filing's
trace has an id made of its accession, so that what another process did after a crash stands in the same trace.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from catalyst.errors import SettingsError
from catalyst.tracing import NO_TRACER, NONE, Attributes, Kind, Span, Tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

FLUSH_SECONDS = 3.0
"""The longest that a stop waits for the collector; what it has not taken then is dropped."""


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Where spans go. OpenTelemetry's own names; `exporter` is otlp, console or none."""

    exporter: str = "none"
    endpoint: str = ""
    """Whole, with its path."""
    headers: tuple[tuple[str, str], ...] = ()
    service: str = "catalyst"

    @classmethod
    def from_env(cls, values: Mapping[str, str]) -> TraceSettings:
        """Raises SettingsError for an exporter that we don't have."""
        base = values.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/")
        exporter = values.get("OTEL_TRACES_EXPORTER", "otlp" if base else "none").lower()
        if exporter not in ("otlp", "console", "none"):
            raise SettingsError(f"OTEL_TRACES_EXPORTER={exporter!r}: use otlp, console or none")
        pairs = (pair.partition("=") for pair in values.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(",") if "=" in pair)
        headers = tuple((name.strip().lower(), unquote(value.strip())) for name, _, value in pairs)
        endpoint = f"{base or 'http://127.0.0.1:4318'}/v1/traces"
        return cls(exporter, endpoint, headers, values.get("OTEL_SERVICE_NAME", "catalyst"))


@contextlib.contextmanager
def tracing(settings: TraceSettings) -> Iterator[Tracer]:
    """The tracer that the settings ask for; at the end what waits is sent. Raises SettingsError without the extra."""
    if settings.exporter == "none":
        yield NO_TRACER
        return
    try:
        tracer = OtelTracer(_provider(settings))
    except ImportError:
        raise SettingsError(
            "traces need OpenTelemetry: pip install 'catalyst-filings[traces]', or unset OTEL_EXPORTER_OTLP_ENDPOINT"
        ) from None
    try:
        yield tracer
    finally:
        tracer.close()


def _provider(settings: TraceSettings) -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    from catalyst import __version__

    class Ids(RandomIdGenerator):
        """A root whose ids were chosen gets them; all others are random."""

        def generate_trace_id(self) -> int:
            chosen = _CHOSEN.get()
            return chosen[0] if chosen else super().generate_trace_id()

        def generate_span_id(self) -> int:
            chosen = _CHOSEN.get()
            return chosen[1] if chosen else super().generate_span_id()

    exporter: SpanExporter
    if settings.exporter == "console":
        exporter = ConsoleSpanExporter(out=sys.stderr)
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=settings.endpoint, headers=dict(settings.headers))
    resource = Resource.create({"service.name": settings.service, "service.version": __version__})
    provider = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


_CHOSEN: ContextVar[tuple[int, int] | None] = ContextVar("chosen", default=None)


def ids_of(root: str) -> tuple[int, int]:
    """Trace id and root span id of a name: the same in every process."""
    digest = hashlib.sha256(f"catalyst:{root}".encode()).digest()
    return int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:24], "big") or 1


class OtelTracer:
    """Spans of OpenTelemetry; see `catalyst.tracing.Tracer`."""

    on = True

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import trace

        self._api: Any = trace
        self._provider = provider
        self._tracer = provider.get_tracer("catalyst")

    @contextlib.contextmanager
    def span(self, name: str, attributes: Attributes = NONE) -> Iterator[Span]:
        """See the seam."""
        with self._tracer.start_as_current_span(
            name, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield _Open(span)
            except BaseException as error:
                self._fail(span, type(error).__name__)
                raise

    def note(
        self, name: str, seconds: float, attributes: Attributes = NONE, *, kind: Kind = "internal", root: str = ""
    ) -> None:
        """See the seam."""
        from opentelemetry.context import Context

        now = time.time_ns()
        chosen = _CHOSEN.set(ids_of(root)) if root else None
        try:
            span = self._tracer.start_span(
                name,
                context=Context() if root else None,
                kind=self._api.SpanKind[kind.upper()],
                attributes=dict(attributes),
                start_time=now - max(0, int(seconds * 1e9)),
            )
        finally:
            if chosen is not None:
                _CHOSEN.reset(chosen)
        if error := attributes.get("error.type"):
            self._fail(span, str(error))
        span.end(now)

    @contextlib.contextmanager
    def within(self, root: str) -> Iterator[None]:
        """See the seam."""
        from opentelemetry import context

        trace_id, span_id = ids_of(root)
        flags = self._api.TraceFlags(self._api.TraceFlags.SAMPLED)
        parent = self._api.NonRecordingSpan(self._api.SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags))
        token = context.attach(self._api.set_span_in_context(parent))
        try:
            yield
        finally:
            context.detach(token)

    def close(self) -> None:
        """Send what waits, for `FLUSH_SECONDS` at most: a collector that hangs must not hold up a stop."""
        flushing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        flushing.start()
        flushing.join(FLUSH_SECONDS)

    def _fail(self, span: Any, kind: str) -> None:
        span.set_attribute("error.type", kind)
        span.set_status(self._api.StatusCode.ERROR)


@dataclass(frozen=True, slots=True)
class _Open:
    """A span under way."""

    _span: Any

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))
