"""One provider's line: POST a dict, get a dict or a stream of them, every failure a `ProviderError`.

The dialects (`openai_compatible`, `anthropic`, `gemini`) stand on this and hold formats only. Read `http.py` first.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import orjson
from yarl import URL

from catalyst.errors import LLMServerError, SettingsError, TransportError
from catalyst.http import MEBIBYTE, BeforeSend, Http, Stream
from catalyst.llm.providers.faults import Faults
from catalyst.llm.providers.rows import ProviderRow
from catalyst.llm.providers.sse import EventParser

MOST_BYTES = 32 * MEBIBYTE
"""Of one answer: a batch of embeddings is the longest that is honest."""
_DRAIN_SECONDS = 0.1
_PING_SECONDS = 10.0


class Wire:
    """Sends bodies to one address under one key. Neither key nor headers are ever shown."""

    def __init__(self, row: ProviderRow, http: Http, base: URL, headers: Mapping[str, str], key: str) -> None:
        self.name = row.name
        self.faults = Faults(row.name, key)
        self._http = http
        self._base = base
        self._headers = {"Content-Type": "application/json", **headers}

    def __repr__(self) -> str:
        return f"<{self.name} at {self._base.host}>"

    def url(self, path: str, query: Mapping[str, str] | None = None) -> URL:
        """An endpoint under the base; dialects make theirs once."""
        url = self._base.joinpath(*path.strip("/").split("/"))
        return url.with_query(query) if query else url

    async def post(
        self,
        url: URL,
        body: dict[str, Any],
        model: str,
        timeout_seconds: float,
        before_send: BeforeSend | None = None,
    ) -> dict[str, Any]:
        """The answer's JSON object.

        Raises:
            ProviderError: whatever went wrong.
        """
        try:
            answer = await self._http.request(
                "POST",
                url,
                headers=self._headers,
                body=orjson.dumps(body),
                timeout_seconds=timeout_seconds,
                max_bytes=MOST_BYTES,
                check=False,
                before_send=before_send,
            )
        except TransportError as error:
            raise self.faults.from_transport(error, model) from error
        return self._object(answer.status, answer.headers, answer.body, model)

    async def ping(self) -> None:
        """Ask for the list of models.

        Raises:
            ProviderError: the address does not answer, or does not take the key.
        """
        try:
            answer = await self._http.request(
                "GET",
                self.url("models"),
                headers=self._headers,
                timeout_seconds=_PING_SECONDS,
                max_bytes=MOST_BYTES,
                check=False,
            )
        except TransportError as error:
            raise self.faults.from_transport(error, "") from error
        self._object(answer.status, answer.headers, answer.body, "")

    async def events(
        self,
        url: URL,
        body: dict[str, Any],
        model: str,
        timeout_seconds: float,
        ended: Callable[[], bool],
        before_send: BeforeSend | None = None,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The events' JSON objects up to `[DONE]` or the end; closing this closes the connection.

        A server that does not stream answers with one whole object, which is then the only event. Once `ended` says
        that the answer is complete, a connection that breaks or stalls does no harm.

        Raises:
            ProviderError: whatever went wrong, an error object in the stream included.
        """
        try:
            async with self._http.stream(
                "POST",
                url,
                headers=self._headers,
                body=orjson.dumps(body),
                timeout_seconds=timeout_seconds,
                max_bytes=MOST_BYTES,
                before_send=before_send,
            ) as answer:
                pieces = self._pieces(answer, model)
                async with contextlib.aclosing(pieces):
                    async for piece in pieces:
                        yield piece
        except TransportError as error:
            if ended():
                return
            raise self.faults.from_transport(error, model) from error

    async def _pieces(self, answer: Stream, model: str) -> AsyncGenerator[dict[str, Any], None]:
        if answer.status != 200 or "json" in answer.headers.get("Content-Type", ""):
            yield self._object(answer.status, answer.headers, await answer.read(), model)
            return
        parser = EventParser()
        async for chunk in answer.chunks():
            for data in self._fed(parser, chunk, model):
                event = None if data == b"[DONE]" else self._event(data, model)
                if event is not None:
                    yield event
                if event is None or event.get("type") == "message_stop":  # the last of OpenAI's and of Anthropic's
                    await answer.drain(_DRAIN_SECONDS)
                    return
        for data in parser.close():
            if data != b"[DONE]":
                with contextlib.suppress(orjson.JSONDecodeError):  # cut in the middle: the dialect sees no end
                    orjson.loads(data)
                    yield self._event(data, model)

    def _fed(self, parser: EventParser, chunk: bytes, model: str) -> list[bytes]:
        try:
            return parser.feed(chunk)
        except ValueError as error:
            raise self.faults.bad(str(error), model) from error

    def _event(self, data: bytes, model: str) -> dict[str, Any]:
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise self.faults.bad("an event that is no JSON", model) from error
        if not isinstance(event, dict):
            raise self.faults.bad("an event that is no JSON object", model)
        if event.get("error"):
            raise self.faults.from_answer(200, {}, event, model, self._http.clock.now())
        return event

    def _object(self, status: int, headers: Mapping[str, str], body: bytes, model: str) -> dict[str, Any]:
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            if status == 200:
                raise self.faults.bad("something that is no JSON", model) from error
            answer = None
        if isinstance(answer, list) and len(answer) == 1:
            answer = answer[0]  # Gemini wraps errors of a stream in a list
        if status == 200 and isinstance(answer, dict) and not answer.get("error"):
            return answer
        if status == 200 and not isinstance(answer, dict):
            raise self.faults.bad("JSON that is no object", model)
        body_read = answer if isinstance(answer, dict) else None
        raise self.faults.from_answer(status, headers, body_read, model, self._http.clock.now())

    def broke_off(self, delivered: int, model: str) -> LLMServerError:
        """The stream ended before the answer did."""
        said = f"{self.name} broke its stream off after {delivered} characters of text from {model}"
        error = self.faults.make(LLMServerError, said, model)
        assert isinstance(error, LLMServerError)
        return error


def checked_key(row: ProviderRow, key: str) -> str:
    """The key without the blanks that copying brings.

    Raises:
        SettingsError: it is missing, or holds what no HTTP header can.
    """
    key = key.strip()
    name = row.key_env[0] if row.key_env else "the key"
    if not key and row.needs_key:
        raise SettingsError(f"{row.name} has no key: set {name}")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SettingsError(f"{name} holds blanks or characters that no key has: copy it again")
    return key
