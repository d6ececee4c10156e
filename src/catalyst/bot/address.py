"""Where the service is: one address from the operator, two for us (the socket's and REST's)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from catalyst.errors import UsageError

_SCHEMES = {"ws": ("ws", "http"), "http": ("ws", "http"), "wss": ("wss", "https"), "https": ("wss", "https")}


@dataclass(frozen=True, slots=True)
class Address:
    """Both without user, password or query: keys go in headers."""

    socket: str
    rest: str

    @classmethod
    def of(cls, url: str) -> Address:
        """From http://host:port, ws://host:port/ws/filings, or host:port. Raises UsageError."""
        text = url.strip() if "://" in url else f"ws://{url.strip()}"
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in _SCHEMES or not host:
            raise UsageError(f"{url[:120]!r} is no address of a service: use ws://127.0.0.1:8765")
        socket, rest = _SCHEMES[parts.scheme]
        place = f"[{host}]" if ":" in host else host
        if port is not None:
            place += f":{port}"
        base = parts.path.removesuffix("/").removesuffix("/ws/filings")
        return cls(f"{socket}://{place}{base}/ws/filings", f"{rest}://{place}{base}")
