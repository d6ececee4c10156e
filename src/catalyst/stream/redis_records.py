"""How a record lies in the Redis stream: to the append script's arguments, and back from an entry. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from catalyst.stream.draft import Draft
from catalyst.stream.journal import Entry
from catalyst.stream.types import AlertType, Record


def arguments(draft: Draft) -> Iterator[str | bytes]:
    """The eight that `redis_scripts.APPEND` wants of a message."""
    score, tickers = orjson.dumps(draft.score), orjson.dumps(draft.tickers)
    told = orjson.dumps([draft.key, draft.type.value, draft.filing_id, draft.form, draft.score, draft.tickers])
    yield draft.key
    yield draft.type.value
    yield draft.filing_id
    yield score
    yield tickers
    yield told[:-1]
    yield draft.tail
    yield "0" if draft.is_first else "1"


def entries(raw: Iterable[Any]) -> list[Entry]:
    """What XRANGE, XREAD or a script gave."""
    found = []
    for number, fields in raw:
        values = list(fields.values()) if isinstance(fields, dict) else fields[1::2]
        found.append(Entry(int(bytes(number).partition(b"-")[0]), *values))
    return found


def record_of(entry: Entry, epoch: str) -> Record:
    """The record; a body that was stored in an earlier epoch says the present one, in which it is read."""
    _, kind, filing_id, form, score, tickers, earlier = orjson.loads(entry.m)
    past = tuple((tuple(names), value) for names, value in earlier)
    body = _stamped(entry.body, kind, epoch.encode())
    return Record(entry.offset, AlertType(kind), filing_id, tuple(tickers), form, score, body, past)


def epoch_of(entry: Entry) -> str:
    """The epoch in which it was stored."""
    return entry.body.split(b'"epoch":"', 1)[1].split(b'"', 1)[0].decode()


def _stamped(body: bytes, kind: str, epoch: bytes) -> bytes:
    start = len(kind) + 20  # {"type":"…","epoch":"
    end = body.index(b'"', start)
    return body if body[start:end] == epoch else body[:start] + epoch + body[end:]
