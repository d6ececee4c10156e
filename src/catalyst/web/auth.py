"""Who may use the service: API keys kept as hashes, compared in constant time, in a header and never in the URL."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from catalyst.errors import SettingsError
from catalyst.web.settings import WebSettings, is_loopback

_GUESSABLE = 16

Scope = Literal["read", "write", "admin"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key: its SHA-256 (keys are random and long, so no slow hash is needed) and what it allows."""

    digest: bytes
    scopes: frozenset[Scope] = frozenset(("read", "write"))


class Keys:
    """The keys that are accepted; none means that everyone who can connect may read and write."""

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self._keys = tuple(keys)

    @classmethod
    def of(cls, secrets: Iterable[str]) -> Keys:
        return cls(ApiKey(_digest(secret)) for secret in secrets)

    @property
    def needed(self) -> bool:
        return bool(self._keys)

    def find(self, presented: str) -> ApiKey | None:
        """The key that was presented, or None. Compares with every key, so time tells nothing."""
        digest, found = _digest(presented), None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found


def check_exposure(settings: WebSettings) -> None:
    """Raises SettingsError where others could connect and no key, or one that can be guessed, is asked for."""
    if is_loopback(settings.host):
        return
    if any(len(key) < _GUESSABLE for key in settings.api_keys):
        raise SettingsError(
            f"a key in CATALYST_API_KEYS has fewer than {_GUESSABLE} characters, too few for {settings.host}:"
            " `openssl rand -hex 24` makes a good one"
        )
    if not settings.api_keys:
        raise SettingsError(
            f"{settings.host} is reachable from other machines and no API key is set:"
            " set CATALYST_API_KEYS, or bind 127.0.0.1"
        )


def presented(headers: Mapping[str, str]) -> str:
    """The key in `X-API-Key`, or in `Authorization: Bearer`; empty where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key", "") or (token.strip() if scheme.lower() == "bearer" else "")


def requires(keys: Keys, scope: Scope) -> Callable[[Request], Awaitable[None]]:
    """A FastAPI dependency: 401 without a known key, 403 where the key lacks `scope`."""

    async def check(request: Request) -> None:
        if not keys.needed:
            return
        key = keys.find(presented(request.headers))
        if key is None:
            raise HTTPException(401, "no valid API key: send one in the X-API-Key header")
        if scope not in key.scopes:
            raise HTTPException(403, f"this API key lacks the right to {scope}")

    return check


def same_origin(headers: Mapping[str, str], allowed: Iterable[str]) -> bool:
    """Whether a browser's page may open a socket here: its own page, a configured origin, or no browser at all."""
    origin = headers.get("origin", "").lower()
    return not origin or origin in allowed or urlsplit(origin).netloc == headers.get("host", "").lower()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
