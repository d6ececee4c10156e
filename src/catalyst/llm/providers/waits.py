"""How long a provider asks us to wait, in every form that one is known to use.

Seconds, fractions and HTTP dates (RFC 9110 section 10.2.3), `retry-after-ms` (Azure, OpenAI), `x-ratelimit-reset*`
(OpenAI's durations, OpenRouter's epoch), `anthropic-ratelimit-*-reset` (RFC 3339), google.rpc.RetryInfo in the body.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST = 86_400.0
"""Seconds; a longer wait is taken for this long."""
_EPOCH = 1e9
"""Larger numbers are moments since 1970 (above 1e12 in milliseconds), not spans."""
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def wait_asked(headers: Mapping[str, str], body: Mapping[str, Any] | None, now: datetime) -> float | None:
    """Seconds to wait, 0 to 86,400, or None where nothing readable is said.

    `headers` ignores case. Moments are compared with the answer's own Date, so that a wrong clock here does no harm.
    """
    here = _moment(headers.get("Date", "")) or now
    for said in _said(headers, body):
        seconds = _seconds(said, here)
        if seconds is not None:
            return min(max(seconds, 0.0), LONGEST)
    return None


def _said(headers: Mapping[str, str], body: Mapping[str, Any] | None) -> Iterator[str]:
    if "retry-after-ms" in headers:
        yield f"{headers['retry-after-ms'].strip()}ms"
    if "Retry-After" in headers:
        yield headers["Retry-After"]
    yield from _retry_info(body)
    yield from _resets(headers)


def _retry_info(body: Mapping[str, Any] | None) -> Iterator[str]:
    fault = body.get("error") if body else None
    if not isinstance(fault, Mapping):
        return
    details = fault.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, Mapping) and isinstance(detail.get("retryDelay"), str):
            yield detail["retryDelay"]
    metadata = fault.get("metadata")
    inner = metadata.get("headers") if isinstance(metadata, Mapping) else None
    if isinstance(inner, Mapping):  # OpenRouter passes the limit on in the body
        yield from (str(value) for name, value in inner.items() if str(name).lower() == "x-ratelimit-reset")


def _resets(headers: Mapping[str, str]) -> Iterator[str]:
    """The resets of spent windows; the plain `x-ratelimit-reset` counts where it does not say how much is left."""
    for name, value in headers.items():
        lower = name.lower()
        if "ratelimit" not in lower or "reset" not in lower:
            continue
        left = headers.get(lower.replace("reset", "remaining"))
        if left == "0" or (left is None and lower == "x-ratelimit-reset"):
            yield value


def _seconds(text: str, now: datetime) -> float | None:
    text = text.strip()[:64]
    try:
        number = float(text)
    except ValueError:
        number = _span(text)
    if math.isnan(number):
        moment = _moment(text)
        return (moment - now).total_seconds() if moment else None
    if number > _EPOCH and math.isfinite(number):
        number = (number / 1000 if number > 1e12 else number) - now.timestamp()
    return number


def _span(text: str) -> float:
    """`6m0s`, `20ms`, `34.07s`; NaN for anything else."""
    if not _PART.sub("", text) and text:
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return math.nan


def _moment(text: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text.replace("Z", "+00:00") if read is datetime.fromisoformat else text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
