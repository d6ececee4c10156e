"""What an operator can set about the service that clients see: one frozen class, read from the environment by name."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from catalyst.errors import SettingsError

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the service listens, who may use it, and how much one client may ask of it."""

    host: str = "127.0.0.1"
    port: int = 8765
    """0 takes any free port."""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """None on a loopback address: open to whoever is on this machine."""
    cors_origins: tuple[str, ...] = ()
    """Origins, `https://desk.example`, that browsers may call from beside the service's own."""
    heartbeat_s: float = 15.0
    subscribe_s: float = 2.0
    """Silent this long, a client gets everything."""
    auth_s: float = 5.0
    ping_s: float = 10.0
    """Between protocol pings, and the longest wait for the answer."""
    backlog_bytes: int = MEBIBYTE
    """Most unsent bytes of one client; beyond it is closed 4008."""
    frame_bytes: int = 32 * 1024
    """Most bytes of one message from a client."""
    body_bytes: int = 64 * 1024
    """Most bytes of a request body."""
    text_bytes: int = 4 * MEBIBYTE
    """Most bytes of what is sent to be read: a document to /enrich, a tender to /writer, invoices to /cashflow."""
    max_connections: int = 10_000
    messages_per_s: float = 10.0
    """What a client may send for long; five times as much at once."""

    @classmethod
    def from_env(cls, values: Mapping[str, str]) -> WebSettings:
        """Read the room's names. Raises SettingsError for a value that makes no sense."""
        return cls(
            host=_host(values.get("CATALYST_HOST", "127.0.0.1")),
            port=_port(values.get("CATALYST_PORT", "8765")),
            api_keys=_keys(values.get("CATALYST_API_KEYS", "")),
            cors_origins=tuple(_origin(text) for text in _listed(values.get("CATALYST_CORS_ORIGINS", ""))),
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(text: str) -> str:
    if not text or len(text) > 253 or any(character.isspace() or character in "/@?#" for character in text):
        raise SettingsError(f"CATALYST_HOST={text[:80]!r} is no address: use 127.0.0.1, ::1, 0.0.0.0 or a host name")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise SettingsError(f"CATALYST_PORT={text[:20]!r} is no port: use a number from 0 to 65535")
    return int(text)


def _keys(text: str) -> tuple[str, ...]:
    keys = _listed(text)
    if any(len(key) > 256 or not key.isascii() or not key.isprintable() for key in keys):
        raise SettingsError(
            "CATALYST_API_KEYS: use printable ASCII, at most 256 characters; `openssl rand -hex 24` makes one"
        )
    return keys


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or text != f"{parts.scheme}://{parts.netloc}":
        raise SettingsError(
            f"CATALYST_CORS_ORIGINS: {text[:80]!r} is no origin: use https://desk.example, without a path"
        )
    return text.lower()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
