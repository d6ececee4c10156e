"""Sending an answer, whole or with the faults that hit it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

from aiohttp import web

from catalyst.clock import Clock
from catalyst.emulator.answers import NOT_FOUND, THRESHOLD, UNAVAILABLE, Answer
from catalyst.emulator.faults import Fault, bomb, garbage
from catalyst.emulator.library import Span

_CHUNK = 1 << 16
_DRIPS = 4
"""Pieces a second while an answer drips."""


async def send(request: web.Request, answer: Answer, faults: Sequence[Fault], clock: Clock) -> web.StreamResponse:
    """Send an answer; returns what aiohttp is to finish."""
    for fault in faults:
        if fault.kind == "slow":
            await clock.sleep(fault.seconds)
        elif fault.kind == "down" and fault.status is None:
            return _reset(request)
        else:
            answer = _changed(answer, fault)
    wound = next((fault for fault in faults if fault.kind == "bomb"), None)
    if wound is not None:
        return await _stream(request, answer, bomb(wound.size), {"Content-Encoding": "gzip"}, None)
    odd = [fault for fault in faults if fault.kind == "truncated" or fault.bytes_per_second is not None]
    if not odd and (request.method == "HEAD" or all(isinstance(part, bytes) for part in answer.parts)):
        return _whole(request, answer)
    pieces = _dripping(answer, odd, clock) if odd else None
    return await _stream(request, answer, pieces or _chunks(answer), {}, answer.length, cut=_cut(answer, odd))


def _changed(answer: Answer, fault: Fault) -> Answer:
    if fault.kind == "down":
        return replace(UNAVAILABLE, status=fault.status or 503)
    if fault.kind == "refused":
        return replace(THRESHOLD, status=fault.status or 403)
    if fault.kind == "missing":
        return NOT_FOUND
    if fault.kind == "garbage":
        return replace(answer, parts=(garbage(answer.length),))
    if fault.kind == "encoding":
        return replace(answer, parts=(answer.read().decode("iso-8859-1").encode("utf-16"),))
    return answer


def _whole(request: web.Request, answer: Answer) -> web.Response:
    headers = {**answer.headers, "Content-Type": answer.content_type}
    if request.method == "HEAD":
        return web.Response(status=answer.status, headers={**headers, "Content-Length": str(answer.length)})
    return web.Response(status=answer.status, headers=headers, body=answer.read())


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _cut(answer: Answer, faults: Sequence[Fault]) -> int | None:
    cuts = [fault.after_bytes for fault in faults if fault.kind == "truncated"]
    return next((answer.length // 2 if cut is None else cut for cut in cuts), None)


def _chunks(answer: Answer, size: int = _CHUNK) -> Iterator[bytes]:
    for part in answer.parts:
        for place in range(0, len(part), size):
            if isinstance(part, Span):
                yield Span(part.path, part.start + place, min(part.start + place + size, part.end)).read()
            else:
                yield part[place : place + size]


async def _dripping(answer: Answer, faults: Sequence[Fault], clock: Clock) -> AsyncIterator[bytes]:
    pace = next((fault.bytes_per_second for fault in faults if fault.bytes_per_second), None)
    for chunk in _chunks(answer, max(1, int(pace / _DRIPS)) if pace else _CHUNK):
        yield chunk
        if pace:
            await clock.sleep(len(chunk) / pace)


async def _stream(
    request: web.Request,
    answer: Answer,
    pieces: Iterator[bytes] | AsyncIterator[bytes],
    headers: dict[str, str],
    length: int | None,
    *,
    cut: int | None = None,
) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.status, headers={**answer.headers, **headers, "Content-Type": answer.content_type}
    )
    response.content_length = length
    # A reader may leave as soon as it has what it wants; that is its right, not an error of ours.
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await response.prepare(request)
        sent = 0
        async for piece in _each(pieces):
            if cut is not None and sent + len(piece) >= cut:
                await response.write(piece[: cut - sent])
                await _break(request)
                return response
            await response.write(piece)
            sent += len(piece)
        await response.write_eof()
    return response


async def _each(pieces: Iterator[bytes] | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(pieces, AsyncIterator):
        async for piece in pieces:
            yield piece
        return
    for piece in pieces:
        yield piece


async def _break(request: web.Request) -> None:
    """Close after what was written has gone out, before the promised length."""
    if request.transport is not None:
        request.transport.close()
