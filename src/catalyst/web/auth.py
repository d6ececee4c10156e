"""Who may use the service: API keys kept as hashes, compared in constant time, in a header and never in the URL."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from urllib.parse import urlsplit

import structlog
from fastapi import HTTPException, Request

from catalyst.clock import Clock, SystemClock
from catalyst.errors import SettingsError, StorageError
from catalyst.llm.service import OWN_TENANT
from catalyst.web.keybook import ApiKey, KeyBook, Scope, digest
from catalyst.web.settings import WebSettings, is_loopback

_GUESSABLE = 16
FOLLOW_SECONDS = 1.0
"""Between two looks at the book of keys: so long a revoked key may still work."""

REST_TENANT = "rest"
"""Who pays where no key is asked for and nobody is named."""

log = structlog.get_logger()


class Keys:
    """The keys that are accepted; none ever made means that everyone who can connect may read and write."""

    def __init__(self, keys: Iterable[ApiKey] = (), book: KeyBook | None = None, clock: Clock | None = None) -> None:
        self._fixed = tuple(keys)
        self._book = book
        self._clock = clock or SystemClock()
        self._version: tuple[int, int] | None = None
        self._known: dict[bytes, ApiKey] = {}
        self._listeners: list[Callable[[], None]] = []
        self.needed = bool(self._fixed)
        """Whether a key is asked for. Revoking the last one does not open the service."""
        self.refresh()

    @classmethod
    def of(cls, secrets: Iterable[str], book: KeyBook | None = None, clock: Clock | None = None) -> Keys:
        """Keys from the environment, each a tenant of its own, and those of the book."""
        return cls((_plain_key(secret) for secret in secrets), book, clock)

    def __len__(self) -> int:
        """How many keys are in use."""
        return len(self._known)

    def find(self, presented: str) -> ApiKey | None:
        """The key that was presented, or None.

        The place in the table is found by the secret's hash, which who guesses cannot steer; then compared in
        constant time.
        """
        wanted = digest(presented)
        key = self._known.get(wanted)
        return key if key is not None and hmac.compare_digest(key.digest, wanted) else None

    def refresh(self) -> None:
        """Read the book again where it changed. A book that cannot be read leaves what was known."""
        if self._book is not None:
            version = self._book.version()
            if version == self._version:
                return
            self._version = version
        kept = self._book.list() if self._book is not None else []
        self.needed = bool(self._fixed or kept)
        self._known = {key.digest: key for key in self._fixed}
        self._known |= {key.digest: key for key in kept if key.revoked_at is None}
        for listener in self._listeners:
            listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever keys came or went."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Follow the book until cancelled."""
        while True:
            await self._clock.sleep(FOLLOW_SECONDS)
            try:
                self.refresh()
            except StorageError as error:
                log.error("keys.unreadable", error=str(error))


def _plain_key(secret: str) -> ApiKey:
    found = digest(secret)
    return ApiKey(found, tenant=f"key-{found.hex()[:8]}", id=found.hex()[:8], name="CATALYST_API_KEYS")


def check_exposure(settings: WebSettings, keys: Keys) -> None:
    """Raises SettingsError where others could connect and no key, or one that can be guessed, is asked for."""
    if is_loopback(settings.host):
        return
    if any(len(key) < _GUESSABLE for key in settings.api_keys):
        raise SettingsError(
            f"a key in CATALYST_API_KEYS has fewer than {_GUESSABLE} characters, too few for {settings.host}:"
            " `openssl rand -hex 24` makes a good one"
        )
    if not keys.needed:
        raise SettingsError(
            f"{settings.host} is reachable from other machines and no API key is set:"
            " make one with `catalyst keys add NAME`, set CATALYST_API_KEYS, or bind 127.0.0.1"
        )


def presented(headers: Mapping[str, str]) -> str:
    """The key in `X-API-Key`, or in `Authorization: Bearer`; empty where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key", "") or (token.strip() if scheme.lower() == "bearer" else "")


def requires(keys: Keys, scope: Scope) -> Callable[[Request], Awaitable[None]]:
    """A FastAPI dependency: 401 without a known key, 403 where the key lacks `scope`.

    What is no mere reading may cost money or change something: it takes `write`, whatever else the route asks for.
    """

    async def check(request: Request) -> None:
        if not keys.needed:
            return
        key = keys.find(presented(request.headers))
        if key is None:
            raise HTTPException(401, "no valid API key: send one in the X-API-Key header")
        wanted = "write" if scope == "read" and request.method not in ("GET", "HEAD") else scope
        if wanted not in key.scopes:
            raise HTTPException(403, f"this API key lacks the right to {wanted}")
        request.state.key = key

    return check


def payer(request: Request, named: str = "") -> str:
    """The tenant that pays for what a request asks of models: the key's own, whatever the body names.

    Where no key is asked for, or the key has the right `admin`, the one that is `named`. Never that of our own
    pipelines, which no limit counts.
    """
    key: ApiKey | None = getattr(request.state, "key", None)
    named = "" if named == OWN_TENANT else named
    if key is None or (named and "admin" in key.scopes):
        return named or REST_TENANT
    return key.tenant if key.tenant != OWN_TENANT else REST_TENANT


def same_origin(headers: Mapping[str, str], allowed: Iterable[str]) -> bool:
    """Whether a browser's page may open a socket here: its own page, a configured origin, or no browser at all."""
    origin = headers.get("origin", "").lower()
    return not origin or origin in allowed or urlsplit(origin).netloc == headers.get("host", "").lower()
