"""What an operator can set about the watching of EDGAR: one frozen class, read from the environment by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from catalyst.errors import SettingsError
from catalyst.filings.watchlist import read_tickers

LIVE, LIVE_SEARCH = "https://www.sec.gov", "https://efts.sec.gov"

REQUESTS_PER_SECOND = 8
"""The SEC allows 10 over all of an operator's machines; https://www.sec.gov/about/webmaster-frequently-asked-questions"""


@dataclass(frozen=True, slots=True)
class FilingsSettings:
    """How EDGAR is watched."""

    user_agent: str = ""
    """Name and e-mail, as the SEC asks; empty: live EDGAR is not asked."""
    base_url: str = LIVE
    """Without a slash at its end."""
    search_url: str = LIVE_SEARCH
    """Of full-text search, which lives on a host of its own; where EDGAR_BASE_URL is another's, that one."""
    poll_seconds: float | None = None
    """Seconds between two polls; None adapts to New York's clock."""
    requests_per_second: int = REQUESTS_PER_SECOND
    """Most requests in any one second, over polls, fetches and walks back."""
    backfill_seconds: float = 900.0
    """On the first start ever, filings accepted longer ago than this are taken as known: no flood, no surprise bill."""
    workers: int = 8
    """Submissions fetched and parsed at once."""
    model_workers: int = 8
    """Filings read by the model at once."""
    watchlist: tuple[str, ...] = ()
    """Tickers that are alerted from the feed row, whatever the form."""
    min_score: float = 0.0
    """Only filings with at least this priority score are read by the model."""
    fetch_seconds: float = 30.0
    """Longest time for one submission."""

    @classmethod
    def from_env(cls, values: Mapping[str, str]) -> FilingsSettings:
        """Read the room's names. Raises SettingsError for a value that makes no sense."""
        return cls(
            user_agent=_agent(values.get("SEC_USER_AGENT", "")),
            base_url=_address("EDGAR_BASE_URL", values.get("EDGAR_BASE_URL", LIVE)),
            search_url=_address("EDGAR_SEARCH_URL", _search(values)),
            poll_seconds=_seconds(values.get("EDGAR_POLL_INTERVAL", "")),
            backfill_seconds=60 * _minutes(values.get("EDGAR_BACKFILL_MINUTES", "15")),
            watchlist=_tickers(values.get("WATCHLIST", "")),
        )


def _agent(text: str) -> str:
    if len(text) > 200 or not text.isprintable() or not text.isascii():
        raise SettingsError("SEC_USER_AGENT holds characters that no header may: use plain ASCII, at most 200")
    return text


def _search(values: Mapping[str, str]) -> str:
    base = values.get("EDGAR_BASE_URL", LIVE)
    return values.get("EDGAR_SEARCH_URL", LIVE_SEARCH if base.rstrip("/") == LIVE else base)


def _address(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            f"{name}={text!r} is no address: use {LIVE_SEARCH if 'SEARCH' in name else LIVE}, or an emulator's"
        )
    return text.rstrip("/")


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.2 <= seconds <= 3600:
        raise SettingsError(f"EDGAR_POLL_INTERVAL={text!r}: use seconds from 0.2 to 3600, or leave it empty")
    return seconds


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 <= minutes <= 10_080:
        raise SettingsError(f"EDGAR_BACKFILL_MINUTES={text!r}: use minutes from 0 to 10080 (a week)")
    return minutes


def _tickers(text: str) -> tuple[str, ...]:
    try:
        return read_tickers(text.replace(",", " ").split())
    except ValueError as error:
        raise SettingsError(f"WATCHLIST: {error}") from error
