"""Discord's REST as two senders: a webhook (no account needed) and a bot in a channel (posts exactly once).

A webhook's address is a secret: it is never logged, and targets are named by its id alone.
Source: discord.com/developers/docs/resources/webhook and /message.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
import structlog

from catalyst.bot.cards import CHART
from catalyst.bot.embeds import faults
from catalyst.bot.pace import Pace, Urgency
from catalyst.bot.places import API, Webhook
from catalyst.bot.senders import (
    Delivery,
    Forbidden,
    Limited,
    MessageGone,
    Rejected,
    SendError,
    TargetGone,
    TokenRefused,
)
from catalyst.errors import TransportError
from catalyst.http import MEBIBYTE, Http, Response, retry_after

log = structlog.get_logger()

SECONDS = 5.0
"""For one request; a trader waits no longer to know that we try again."""
SUPPRESS_NOTIFICATIONS = 1 << 12
_EPOCH_MS = 1_420_070_400_000
_NONCE_MINUTES = timedelta(minutes=1)
"""Discord remembers a nonce for a few minutes; we trust one."""
_GONE_TARGET = {10003, 10015, 50027}
_CLOSED, _CLOSED_S = 50007, 600.0
"""Direct messages that are closed, and when to ask again: each refusal counts towards a ban of the whole address."""
_LONGEST = 3600.0


class _Wire:
    """Requests to Discord: what they may answer, as our errors; what the headers say goes to `pace`."""

    def __init__(self, http: Http, pace: Pace, headers: Mapping[str, str], seconds: float) -> None:
        self._seconds = seconds
        self._http = http
        self._pace = pace
        self._headers = dict(headers)

    async def send(
        self, method: str, url: str, urgency: Urgency, delivery: Delivery, fields: Mapping[str, Any]
    ) -> dict[str, Any]:
        """One request; the caller has waited for its turn and taken it. Raises SendError."""
        left = False

        async def leaving() -> None:
            nonlocal left
            left = True

        answer: Response | None = None
        try:
            body, kind = _body(delivery, fields)
            answer = await self._http.request(
                method,
                url,
                headers={**self._headers, "Content-Type": kind},
                body=body,
                timeout_seconds=self._seconds,
                max_bytes=MEBIBYTE,
                check=False,
                before_send=leaving,
            )
        except TransportError as error:
            if isinstance(error, SendError):
                raise
            raise SendError(f"Discord: {_without(str(error), url)}", doubtful=left) from None
        finally:
            if answer is None:
                self._pace.lost(urgency)
        self._pace.answered(urgency, answer.status, answer.headers)
        return self._judged(answer, urgency)

    async def ask(self, method: str, url: str, body: Any = None) -> Any:
        """A rare request outside the counted routes. Raises SendError."""
        headers = {**self._headers, "Content-Type": "application/json"} if body is not None else self._headers
        self._pace.globe.take()
        try:
            answer = await self._http.request(
                method,
                url,
                headers=headers,
                body=None if body is None else orjson.dumps(body),
                timeout_seconds=self._seconds,
                check=False,
            )
        except TransportError as error:
            raise SendError(f"Discord: {_without(str(error), url)}") from None
        if answer.status < 300:
            return _json(answer.body)
        raise _error(answer.status, _json(answer.body), answer.headers)

    def _judged(self, answer: Response, urgency: Urgency) -> dict[str, Any]:
        found = _json(answer.body)
        if answer.status in (200, 201) and isinstance(found, dict):
            return found
        error = _error(answer.status, found, answer.headers)
        if isinstance(error, Limited) and not _of_old_edits(found):
            self._pace.refused(urgency, error.after, bool(isinstance(found, dict) and found.get("global")))
        raise error


class WebhookSender:
    """Posts through a webhook. After a crash in the middle of a send the message may come twice: `exact` is False."""

    exact = False

    def __init__(self, webhook: Webhook, http: Http, pace: Pace, *, seconds: float = SECONDS) -> None:
        self._webhook = webhook
        self._pace = pace
        self._wire = _Wire(http, pace, {}, seconds)

    async def post(self, delivery: Delivery) -> str:
        url = self._url("", wait="true")
        return _id(await self._wire.send("POST", url, _urgency(delivery), delivery, _flags(delivery)))

    async def edit(self, message_id: str, delivery: Delivery) -> None:
        await self._wire.send("PATCH", self._url(f"/messages/{message_id}"), Urgency.EDIT, delivery, {})

    async def channel(self) -> str:
        """The id of the channel it posts to, with which it counts from now on."""
        found = await self._wire.ask("GET", self._webhook.url)
        name = str(found.get("channel_id", "")) if isinstance(found, dict) else ""
        if name and not self._webhook.thread:
            self._pace.share(f"channel:{name}")
        return name

    def _url(self, path: str, **query: str) -> str:
        named = {**query, **({"thread_id": self._webhook.thread} if self._webhook.thread else {})}
        return f"{self._webhook.url}{path}" + (f"?{urlencode(named)}" if named else "")


class BotSender:
    """Posts as the bot's own account: a nonce that Discord enforces makes a repeated post the same message."""

    exact = True

    def __init__(
        self,
        token: str,
        channel: str,
        http: Http,
        pace: Pace,
        *,
        api: str = API,
        user: str = "",
        seconds: float = SECONDS,
    ) -> None:
        """`channel` may be empty where `user` is whom to write to directly."""
        self._wire = _Wire(http, pace, {"Authorization": f"Bot {token}"}, seconds)
        self._pace = pace
        self._clock = http.clock
        self._api = api
        self._channel = channel
        self._user = user

    async def post(self, delivery: Delivery) -> str:
        try:
            channel = await self._opened()
            found = await self._find(channel, delivery)
        except SendError:
            self._pace.lost(_urgency(delivery))
            raise
        if found:
            self._pace.lost(_urgency(delivery))
            return found
        fields = {"nonce": delivery.nonce, "enforce_nonce": True, **_flags(delivery)}
        url = f"{self._api}/channels/{channel}/messages"
        return _id(await self._wire.send("POST", url, _urgency(delivery), delivery, fields))

    async def edit(self, message_id: str, delivery: Delivery) -> None:
        url = f"{self._api}/channels/{await self._opened()}/messages/{message_id}"
        await self._wire.send("PATCH", url, Urgency.EDIT, delivery, {})

    async def _opened(self) -> str:
        if not self._channel:
            found = await self._wire.ask("POST", f"{self._api}/users/@me/channels", {"recipient_id": self._user})
            self._channel = str(found["id"])
        return self._channel

    async def _find(self, channel: str, delivery: Delivery) -> str:
        """The message of an attempt too old for Discord's own memory of nonces: in the history, by nonce or footer."""
        tried = delivery.tried_at
        if tried is None or self._clock.now() - tried < _NONCE_MINUTES:
            return ""
        query = urlencode({"after": _snowflake(tried - timedelta(seconds=30)), "limit": 100})
        try:
            found = await self._wire.ask("GET", f"{self._api}/channels/{channel}/messages?{query}")
        except Forbidden:
            log.warning("discord.history_forbidden", channel=channel)
            return ""
        mine = [each for each in found if isinstance(each, dict) and _is_ours(each, delivery)]
        return _id(mine[0]) if mine else ""


def _is_ours(message: Mapping[str, Any], delivery: Delivery) -> bool:
    """By the nonce, which Discord need not repeat later, or by how our footer begins."""
    if str(message.get("nonce")) == delivery.nonce:
        return True
    embeds = message.get("embeds") or [{}]
    footer = str((embeds[0].get("footer") or {}).get("text", ""))
    author = message.get("author") or {}
    begins = delivery.embeds[0].footer.partition(" · ")[0]
    return bool(author.get("bot") and begins and footer.partition(" · ")[0] == begins)


def nonce(target: str, subject: str) -> str:
    """25 characters that are the same for the same message, and different for any other."""
    return hashlib.blake2s(f"{target}\n{subject}".encode(), digest_size=12).hexdigest()


def _urgency(delivery: Delivery) -> Urgency:
    return Urgency.HIGH if delivery.urgent else Urgency.LOW


def _flags(delivery: Delivery) -> dict[str, int]:
    """Of a new message only: an edit notifies nobody, and Discord refuses this flag there."""
    return {"flags": SUPPRESS_NOTIFICATIONS} if delivery.silent else {}


def _body(delivery: Delivery, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """The request's body and its type: JSON, or multipart where a chart goes along."""
    if wrong := faults(delivery.embeds):
        raise Rejected(f"the message was not sent, Discord would refuse it: {wrong[0]}")
    message: dict[str, Any] = {
        "embeds": [embed.wire() for embed in delivery.embeds],
        "allowed_mentions": {"parse": []},
        **fields,
    }
    if delivery.chart is None:
        return orjson.dumps(message), "application/json"
    message["attachments"] = [{"id": 0, "filename": CHART, "description": _alt(delivery)}]
    edge = secrets.token_hex(16).encode()
    head = b'--%b\r\nContent-Disposition: form-data; name="%b"\r\nContent-Type: %b\r\n\r\n%b\r\n'
    parts = head % (edge, b"payload_json", b"application/json", orjson.dumps(message))
    parts += head % (edge, b'files[0]"; filename="' + CHART.encode(), b"image/png", delivery.chart)
    return parts + b"--%b--\r\n" % edge, f"multipart/form-data; boundary={edge.decode()}"


def _alt(delivery: Delivery) -> str:
    """The chart for who cannot see it; Discord takes 1,024 characters."""
    price = next((field.value for embed in delivery.embeds for field in embed.fields if field.key == "price"), "")
    ticker = delivery.alerts[0].ticker[:20] if delivery.alerts else ""
    return f"Price chart of {ticker} on the day of the alert: {price}"[:1000]


def _error(status: int, found: Any, headers: Mapping[str, str]) -> SendError:
    said = found if isinstance(found, dict) else {}
    code = said.get("code") if isinstance(said.get("code"), int) else 0
    text = f"Discord answered {status}" + (f" ({code})" if code else "")
    if status == 429:
        return Limited(f"{text}: too many requests", status=status, after=_after(said, headers))
    if code == 10008:
        return MessageGone(f"{text}: the message was deleted", status=status)
    if status == 404 or code in _GONE_TARGET:
        return TargetGone(f"{text}: the webhook or the channel is gone; make a new one", status=status)
    if status == 401:
        return TokenRefused(f"{text}: the bot's token was reset; set the new one as DISCORD_TOKEN", status=status)
    if code == _CLOSED:
        return Forbidden(f"{text}: the user takes no direct messages", status=status, after=_CLOSED_S)
    if status == 403:
        return Forbidden(f"{text}: give the bot the right to write here", status=status, after=60.0)
    if 400 <= status < 500:
        return Rejected(f"{text}: {orjson.dumps(said.get('errors', ''))[:300].decode()}", status=status)
    return SendError(text, status=status, after=_after(said, headers) if retry_after(headers) else 0.0, doubtful=True)


def _after(said: Mapping[str, Any], headers: Mapping[str, str]) -> float:
    """The longer of what body and header say, within an hour; a second where neither says anything."""
    value = said.get("retry_after")
    waits = [float(value)] if isinstance(value, int | float) and math.isfinite(value) else []
    return min(_LONGEST, max([*waits, retry_after(headers), 0.0]) or 1.0)


def _of_old_edits(found: Any) -> bool:
    """The limit of edits to old messages: it says nothing of new ones."""
    return isinstance(found, dict) and found.get("code") == 30046


def _id(found: Mapping[str, Any]) -> str:
    ident = found.get("id")
    if not isinstance(ident, str) or not ident.isdigit():
        raise SendError("Discord accepted a message without telling its id", doubtful=True)
    return ident


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return None


def _snowflake(moment: datetime) -> str:
    return str(max(0, int(moment.timestamp() * 1000) - _EPOCH_MS) << 22)


def _without(text: str, url: str) -> str:
    """A webhook's path holds its secret."""
    return text.replace(url.partition("?")[0], "the webhook") if "/webhooks/" in url else text
