"""What else EDGAR publishes from the same rows: the daily index (from 22:00) and the structured-data RSS. Pure."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import date, datetime, time

import orjson

from catalyst.clock import NEW_YORK
from catalyst.emulator.answers import RSS, Answer
from catalyst.emulator.rows import Row, copy_of

INDEX_AT = time(22, 0)
"""New York: from when on a day's index is there."""

RSS_EVERY = 600
"""Seconds between two states of the structured RSS."""

RSS_LENGTH = 200
STRUCTURED = frozenset({"8-K", "10-Q", "10-K", "6-K", "20-F", "40-F", "S-1", "S-3", "S-4", "F-1", "485BPOS", "N-CSR"})
"""Forms that carry XBRL; the recorded feed itself does not say which filing does."""

_TITLES = {"master": "", "form": " by Form Type", "company": " by Company Name"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A row that is there, under the number it arrives with."""

    row: Row
    accession: str

    @property
    def folder(self) -> str:
        return f"https://www.sec.gov/Archives/edgar/data/{int(self.row.cik)}/{self.accession.replace('-', '')}"


def listed(rows: Iterable[tuple[Row, int]], gone: Set[str]) -> Iterator[Listed]:
    """The rows with their numbers, those of withdrawn accessions left out."""
    for row, copy in rows:
        accession = copy_of(row.accession, copy)
        if accession not in gone:
            yield Listed(row, accession)


def daily_index(rows: Iterable[Listed], kind: str, day: str, now: float) -> bytes | None:
    """`master`, `form` or `company` index of a day (YYYYMMDD); None before it is published or for no day."""
    try:
        wanted = datetime.strptime(day, "%Y%m%d").date()
    except ValueError:
        return None
    if now < index_at(wanted):
        return None
    of_day = [one for one in rows if one.row.filed == wanted]
    lines = _master(of_day) if kind == "master" else _fixed(of_day, kind)
    text = "\n".join([*_head(kind, wanted), *lines, ""]) if of_day else ""
    return text.encode("iso-8859-1", "replace") if text else None


def index_at(day: date) -> float:
    """When a day's index is published, POSIX seconds."""
    return datetime.combine(day, INDEX_AT, NEW_YORK).timestamp()


def daily_folder(day: date) -> bytes:
    """`index.json` of the folder that holds the day's indexes."""
    names = [f"{kind}.{day:%Y%m%d}.idx" for kind in _TITLES]
    item = [
        {"last-modified": f"{day} 22:00:00", "name": name, "type": "file", "size": "", "href": name} for name in names
    ]
    folder = f"daily-index/{day.year}/QTR{(day.month + 2) // 3}/"
    return orjson.dumps({"directory": {"item": item, "name": folder, "parent-dir": "../"}})


def _head(kind: str, day: date) -> list[str]:
    shown = f"{day:%b} {day.day:2d}, {day.year}"
    return [
        f"Description:           Daily Index of EDGAR Dissemination Feed{_TITLES[kind]}",
        f"Last Data Received:    {shown}",
        "Comments:              webmaster@sec.gov",
        "Anonymous FTP:         ftp://ftp.sec.gov/edgar/",
    ]


def _master(rows: list[Listed]) -> Iterator[str]:
    yield from (" ", "CIK|Company Name|Form Type|Date Filed|File Name", "-" * 80)
    for one in sorted(rows, key=lambda one: (str(int(one.row.cik)), one.row.form, one.accession)):
        row = one.row
        yield f"{int(row.cik)}|{row.name.replace('|', ' ')}|{row.form}|{row.filed:%Y%m%d}|{_file(one)}"


def _fixed(rows: list[Listed], kind: str) -> Iterator[str]:
    widths = {"Form Type": 12, "Company Name": 62, "CIK": 12, "Date Filed": 12, "File Name": 52}
    order = ["Form Type", "Company Name"] if kind == "form" else ["Company Name", "Form Type"]
    order += ["CIK", "Date Filed", "File Name"]
    yield from (" ", " ", " ", " ", "".join(name.ljust(widths[name]) for name in order), "-" * 141)
    for one in sorted(rows, key=lambda one: _key(one.row, kind)):
        cells = {
            "Form Type": one.row.form,
            "Company Name": one.row.name[:60],
            "CIK": str(int(one.row.cik)),
            "Date Filed": f"{one.row.filed:%Y%m%d}",
            "File Name": _file(one),
        }
        yield "".join(cells[name].ljust(widths[name]) for name in order)


def _key(row: Row, kind: str) -> tuple[str, str, str]:
    return (row.form, row.name, row.cik) if kind == "form" else (row.name, row.form, row.cik)


def _file(one: Listed) -> str:
    return f"edgar/data/{int(one.row.cik)}/{one.accession}.txt"


def structured_rss(rows: Iterable[Listed], now: float) -> Answer:
    """The latest 200 filings with structured data, as of the last full ten minutes."""
    state = now - now % RSS_EVERY
    chosen = (one for one in rows if _structured(one.row) and one.row.released <= state)
    items = "".join(_item(one) for one in itertools.islice(chosen, RSS_LENGTH))
    built = _stamp(state)
    body = (
        '<?xml version="1.0" encoding="windows-1252"?>\n<rss version="2.0">\n  <channel>\n'
        "    <title>Filings containing financial statements tagged using the US GAAP or IFRS taxonomies.</title>\n"
        "    <link>https://www.sec.gov/spotlight/xbrl/filings-and-feeds.shtml</link>\n"
        '    <atom:link href="https://www.sec.gov/Archives/edgar/usgaap.rss.xml" rel="self" '
        'type="application/rss+xml" xmlns:atom="https://www.w3.org/2005/Atom"/>\n'
        "    <description>This is a list of up to 200 of the latest filings containing financial statements tagged "
        "using the US GAAP or IFRS taxonomies, updated every 10 minutes.</description>\n"
        f"    <language>en-us</language>\n    <pubDate>{built}</pubDate>\n"
        f"    <lastBuildDate>{built}</lastBuildDate>\n{items}  </channel>\n</rss>\n"
    )
    return Answer(RSS, (body.encode("cp1252", "xmlcharrefreplace"),))


def _structured(row: Row) -> bool:
    return row.role == "Filer" and row.form.removesuffix("/A") in STRUCTURED


def _stamp(moment: float) -> str:
    local = datetime.fromtimestamp(int(moment), NEW_YORK)
    return f"{local:%a}, {local.day} {local:%b %Y %H:%M:%S %Z}"


def _item(one: Listed) -> str:
    row, archive = one.row, f"{one.folder}/{one.accession}-xbrl.zip"
    name, form = html.escape(row.name), html.escape(row.form)
    accepted = datetime.fromtimestamp(row.accepted, NEW_YORK)
    return (
        f"    <item>\n      <title>{name} ({row.cik}) ({row.role})</title>\n"
        f"      <link>{one.folder}/{one.accession}-index.htm</link>\n      <guid>{archive}</guid>\n"
        f'      <enclosure url="{archive}" length="0" type="application/zip" />\n'
        f"      <description>{form}</description>\n      <pubDate>{_stamp(row.accepted)}</pubDate>\n"
        '      <edgar:xbrlFiling xmlns:edgar="https://www.sec.gov/Archives/edgar">\n'
        f"        <edgar:companyName>{name}</edgar:companyName>\n        <edgar:formType>{form}</edgar:formType>\n"
        f"        <edgar:filingDate>{row.filed:%m/%d/%Y}</edgar:filingDate>\n"
        f"        <edgar:cikNumber>{row.cik}</edgar:cikNumber>\n"
        f"        <edgar:accessionNumber>{one.accession}</edgar:accessionNumber>\n"
        f"        <edgar:acceptanceDatetime>{accepted:%Y%m%d%H%M%S}</edgar:acceptanceDatetime>\n"
        "      </edgar:xbrlFiling>\n    </item>\n"
    )
