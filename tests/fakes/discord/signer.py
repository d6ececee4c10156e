"""Discord's other half of interactions: it signs what it sends with its Ed25519 key."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_IDS = itertools.count(900)


class Signer:
    """One application's key pair."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    @property
    def public(self) -> str:
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def headers(self, body: bytes, now: float) -> dict[str, str]:
        stamp = str(int(now))
        signed = self._key.sign(stamp.encode() + body)
        return {"X-Signature-Ed25519": signed.hex(), "X-Signature-Timestamp": stamp, "Content-Type": "application/json"}


def ping() -> bytes:
    return orjson.dumps({"type": 1, "id": str(next(_IDS)), "application_id": "1", "token": "t", "version": 1})


def command(name: str, *, permissions: int = 0, channel: str = "8", user: str = "42", **options: Any) -> bytes:
    """An application command's call, in a guild's channel; without one where `channel` is empty."""
    given = [{"name": key, "type": 3, "value": value} for key, value in options.items()]
    who: dict[str, Any] = {"id": user, "username": "trader"}
    call: dict[str, Any] = {
        "type": 2,
        "id": str(next(_IDS)),
        "application_id": "100000000000000001",
        "token": "interaction-token",
        "version": 1,
        "data": {"id": "1", "name": name, "type": 1, "options": given},
        "channel_id": channel or "9",
    }
    if channel:
        call |= {"guild_id": "5", "member": {"user": who, "permissions": str(permissions), "roles": []}}
    else:
        call["user"] = who
    return orjson.dumps(call)
