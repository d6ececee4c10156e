"""A sink that is no Discord: every alert and update as signed JSON to an address of yours.

The receiver checks `X-Catalyst-Signature: v1=HEX`, HMAC-SHA256 over `TIMESTAMP.BODY` with the shared secret, and
refuses old timestamps. `Idempotency-Key` stays the same when a message is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import orjson

from catalyst.bot.senders import Delivery, Limited, Rejected, SendError, TargetGone
from catalyst.errors import TransportError
from catalyst.http import MEBIBYTE, Http, retry_after

SECONDS = 5.0


class JsonSender:
    """Posts to one address. The receiver may drop repeats by their key, so it counts as exact."""

    exact = True

    def __init__(self, url: str, secret: str, http: Http) -> None:
        self._url = url
        self._secret = secret.encode()
        self._http = http

    async def post(self, delivery: Delivery) -> str:
        await self._send("alert", delivery.nonce, delivery)
        return delivery.nonce

    async def edit(self, message_id: str, delivery: Delivery) -> None:
        await self._send("update", message_id, delivery)

    async def _send(self, event: str, ident: str, delivery: Delivery) -> None:
        alerts = [alert.model_dump(mode="json") for alert in delivery.alerts]
        body = orjson.dumps({"event": event, "id": ident, "done": delivery.done, "alerts": alerts})
        stamp = str(int(self._http.clock.now().timestamp()))
        versions = "-".join(str(alert.version) for alert in delivery.alerts[:1])
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{ident}-{event}-{versions}-{int(delivery.done)}",
            "X-Catalyst-Timestamp": stamp,
            "X-Catalyst-Signature": signature(self._secret, stamp, body),
        }
        try:
            answer = await self._http.request(
                "POST", self._url, headers=headers, body=body, timeout_seconds=SECONDS, max_bytes=MEBIBYTE, check=False
            )
        except TransportError as error:
            raise SendError(f"the webhook did not answer: {error}", doubtful=True) from None
        _judge(answer.status, answer.headers)


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """What the receiver computes, too, and compares in constant time."""
    return "v1=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _judge(status: int, headers: Any) -> None:
    if status < 300:
        return
    text = f"the webhook answered {status}"
    if status == 429:
        raise Limited(text, status=status, after=retry_after(headers) or 1.0)
    if status in (404, 410):
        raise TargetGone(f"{text}: correct ALERT_WEBHOOK_URL", status=status)
    if 400 <= status < 500 and status not in (401, 403, 408):
        raise Rejected(text, status=status)
    raise SendError(text, status=status, after=retry_after(headers), doubtful=True)
