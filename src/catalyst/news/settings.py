"""What an operator can set about headlines: one frozen class, read from the environment by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from catalyst.errors import SettingsError

MAX_FEEDS = 200
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class NewsSettings:
    """Where headlines come from and which of them a model sees."""

    feeds: tuple[str, ...] = ()
    """RSS or Atom addresses, or files of JSON lines."""
    use_model: bool = True
    """FEATURE_LLM_CLASSIFIER: off means that rules judge alone."""
    min_relevance: float = 0.20
    batch_size: int = 5
    batch_delay: float = 2.0
    """Seconds between two batches; high-priority headlines don't wait."""
    poll_seconds: float = 30.0
    """Between two polls of a feed that answers."""
    age_seconds: float = 1800.0
    """Older headlines are not told."""

    @classmethod
    def from_env(cls, values: Mapping[str, str]) -> NewsSettings:
        """Read the room's names. Raises SettingsError for a value that makes no sense."""
        return cls(
            feeds=_feeds(values.get("NEWS_FEEDS", "")),
            use_model=_flag(values.get("FEATURE_LLM_CLASSIFIER", "1")),
            min_relevance=_number(values, "MISTRAL_MIN_PRESCALE", 0.20, 0.0, 1.0),
            batch_size=int(_number(values, "MISTRAL_BATCH_SIZE", 5, 1, 100)),
            batch_delay=_number(values, "MISTRAL_BATCH_DELAY", 2.0, 0.0, 300.0),
            poll_seconds=_number(values, "NEWS_POLL_INTERVAL", 30.0, 0.2, 3600.0),
        )


def _feeds(text: str) -> tuple[str, ...]:
    feeds = tuple(dict.fromkeys(part.strip() for part in text.replace("\n", ",").split(",") if part.strip()))
    if len(feeds) > MAX_FEEDS:
        raise SettingsError(f"NEWS_FEEDS names {len(feeds)} feeds, more than {MAX_FEEDS}: leave some out")
    for number, feed in enumerate(feeds, 1):
        _check(feed, number)
    return feeds


def _check(feed: str, number: int) -> None:
    """By its number: an address may hold a key, which must not stand in an error."""
    try:
        parts = urlsplit(feed)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if "://" not in feed and feed.endswith((".jsonl", ".ndjson")):
        return
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(f"NEWS_FEEDS: feed {number} is no http(s) address and no .jsonl file: correct it")


def _flag(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise SettingsError(f"FEATURE_LLM_CLASSIFIER={text!r} is neither on (1) nor off (0)")
    return word in _TRUE


def _number(values: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = values.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise SettingsError(f"{name}={text!r}: use a number from {least:g} to {most:g}")
    return number
