"""What travels on the stream, defined once: `Alert` and its `Analysis`, field by field (spec section 5).

The web, the bot, the dashboard and the client library import these; nobody defines them again.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Label = Literal["bullish", "bearish", "neutral"]
Priority = Literal["high", "medium", "low", "none"]
Source = Literal["feed", "rules", "llm"]


class AlertType(StrEnum):
    """The `type` of a message that carries an alert."""

    FILING_ALERT = "filing_alert"
    FILING_UPDATE = "filing_update"
    HEADLINE_ALERT = "headline_alert"
    HEADLINE_UPDATE = "headline_update"


class Fact(BaseModel):
    """One number or term of a filing, with where it stands."""

    model_config = ConfigDict(frozen=True)

    name: str
    """`revenue`, `eps_diluted`, `offering_size`, …: snake_case, stable."""
    value: Decimal | str
    """In base units: dollars, shares, per cent as 12.5 for 12.5 %. JSON carries a Decimal as a string."""
    unit: str = ""
    """`USD`, `shares`, `USD/share`, `%`, or empty for a term."""
    period: str = ""
    """`2025-Q3`, `2025`, `2025-09-30`, or empty where there is none."""
    scope: Literal["current", "prior", "guidance", ""] = ""
    quote: str = ""
    """The sentence or row it came from, verbatim (at most 400 characters)."""
    verified: bool = False
    """True only when value and quote were found in the filing or its XBRL."""


class Analysis(BaseModel):
    """What a filing means, by the feed row alone, by rules, or by a model (then grounded)."""

    model_config = ConfigDict(frozen=True)

    sentiment: float | None = Field(default=None, ge=-1, le=1)
    """Null while `source` is `feed`."""
    label: Label = "neutral"
    confidence: float | None = Field(default=None, ge=0, le=1)
    keywords: list[str] = []
    event_types: list[str] = []
    summary: str = ""
    priority: Priority = "none"
    """Tier of `priority_score`: high from .8, medium from .6, low from .4."""
    priority_score: float = Field(default=0.0, ge=0, le=1)
    rules: list[str] = []
    """Which rules made the score and the events, in words, for `/why`."""
    facts: list[Fact] = []
    risks: list[str] = []
    grounded_share: float | None = Field(default=None, ge=0, le=1)
    """Verified numbers and quotes over all of them; null when there are none."""
    source: Source = "rules"
    model: str = ""
    cost_usd: Decimal = Decimal(0)


class Alert(BaseModel):
    """One message's body, flat as in spec section 5. `seq`, `prev` and `replay` are spliced in by the fan-out."""

    model_config = ConfigDict(frozen=True)

    type: AlertType = AlertType.FILING_ALERT
    epoch: str = ""
    """Of the log it was read from; filled in by the log."""
    filing_id: str
    """The accession number, 0000320193-24-000005."""
    ticker: str = ""
    """The only ticker, or the first of `tickers` in the SEC's own order; empty where there is none."""
    tickers: list[str] = []
    company: str = ""
    cik: str = ""
    """Ten digits."""
    filing_type: str = ""
    item_code: str = ""
    """The most urgent item, or empty."""
    items: list[str] = []
    timestamp: datetime
    """When this message was made (UTC)."""
    accepted_at: datetime | None = None
    """EDGAR's acceptance (the feed row's `updated`), with its offset."""
    seen_at: datetime | None = None
    """When the poll response that first showed it arrived (UTC)."""
    ts_ns: int = 0
    """POSIX nanoseconds at commit, by the machine's real clock; filled in by the log."""
    version: int = Field(default=1, ge=1)
    """1 for the alert, rising with each update."""
    final: bool = False
    """True when no update follows: exactly one message of each filing has it. Should EDGAR withdraw the filing later,
    one more update says so: tagged `withdrawn`, and final too (`restored`, should it come back)."""
    headline: str = ""
    analysis: Analysis = Analysis()
    url: str = ""
    tags: list[str] = []
    """`stand-in` or `synthesised` for recorded days, `amendment`, `withdrawn`, `restored`, `found-late`, `otc`, …"""
    amends: str = ""
    """Of an amendment: the accession that it amends, as far as known; empty otherwise."""

    @property
    def key(self) -> str:
        """The log's unique key: what, of which filing, which version."""
        kind = "alert" if self.type in (AlertType.FILING_ALERT, AlertType.HEADLINE_ALERT) else "update"
        return f"{self.filing_id}/{kind}/{self.version}"


class Scores(BaseModel):
    """How a headline was scored: by us at once, and by a model where one was asked. -1 is bad for holders, 1 good."""

    model_config = ConfigDict(frozen=True)

    value: float = Field(default=0.0, ge=-1, le=1)
    """By lexicon, directions and trained table."""
    rule: float = Field(default=0.0, ge=-1, le=1)
    """By lexicon and directions alone."""
    relevance: float = Field(default=0.0, ge=0, le=1)
    """Unsigned: how likely it says anything."""
    model: float | None = Field(default=None, ge=-1, le=1)
    """The model's; null where none was asked or none answered."""
    model_relevance: float | None = Field(default=None, ge=0, le=1)


class HeadlineAlert(Alert):
    """A headline's message: an `Alert` whose `filing_id` is the headline's id and whose `filing_type` is `NEWS`.

    `headline` is what is shown, `title` the wire's own words; `accepted_at` is when it was published.
    """

    type: AlertType = AlertType.HEADLINE_ALERT
    filing_type: str = "NEWS"
    headline_id: str
    title: str
    source: str = ""
    """The wire, in words."""
    sources: list[str] = []
    """Every wire that brought the same story, as far as known."""
    relevances: dict[str, float] = {}
    """How surely the headline is about each ticker, 0 to 1."""
    scores: Scores = Scores()


class Record(NamedTuple):
    """One alert as the log keeps it: the offset (`seq`), what filters need, and the body encoded once.

    A named tuple, because a frozen dataclass of eight fields takes three times as long to make.
    """

    offset: int
    alert_type: AlertType
    filing_id: str
    tickers: tuple[str, ...]
    filing_type: str
    """Upper case, like the tickers: what filters compare."""
    priority_score: float
    body: bytes
    """JSON object of the alert without `seq`, `prev`, `replay`; starts with `{"type":"…",`."""
    earlier: tuple[tuple[tuple[str, ...], float], ...] = ()
    """(tickers, priority_score) of the filing's earlier messages: whoever matched one of them has the alert."""
