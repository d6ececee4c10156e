"""The nouns of a filing's walk: FeedEntry -> Filing -> Submission (Documents) -> Parsed -> Analysis -> Alert."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from catalyst.stream.types import Fact

Sighting = Literal["feed", "rss", "search", "index"]
"""Where a filing was first seen: `getcurrent`, the structured RSS, full-text search, or the daily index."""

TIMED: frozenset[Sighting] = frozenset(("feed", "rss"))
"""Those that tell when EDGAR accepted it; the others tell the filing date."""


@dataclass(frozen=True, slots=True)
class Party:
    """Someone a filing is about or from, as the feed row or the SGML header names them."""

    role: str
    """Lower case: `filer`, `issuer`, `reporting`, `subject`, `filed by`, …; empty where the source does not say."""
    cik: str
    """Ten digits."""
    name: str


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One row of `getcurrent`: one accession under one of its parties."""

    accession: str
    """0000320193-24-000005."""
    form: str
    """As EDGAR writes it: `8-K`, `8-K/A`, `SCHEDULE 13D`."""
    party: Party
    accepted: datetime
    """The row's `updated`, with its offset (New York time)."""
    filed: date | None
    items: tuple[str, ...] = ()
    """8-K item codes from the row's summary: `2.02`, `9.01`."""
    url: str = ""
    """Of the `-index.htm` page."""
    size: str = ""
    """As shown, `24 MB`."""
    source: Sighting = "feed"


@dataclass(frozen=True, slots=True)
class Filing:
    """One accession: all its rows merged."""

    accession: str
    form: str
    parties: tuple[Party, ...]
    accepted: datetime
    filed: date | None
    items: tuple[str, ...]
    url: str
    seen_at: datetime
    """When the response that first showed it arrived (UTC)."""
    source: Sighting = "feed"
    timed: bool = True
    """Whether `accepted` is EDGAR's acceptance; else it is the filing date's midnight, until the text is read."""

    @property
    def subject(self) -> Party:
        """Whom it is about: the issuer or subject company before filers and reporting persons."""
        order = ("issuer", "subject", "filer")
        known = [party for role in order for party in self.parties if party.role == role]
        return (known or list(self.parties) or [Party("", "", "")])[0]

    @property
    def is_amendment(self) -> bool:
        return self.form.endswith("/A")


@dataclass(frozen=True, slots=True)
class Header:
    """What the SGML header says; empty values where it is silent."""

    accession: str = ""
    form: str = ""
    period: date | None = None
    filed: date | None = None
    accepted: datetime | None = None
    """New York time, aware."""
    items: tuple[str, ...] = ()
    """Item codes (header names are mapped to codes)."""
    parties: tuple[Party, ...] = ()
    raw: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a submission, as sent."""

    type: str
    """`8-K`, `EX-99.1`, …"""
    sequence: int
    filename: str
    description: str
    body: bytes
    """What stands between <TEXT> and </TEXT>, wrappers such as <XBRL> and <XML> removed; uuencoded binaries empty."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A full `.txt` submission. `problems` says in words what was missing or broken; empty when all was well."""

    header: Header
    documents: tuple[Document, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemText:
    """One 8-K item: its code and its text in the body."""

    code: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Exhibit:
    """An EX-99.x press release as plain text."""

    type: str
    filename: str
    text: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a form's parser found. `text` is the main document's plain text, tables as rows of ` | ` cells."""

    accession: str
    form: str
    family: Literal["eight_k", "periodic", "ownership", "offering", "stake", "generic"]
    text: str
    items: tuple[ItemText, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    facts: tuple[Fact, ...] = ()
    header: Header = field(default_factory=Header)
    problems: tuple[str, ...] = ()
