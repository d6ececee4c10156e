"""A recorded day of EDGAR, read from a folder: its feed rows at once, its filings' texts when they are asked for.

The folder is laid out as the sample beside this file: `feeds/getcurrent/*.xml[.gz]`,
`filings/KIND/FORM__ACCESSION.ext`, `metadata/…`, and optionally `recording.json` with `starts_at`.
Read `feed.py` and `library.py` next.
"""

from __future__ import annotations

import bisect
import dataclasses
import gzip
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from importlib import resources
from pathlib import Path
from typing import Self

from catalyst.clock import NEW_YORK
from catalyst.emulator.feed import Feed
from catalyst.emulator.library import Library
from catalyst.emulator.rows import MAX_VOLUME, Row, candidates, copy_of, day_of, read_page
from catalyst.errors import UsageError

WALK = "test_get_all_current_filings"
"""In the names of the pages that make up the recorded walk; a folder without such names is all one walk."""

OPENING = time(5, 58)
MAX_PAGE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Filing:
    """One accession as it arrives: its rows and the number it arrives under."""

    accession: str
    copy: int
    rows: tuple[Row, ...]

    @property
    def row(self) -> Row:
        return self.rows[0]

    @property
    def released(self) -> float:
        return min(row.released for row in self.rows)


class Recording:
    """A day to replay. `accessions` counts what the day brings, over all copies."""

    def __init__(
        self, folder: Path, day: date, rows: Iterable[Row], *, volume: int = 1, starts_at: datetime | None = None
    ) -> None:
        newest_first = sorted(rows, key=lambda row: -row.accepted)
        self.folder = folder
        self.day = day
        self.volume = volume
        self.feed = Feed(newest_first, volume)
        self.library = Library(folder)
        self._rows: dict[str, tuple[Row, ...]] = {}
        for row in newest_first:
            known = self._rows.get(row.accession, ())
            self._rows[row.accession] = known if row in known else (*known, row)
        of_day = [row for row in newest_first if _belongs(row, day)]
        self.accessions = len({row.accession for row in of_day}) * volume
        self.rows = len(of_day) * volume
        self._releases = sorted({row.accession: row.released for row in of_day}.values())
        self.starts_at = starts_at or datetime.combine(day, OPENING, NEW_YORK)
        self.ends_at = datetime.fromtimestamp(max(row.released for row in of_day), NEW_YORK)

    @classmethod
    def load(
        cls, folder: Path, *, day: date | None = None, volume: int = 1, bursts: float = 0.0, background: bool = False
    ) -> Self:
        """Read a folder's feed. `day`: the newest that its walk covers, when not given.

        `volume`: each accession arrives so many times under different numbers. `bursts`: seconds whose rows arrive
        together at the end of them. `background`: also the rows of earlier days that the walk still shows; a watcher
        with an empty ledger takes them for news, so it is off unless asked for.
        Raises UsageError where the folder holds no such day.
        """
        if not 1 <= volume <= MAX_VOLUME:
            raise UsageError(f"volume {volume}: choose 1 to {MAX_VOLUME}")
        rows, day = _day_rows(folder, day)
        kept = [row for row in rows if _belongs(row, day) or (background and day_of(row.accepted) < day)]
        if bursts > 0:
            kept = [_burst(row, bursts) for row in kept]
        return cls(folder, day, kept, volume=volume, starts_at=_starts_at(folder))

    def at(self, start: time) -> datetime:
        """A New York time of the recorded day."""
        return datetime.combine(self.day, start, NEW_YORK)

    def released(self, now: float) -> int:
        """How many of the day's accessions are out at a moment (POSIX seconds)."""
        return bisect.bisect_right(self._releases, now) * self.volume

    def find(self, accession: str) -> Filing | None:
        """The filing that arrives under this number, or None."""
        for recorded, copy in candidates(accession, self.volume):
            rows = self._rows.get(recorded)
            if rows is not None:
                return Filing(accession, copy, rows)
        return None

    def filings(self) -> Iterable[Filing]:
        """Every filing, newest first, copies side by side."""
        for accession, rows in self._rows.items():
            for copy in range(self.volume):
                yield Filing(copy_of(accession, copy), copy, rows)


def sample_path() -> Path:
    """The folder of the sample day that ships with the package: invented companies, invented filings."""
    return Path(str(resources.files("catalyst.emulator"))) / "sample"


def _belongs(row: Row, day: date) -> bool:
    return row.filed == day or day_of(row.accepted) == day


def _day_rows(folder: Path, day: date | None) -> tuple[list[Row], date]:
    pages = _pages(folder)
    walk = [page for page in pages if WALK in page.name] or pages
    rows = _read(walk)
    if not rows:
        raise UsageError(f"{folder}: none of the pages under feeds/getcurrent holds a row; is it a recording?")
    chosen = day or max(day_of(row.accepted) for row in rows)
    if not any(_belongs(row, chosen) for row in rows) and len(walk) < len(pages):
        rows = _read(pages)
    if not any(_belongs(row, chosen) for row in rows):
        days = sorted({day_of(row.accepted) for row in rows})
        raise UsageError(f"{folder} holds no row of {chosen}: choose a day of {days[0]} to {days[-1]}")
    return rows, chosen


def _pages(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name one that is laid out like a recording (feeds/, filings/)")
    feeds = folder / "feeds" / "getcurrent"
    pages = sorted([*feeds.glob("*.xml"), *feeds.glob("*.xml.gz")])
    if not pages:
        raise UsageError(f"{folder} holds no feed walk: it needs feeds/getcurrent/*.xml or *.xml.gz")
    return pages


def _read(pages: Iterable[Path]) -> list[Row]:
    """Rows in the walk's order. What pages of a moving feed share is kept once; a row that one page shows twice, as
    EDGAR's feed now and then does, stays twice."""
    rows: list[Row] = []
    kept: Counter[bytes] = Counter()
    for page in pages:
        here: Counter[bytes] = Counter()
        for row in read_page(_bytes(page)):
            here[row.entry] += 1
            if here[row.entry] > kept[row.entry]:
                kept[row.entry] += 1
                rows.append(row)
    return rows


def _bytes(page: Path) -> bytes:
    try:
        if page.suffix != ".gz":
            return page.read_bytes()
        with gzip.open(page) as file:
            return file.read(MAX_PAGE_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{page} cannot be read ({error}): restore it, or take it out of the recording") from error


def _burst(row: Row, seconds: float) -> Row:
    if row.held_over:
        return row
    return dataclasses.replace(row, released=math.ceil(row.accepted / seconds) * seconds)


def _starts_at(folder: Path) -> datetime | None:
    place = folder / "recording.json"
    if not place.is_file():
        return None
    try:
        moment = datetime.fromisoformat(json.loads(place.read_text())["starts_at"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{place}: `starts_at` must be an ISO time with its offset ({error})") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)


__all__ = ["Filing", "Recording", "sample_path"]
