"""Read what else EDGAR publishes of the same filings: daily index, full-text search, structured RSS. Pure, bounded.

Each gives rows like the feed's (`FeedEntry`), so that the ledger compares like with like. Roles are known to the RSS
alone, times to it alone too: elsewhere a row's acceptance is its filing date's midnight, New York.
Source: https://www.sec.gov/search-filings/edgar-search-assistance/accessing-edgar-data
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import orjson

from catalyst.clock import NEW_YORK
from catalyst.errors import ParseError
from catalyst.filings.feed import MAX_NAME
from catalyst.filings.types import FeedEntry, Party, Sighting

MAX_LINES = 200_000
"""Of a daily index; a real one has about 6,000."""

MAX_ITEMS = 1000
MAX_HITS = 1000
MAX_CIKS = 50

_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
_FILE = re.compile(r"edgar/data/\d{1,10}/(\d{10}-\d{2}-\d{6})\.txt")
_MASTER = re.compile(r"master\.(\d{8})\.idx")
_ITEM = re.compile(r"\d{1,2}\.\d\d")
_TICKERS = re.compile(r"[A-Z0-9., -]{1,300}")
_ROLE = re.compile(r"\(([A-Za-z ]{1,40})\)\s*$")
_LINK = "https://www.sec.gov/Archives/edgar/data"


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one answer, and how many made no sense. `total`: hits of the whole search, else the rows."""

    entries: tuple[FeedEntry, ...]
    skipped: int
    total: int


def parse_daily(body: bytes) -> Found:
    """The rows of a `master.YYYYMMDD.idx`. Raises ParseError when it is none."""
    head, found, rest = body.partition(b"CIK|Company Name|Form Type|Date Filed|File")
    if not found or len(head) > 4096:
        raise ParseError("the daily index has no header line: EDGAR changed its form, or sent an error page")
    lines = rest.split(b"\n", MAX_LINES + 2)[1 : MAX_LINES + 2]
    rows = [line for line in lines if b"|" in line]
    return _found(_daily(line) for line in rows)


def _daily(line: bytes) -> Iterable[FeedEntry] | None:
    cells = line[:1000].decode("iso-8859-1").strip().split("|")
    if len(cells) != 5:
        return None
    cik, name, form, filed, file = cells
    accession, day = _FILE.fullmatch(file), _day(filed)
    if accession is None or day is None or not cik.isdecimal() or not form:
        return None
    return [_row("index", accession[1], form, day, Party("", cik.zfill(10)[:10], _name(name)))]


def daily_names(body: bytes) -> dict[date, str]:
    """The master indexes that a folder's `index.json` lists, by day. Raises ParseError.

    What is not listed is not asked for: EDGAR's archive answers 403 for a file that does not exist.
    """
    names = (item.get("name") for item in _dicts(_object(body, "directory").get("item")))
    matches = (_MASTER.fullmatch(name) for name in names if isinstance(name, str))
    days = ((_day(match[1]), match[0]) for match in matches if match)
    return {day: name for day, name in days if day is not None}


def parse_search(body: bytes) -> Found:
    """The filings among the hits of full-text search, each once. Raises ParseError."""
    hits = _object(body, "hits")
    sources = [hit.get("_source") for hit in _dicts(hits.get("hits"))][:MAX_HITS]
    total = hits.get("total")
    count = total.get("value") if isinstance(total, dict) else total
    found = _found(_hit(source) for source in sources)
    known = count if isinstance(count, int) and 0 <= count <= 10**9 else len(sources)
    return Found(tuple(dict.fromkeys(found.entries)), found.skipped, known)


def _hit(source: object) -> list[FeedEntry] | None:
    if not isinstance(source, dict):
        return None
    accession, form, day = source.get("adsh"), source.get("form"), _day(source.get("file_date"))
    if not isinstance(accession, str) or not _ACCESSION.fullmatch(accession):
        return None
    ciks = [cik for cik in _texts(source.get("ciks")) if cik.isdecimal() and len(cik) <= 10][:MAX_CIKS]
    if not isinstance(form, str) or not form or day is None or not ciks:
        return None
    names = _texts(source.get("display_names"))
    items = tuple(item for item in _texts(source.get("items")) if _ITEM.fullmatch(item))
    return [
        _row("search", accession, form, day, Party("", cik.zfill(10), _shown(name)), items)
        for cik, name in itertools.zip_longest(ciks, names[: len(ciks)], fillvalue="")
    ]


def parse_rss(body: bytes) -> Found:
    """The filings of the structured-data RSS. Raises ParseError when it is none."""
    start = body.find(b"<rss", 0, 4096)
    if start < 0:
        raise ParseError("the structured RSS is none: EDGAR changed its form, or sent an error page")
    return _found(_item(item) for item in itertools.islice(_items(body, start), MAX_ITEMS))


def _items(body: bytes, start: int) -> Iterator[str]:
    while (start := body.find(b"<item>", start)) >= 0:
        end = body.find(b"</item>", start)
        if end < 0:
            return
        # The files that follow are most of an item, and none of our business.
        files = body.find(b"<edgar:xbrlFiles", start, end)
        yield body[start : files if files >= 0 else end][:16_384].decode("cp1252", "replace")
        start = end


def _item(item: str) -> list[FeedEntry] | None:
    accession, form, cik = _tag(item, "accessionNumber"), _tag(item, "formType"), _tag(item, "cikNumber")
    accepted, filed = _moment(_tag(item, "acceptanceDatetime")), _american(_tag(item, "filingDate"))
    if not _ACCESSION.fullmatch(accession) or not form or not cik.isdecimal() or len(cik) > 10 or accepted is None:
        return None
    role = _ROLE.search(_inside(item, "title"))
    party = Party(role[1].strip().lower() if role else "", cik.zfill(10), _name(_tag(item, "companyName")))
    return [FeedEntry(accession, form[:40], party, accepted, filed, url=_page(cik, accession), source="rss")]


def _tag(item: str, name: str) -> str:
    return _inside(item, f"edgar:{name}")


def _inside(item: str, name: str) -> str:
    start = item.find(f"<{name}>") + len(name) + 2
    end = item.find("<", start)
    return html.unescape(item[start:end]).strip() if start > len(name) + 1 and 0 < end - start <= 1000 else ""


def _row(
    source: Sighting, accession: str, form: str, filed: date, party: Party, items: tuple[str, ...] = ()
) -> FeedEntry:
    midnight = datetime.combine(filed, time(), NEW_YORK)
    url = _page(party.cik, accession)
    return FeedEntry(accession, form.strip()[:40], party, midnight, filed, items, url, source=source)


def _page(cik: str, accession: str) -> str:
    return f"{_LINK}/{int(cik)}/{accession.replace('-', '')}/{accession}-index.htm"


def _found(rows: Iterable[Iterable[FeedEntry] | None]) -> Found:
    entries: list[FeedEntry] = []
    skipped = 0
    for row in rows:
        if row is None:
            skipped += 1
        else:
            entries += row
    return Found(tuple(entries), skipped, len(entries))


def _object(body: bytes, name: str) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except ValueError as error:
        raise ParseError(f"EDGAR's answer is no JSON ({str(error)[:80]}): it is asked again later") from error
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise ParseError(f"EDGAR's answer has no {name!r}: it changed its form")
    return found


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)][:200] if isinstance(value, list) else []


def _shown(name: str) -> str:
    """`Elm Co  (ELM, ELMW)  (CIK 0000000001)` without what stands in brackets behind the name."""
    bare = name[:1000].partition("(CIK ")[0].strip()
    before, bracket, tickers = bare.rpartition("(")
    return _name(before if bracket and _TICKERS.fullmatch(tickers.removesuffix(")")) else bare)


def _name(text: str) -> str:
    return " ".join(text.split())[:MAX_NAME]


def _day(text: object) -> date | None:
    digits = text.replace("-", "") if isinstance(text, str) else ""
    return _parsed(digits, "%Y%m%d") if len(digits) == 8 and digits.isdecimal() else None


def _american(text: str) -> date | None:
    return _parsed(text, "%m/%d/%Y")


def _parsed(text: str, form: str) -> date | None:
    try:
        day = datetime.strptime(text, form).date()
    except ValueError:
        return None
    return day if 1990 <= day.year < 2200 else None


def _moment(text: str) -> datetime | None:
    day = _day(text[:8])
    try:
        clock = time(int(text[8:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None
    return datetime.combine(day, clock, NEW_YORK) if day is not None and len(text) == 14 else None


__all__ = ["Found", "daily_names", "parse_daily", "parse_rss", "parse_search"]
