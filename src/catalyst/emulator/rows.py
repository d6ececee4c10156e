"""One row of the recorded `getcurrent` feed, its bytes kept as EDGAR sent them. Pure: bytes in, rows out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from catalyst.clock import NEW_YORK

RELEASE_HOUR = time(6, 0)
"""New York. What EDGAR accepts in the evening under the next filing date, it releases at 06:00 of that date."""

MAX_VOLUME = 50
_STEP = 100_000_000
"""What a copy's number is shifted by: filer agents' ten digits stay below this, so copies never collide."""

_ENTRY = re.compile(rb"<entry>.*?</entry>", re.DOTALL)
_UPDATED = re.compile(rb"<updated>([^<]+)</updated>")
_TERM = re.compile(rb'term="([^"]*)"')
_TITLE = re.compile(rb"<title>(.*?)</title>", re.DOTALL)
_ACCESSION = re.compile(rb"accession-number=(\d{10}-\d\d-\d{6})")
_FILED = re.compile(rb"Filed:(?:&lt;/b&gt;|</b>)\s*(\d{4}-\d\d-\d\d)")
_SIZE = re.compile(rb"Size:(?:&lt;/b&gt;|</b>)\s*([^<&\r\n]+)")
_ITEM = re.compile(rb"Item ([0-9A-Za-z.()]+): ([^\r\n<]+)")
_NAMED = re.compile(r"(.*?)\s*\((\d{1,10})\)\s*\(([^()]*)\)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """One accession under one of its parties."""

    accession: str
    form: str
    role: str
    """As shown: `Filer`, `Issuer`, `Reporting`, `Subject`, `Filed by`."""
    cik: str
    """Ten digits."""
    name: str
    accepted: float
    """The row's `updated`, POSIX seconds."""
    released: float
    """When it appears in the feed."""
    filed: date
    items: tuple[tuple[str, str], ...]
    """Code and title of each item line."""
    size: str
    entry: bytes
    """The `<entry>` element as recorded."""

    @property
    def held_over(self) -> bool:
        """Accepted on an evening before its filing date."""
        return day_of(self.accepted) < self.filed


def release_of(filed: date) -> float:
    """06:00 New York of a filing date, in POSIX seconds."""
    return datetime.combine(filed, RELEASE_HOUR, NEW_YORK).timestamp()


def read_page(body: bytes) -> Iterator[Row]:
    """The rows of one recorded page, in its order; a row that makes no sense is left out."""
    for match in _ENTRY.finditer(body):
        row = _row(match.group())
        if row is not None:
            yield row


def _row(entry: bytes) -> Row | None:
    found = [pattern.search(entry) for pattern in (_ACCESSION, _UPDATED, _TERM, _TITLE)]
    if not all(found):
        return None
    accession, updated, form, title = (_text(match.group(1)) for match in found if match)
    named = _NAMED.fullmatch(title.removeprefix(f"{form} - "))
    accepted = _moment(updated)
    if named is None or accepted is None:
        return None
    filed = _filed(entry) or accepted.date()
    evening = filed > accepted.date()
    size = _SIZE.search(entry)
    return Row(
        accession=accession,
        form=form,
        role=named[3],
        cik=named[2].zfill(10),
        name=named[1],
        accepted=accepted.timestamp(),
        released=max(release_of(filed), accepted.timestamp()) if evening else accepted.timestamp(),
        filed=filed,
        items=tuple((_text(code), _text(name).strip()) for code, name in _ITEM.findall(entry)),
        size=_text(size.group(1)).strip() if size else "",
        entry=entry,
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)).astimezone(NEW_YORK)


def _filed(entry: bytes) -> date | None:
    match = _FILED.search(entry)
    try:
        return date.fromisoformat(_text(match.group(1))) if match else None
    except ValueError:
        return None


def _text(raw: bytes) -> str:
    return html.unescape(raw.decode("iso-8859-1"))


def copy_of(accession: str, copy: int) -> str:
    """The number under which an accession arrives for the `copy`th time; copy 0 is the recorded one."""
    return f"{(int(accession[:10]) + copy * _STEP) % 10**10:010d}{accession[10:]}" if copy else accession


def candidates(accession: str, volume: int) -> Iterator[tuple[str, int]]:
    """The recorded accessions, each with its copy, that a number may stand for."""
    agent = int(accession[:10])
    for copy in range(volume):
        yield f"{(agent - copy * _STEP) % 10**10:010d}{accession[10:]}", copy


def entry_of(row: Row, copy: int) -> bytes:
    """The row's bytes under the number of its copy."""
    if not copy:
        return row.entry
    old, new = row.accession.encode(), copy_of(row.accession, copy).encode()
    return row.entry.replace(old, new).replace(old.replace(b"-", b""), new.replace(b"-", b""))


def day_of(moment: float) -> date:
    """New York's date of a POSIX moment."""
    return datetime.fromtimestamp(moment, NEW_YORK).date()
