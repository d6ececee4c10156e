"""What an operator can set about the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalyst.errors import SettingsError

CACHE_MODES = ("exact", "semantic", "off")


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Bounds of one request through the gateway."""

    body_bytes: int = 4_194_304
    """Most bytes of a request body."""
    max_tokens: int = 4096
    """Most output tokens of a request that names no limit; so much money is reserved for it."""
    timeout_seconds: float = 120.0
    """One deadline over all retries and fallbacks."""
    cache: str = "exact"
    """`exact`, `semantic` (a question worded otherwise is answered from the cache too; takes more CPU) or `off`."""

    @classmethod
    def from_env(cls, values: Mapping[str, str]) -> GatewaySettings:
        """Read the room's names. Raises SettingsError for a value that makes no sense."""
        default = cls()
        return cls(
            body_bytes=_whole(values, "GATEWAY_MAX_BODY_BYTES", default.body_bytes, 1024, 64 << 20),
            max_tokens=_whole(values, "GATEWAY_MAX_TOKENS", default.max_tokens, 1, 100_000),
            timeout_seconds=_whole(values, "GATEWAY_TIMEOUT_SECONDS", int(default.timeout_seconds), 1, 300),
            cache=_mode(values.get("GATEWAY_CACHE", default.cache)),
        )


def _mode(text: str) -> str:
    if text not in CACHE_MODES:
        raise SettingsError(f"GATEWAY_CACHE={text[:20]!r}: use {', '.join(CACHE_MODES)}")
    return text


def _whole(values: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = values.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise SettingsError(f"{name}={text[:20]!r}: use a whole number from {least} to {most}")
    return int(text)
