"""Read a page of EDGAR's `getcurrent` Atom feed: bytes in, rows out. Pure, tolerant, and bounded.

A row that makes no sense is skipped and counted; only bytes that are no feed at all raise. Fields are found by
regular expressions because a page is read every second or two and a full XML parse buys nothing here; none of them
looks beyond the tag that it began in, so that no page takes long.
Source: https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent&output=atom
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import date, datetime

from catalyst.clock import NEW_YORK
from catalyst.errors import ParseError
from catalyst.filings.types import FeedEntry, Party

MAX_ROWS = 1000
"""EDGAR sends at most 100 rows a page; what stands beyond this many is not read."""

MAX_ROW = 32_768
"""Bytes of a row; EDGAR's have about a thousand."""

MAX_NAME = 300
"""Characters kept of a company's name."""

_YEARS = range(1990, 2200)
"""Of an acceptance: EDGAR began in 1993, and a calendar's ends have no time in every zone."""

_HEAD = 4096
_TITLE = re.compile(rb"<title[^<>]*>([^<]*)</title>")
_LINK = re.compile(rb'<link\b[^<>]*?\bhref="([^"<>]{1,300})"')
_UPDATED = re.compile(rb"<updated>\s*([0-9T:.+Z-]{10,40})\s*</updated>")
_FORM = re.compile(rb'<category\b[^<>]*?\bterm="([^"<>]{1,40})"')
_ACCESSION = re.compile(rb"\b(\d{10}-\d{2}-\d{6})\b")
_ID = re.compile(rb"accession-number=(\d{10}-\d{2}-\d{6})\b")
_FILED = re.compile(rb"Filed:[^0-9]{0,24}(\d{4}-\d\d-\d\d)")
_SIZE = re.compile(rb"Size:(?:\s|&lt;/b&gt;|</b>)*([0-9][^&<\r\n]{0,20})")
_ITEM = re.compile(rb"\bItem\s+(\d{1,2}\.\d\d)\b")
_UTF8 = re.compile(rb"""^[^>]{0,60}encoding=["']utf-?8["']""", re.IGNORECASE)
_NAMED = re.compile(r"(?P<name>.*)\((?P<cik>\d{1,10})\)\s*\((?P<role>[^()]{1,40})\)\s*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page: its rows in the page's order (newest first), and what it says about itself."""

    entries: tuple[FeedEntry, ...]
    updated: datetime | None
    """The page's own time, with its offset; None where it has none."""
    skipped: int
    """Rows that made no sense."""
    complete: bool
    """False when the page ends before its closing tag: more rows may have been meant."""


def parse_feed(body: bytes, known: MutableMapping[bytes, FeedEntry] | None = None) -> FeedPage:
    """The rows of one page. Raises ParseError when the bytes are no Atom feed.

    `known` remembers rows from page to page, since most are the same again; its owner bounds it.
    """
    start = body.find(b"<feed", 0, _HEAD)
    if start < 0:
        raise ParseError("the answer is no Atom feed: check EDGAR's state page, or the base URL of the source")
    encoding = "utf-8" if _UTF8.match(body[:120]) else "iso-8859-1"
    entries: list[FeedEntry] = []
    skipped = 0
    for row in itertools.islice(_rows(body, start), MAX_ROWS):
        entry = known.get(row) if known is not None else None
        entry = entry or (_row(row, encoding) if len(row) <= MAX_ROW else None)
        if entry is None:
            skipped += 1
        else:
            entries.append(entry)
            if known is not None:
                known[row] = entry
    first = body.find(b"<entry", start)
    updated = _UPDATED.search(body, start, first if first > 0 else len(body))
    return FeedPage(tuple(entries), _time(updated), skipped, b"</feed>" in body[-64:])


def _rows(body: bytes, start: int) -> Iterator[bytes]:
    while (start := body.find(b"<entry", start)) >= 0:
        end = body.find(b"</entry>", start)
        if end < 0:
            return
        yield body[start:end]
        start = end


def _row(row: bytes, encoding: str) -> FeedEntry | None:
    accession = _ID.search(row) or _ACCESSION.search(row)
    accepted = _time(_UPDATED.search(row))
    title = _TITLE.search(row)
    if accession is None or accepted is None or accepted.year not in _YEARS or title is None:
        return None
    shown = html.unescape(_text(title.group(1), encoding)).strip()
    form = _form(row, shown, encoding)
    named = _NAMED.match(shown.removeprefix(f"{form} - ") if form else shown)
    if named is None or not form:
        return None
    link = _LINK.search(row)
    size = _SIZE.search(row)
    return FeedEntry(
        accession=accession.group(1).decode("ascii"),
        form=form,
        party=Party(named["role"].strip().lower(), named["cik"].zfill(10), _name(named["name"])),
        accepted=accepted,
        filed=_day(_FILED.search(row)),
        items=_items(row),
        url=_address(link, encoding),
        size=_text(size.group(1), encoding).strip() if size else "",
    )


def _form(row: bytes, title: str, encoding: str) -> str:
    term = _FORM.search(row)
    if term is not None:
        return html.unescape(_text(term.group(1), encoding)).strip()
    form, dash, _ = title.partition(" - ")
    return form.strip()[:40] if dash else ""


def _items(row: bytes) -> tuple[str, ...]:
    if b"Item" not in row:
        return ()
    return tuple(dict.fromkeys(code.decode("ascii") for code in _ITEM.findall(row)))


def _name(shown: str) -> str:
    return " ".join(shown.split())[:MAX_NAME]


def _address(link: re.Match[bytes] | None, encoding: str) -> str:
    address = html.unescape(_text(link.group(1), encoding)) if link else ""
    return address if address.startswith(("https://", "http://")) else ""


def _text(raw: bytes, encoding: str) -> str:
    return raw.decode(encoding, "replace")


def _time(match: re.Match[bytes] | None) -> datetime | None:
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(match.group(1).decode("ascii"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=NEW_YORK)


def _day(match: re.Match[bytes] | None) -> date | None:
    if match is None:
        return None
    try:
        return date.fromisoformat(match.group(1).decode("ascii"))
    except ValueError:
        return None


__all__ = ["MAX_NAME", "MAX_ROWS", "FeedPage", "parse_feed"]
