"""Bytes on the socket: a record's body with its per-filter header spliced in, and a WebSocket frame around it. Pure.

Nothing is encoded twice: the body was encoded when the log took it, the frame is made once per distinct filter.
"""

from __future__ import annotations

import struct
from typing import Any

import orjson

from catalyst.stream.encode import head_length
from catalyst.stream.types import AlertType, Record

_AS_ALERT = {
    AlertType.FILING_UPDATE: AlertType.FILING_ALERT,
    AlertType.HEADLINE_UPDATE: AlertType.HEADLINE_ALERT,
}


def message(record: Record, prev: int, *, replay: bool, news: bool) -> bytes:
    """The flat message: `news` turns an update into an alert, for whom no earlier message of the filing matched."""
    shown = _AS_ALERT.get(record.alert_type, record.alert_type) if news else record.alert_type
    head = b'{"type":"%b","seq":%d,"prev":%d,"replay":%b,' % (
        shown.encode(),
        record.offset,
        prev,
        b"true" if replay else b"false",
    )
    return head + record.body[head_length(record) :]


def item(record: Record) -> bytes:
    """The message as REST shows it: with `seq`, without what only a stream has."""
    return b'{"type":"%b","seq":%d,' % (record.alert_type.encode(), record.offset) + record.body[head_length(record) :]


def text_frame(payload: bytes) -> bytes:
    """An unfragmented, unmasked text frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + payload
    if size < 65536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def control(kind: str, **fields: Any) -> bytes:
    """A frame with one of the protocol's own messages: `connected`, `subscribed`, `caught_up`, `heartbeat`."""
    return text_frame(orjson.dumps({"type": kind, **fields}))


PONG = text_frame(b"pong")
