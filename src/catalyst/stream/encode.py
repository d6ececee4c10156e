"""An alert's body, encoded once: `{"type":…,"epoch":…,"ts_ns":…, …}` without `seq`, `prev` and `replay`.

`type` stands first so that the fan-out can replace it, and `ts_ns` early so that a reader finds it without parsing.
"""

from __future__ import annotations

from catalyst.stream.filters import plain_ticker
from catalyst.stream.types import Alert, AlertType, Record

_STAMPED = {"type", "epoch", "ts_ns"}


def rest(alert: Alert) -> bytes:
    """All fields but those stamped at append, as JSON after an opening brace."""
    # The encoder under `model_dump_json`: it skips one copy through str.
    encoded: bytes = alert.__pydantic_serializer__.to_json(alert, exclude=_STAMPED)
    return encoded[1:]


def opening(alert_type: AlertType, epoch: str) -> bytes:
    """The body up to `ts_ns`, which is followed by a comma and `rest`'s bytes."""
    return b'{"type":"%b","epoch":"%b","ts_ns":' % (alert_type.encode(), epoch.encode())


def head_length(record: Record) -> int:
    """How many bytes `{"type":"…",` takes at the start of the record's body."""
    return len(record.alert_type) + 11


def tickers(alert: Alert) -> tuple[str, ...]:
    """Every ticker of the alert, as filters compare them, each once."""
    if alert.ticker and alert.tickers == [alert.ticker]:
        return (plain_ticker(alert.ticker),)
    named = dict.fromkeys((alert.ticker, *alert.tickers))
    return tuple(dict.fromkeys([plain_ticker(name) for name in named if name]))
