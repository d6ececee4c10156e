"""What the web room counts. One instance per process, on the registry it is given."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class WebMetrics:
    """Clients, messages and closings of the stream."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.clients = Gauge("catalyst_stream_clients", "WebSocket clients connected", registry=registry)
        self.head = Gauge("catalyst_stream_head", "Last offset written to the live clients", registry=registry)
        self.messages = Counter(
            "catalyst_stream_messages", "Messages written to clients, live and replayed", registry=registry
        )
        self.closed = Counter(
            "catalyst_stream_closed", "Connections that the service closed, by code", ["code"], registry=registry
        )
