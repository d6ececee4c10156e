"""Which address gives what at which moment. Pure but for the recorded files it names; `server.py` does the sending."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Set

from catalyst.emulator import documents, listings, lookup
from catalyst.emulator.answers import ATOM, BAD_REQUEST, HTML, JSON, NOT_FOUND, PLAIN, TAG, Answer
from catalyst.emulator.feed import COUNTS, Query
from catalyst.emulator.library import whole
from catalyst.emulator.recording import Filing, Recording
from catalyst.emulator.submission import text_of

Params = Mapping[str, str]

_MAX_START = 10_000_000
_DASHED = r"(?P<accession>\d{10}-\d\d-\d{6})"


class Site:
    """The addresses of EDGAR that are emulated, over one recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._lookup = lookup.Lookup(recording)
        self._gone: Set[str] = frozenset()
        self._hidden: Set[str] = frozenset()
        filing = r"/Archives/edgar/data/\d{1,10}/(?P<folder>\d{18})"
        table: tuple[tuple[str, Callable[[re.Match[str], Params, float], Answer]], ...] = (
            (r"/cgi-bin/browse-edgar", self._browse),
            (rf"{filing}/{_DASHED}\.txt", self._text),
            (rf"/Archives/edgar/data/\d{{1,10}}/{_DASHED}\.txt", self._text),
            (rf"{filing}/{_DASHED}-index\.html?", self._index_page),
            (rf"/Archives/edgar/data/\d{{1,10}}/{_DASHED}-index\.html?", self._index_page),
            (rf"{filing}/index\.json", self._index_json),
            (rf"{filing}/(?P<document>[A-Za-z0-9][A-Za-z0-9._-]{{0,120}})", self._document),
            (r"/Archives/edgar/usgaap\.rss\.xml", self._rss),
            (
                r"/Archives/edgar/daily-index/(?P<year>\d{4})/QTR(?P<quarter>[1-4])/"
                r"(?P<kind>master|form|company)\.(?P<day>\d{8})\.idx",
                self._daily,
            ),
            (r"/Archives/edgar/daily-index/(?P<year>\d{4})/QTR(?P<quarter>[1-4])/index\.json", self._daily_folder),
            (r"/files/(?P<name>company_tickers|company_tickers_exchange)\.json", self._tickers),
            (r"/submissions/CIK(?P<cik>\d{10})\.json", self._company),
            (r"/LATEST/search-index", self._search),
        )
        self._table = [(re.compile(pattern), give) for pattern, give in table]

    def answer(
        self, path: str, params: Params, now: float, gone: Set[str] = frozenset(), unlisted: Set[str] = frozenset()
    ) -> Answer:
        """The answer at the simulated moment `now`; those in `gone` were withdrawn, `unlisted` are not in the feed."""
        self._gone, self._hidden = gone, unlisted
        for pattern, give in self._table:
            match = pattern.fullmatch(path)
            if match is not None:
                return give(match, params, now)
        return NOT_FOUND

    def _browse(self, _: re.Match[str], params: Params, now: float) -> Answer:
        if params.get("action") != "getcurrent":
            return NOT_FOUND
        query = _query(params)
        if query is None:
            return BAD_REQUEST
        return Answer(ATOM, (self._recording.feed.page(now, query, self._gone | self._hidden),))

    def _filing(self, match: re.Match[str], now: float) -> Filing | None:
        """The filing that an address names, once it is released."""
        named = match.groupdict()
        folder = named.get("folder", "")
        accession = named.get("accession") or f"{folder[:10]}-{folder[10:12]}-{folder[12:]}"
        if (folder and folder != accession.replace("-", "")) or accession in self._gone:
            return None
        filing = self._recording.find(accession)
        return filing if filing is not None and filing.released <= now else None

    def _text(self, match: re.Match[str], _: Params, now: float) -> Answer:
        filing = self._filing(match, now)
        if filing is None:
            return self._unlisted(match)
        text = text_of(self._recording, filing)
        return Answer(PLAIN, text.parts, headers={TAG: text.origin}, released=filing.released)

    def _unlisted(self, match: re.Match[str]) -> Answer:
        """A recorded submission that no row of the feed names was always there."""
        accession = match["accession"]
        if accession in self._gone or self._recording.find(accession) is not None:
            return NOT_FOUND
        path = self._recording.library.submission(accession)
        return Answer(PLAIN, (whole(path),), headers={TAG: "recorded"}) if path else NOT_FOUND

    def _index_page(self, match: re.Match[str], _: Params, now: float) -> Answer:
        return self._shown(match, now, HTML, documents.index_page)

    def _index_json(self, match: re.Match[str], _: Params, now: float) -> Answer:
        return self._shown(match, now, JSON, documents.index_json)

    def _shown(
        self, match: re.Match[str], now: float, kind: str, show: Callable[[Filing, list[documents.Part]], bytes]
    ) -> Answer:
        filing = self._filing(match, now)
        if filing is None:
            return NOT_FOUND
        text = text_of(self._recording, filing)
        body = show(filing, documents.parts(text.read()))
        return Answer(kind, (body,), headers={TAG: text.origin}, released=filing.released)

    def _document(self, match: re.Match[str], _: Params, now: float) -> Answer:
        filing = self._filing(match, now)
        if filing is None:
            return NOT_FOUND
        text = text_of(self._recording, filing)
        for part in documents.parts(text.read()):
            if part.filename == match["document"]:
                kind = HTML if part.filename.endswith(("htm", "html")) else PLAIN
                return Answer(kind, (part.body,), headers={TAG: text.origin}, released=filing.released)
        return NOT_FOUND

    def _rss(self, _: re.Match[str], __: Params, now: float) -> Answer:
        return listings.structured_rss(self._there(now), now)

    def _daily(self, match: re.Match[str], _: Params, now: float) -> Answer:
        body = listings.daily_index(self._there(now), match["kind"], match["day"], now)
        right = match["day"][:4] == match["year"] and (int(match["day"][4:6]) + 2) // 3 == int(match["quarter"])
        return Answer(PLAIN, (body,)) if body is not None and right else NOT_FOUND

    def _daily_folder(self, match: re.Match[str], _: Params, now: float) -> Answer:
        """The recorded day's indexes, once they are there; a quarter that has none yet is no folder."""
        day = self._recording.day
        right = (f"{day.year}", f"{(day.month + 2) // 3}") == (match["year"], match["quarter"])
        if not right or now < listings.index_at(day):
            return NOT_FOUND
        return Answer(JSON, (listings.daily_folder(day),))

    def _tickers(self, match: re.Match[str], _: Params, __: float) -> Answer:
        return self._lookup.tickers(match["name"])

    def _company(self, match: re.Match[str], _: Params, now: float) -> Answer:
        return self._lookup.company(match["cik"], self._there(now - lookup.LAG))

    def _search(self, _: re.Match[str], params: Params, now: float) -> Answer:
        state = (self._recording.feed.released(now), self._gone)
        return self._lookup.search(params, lambda: self._there(now), state)

    def _there(self, now: float) -> Iterator[listings.Listed]:
        return listings.listed(self._recording.feed.there(now), self._gone)


def _query(params: Params) -> Query | None:
    try:
        start, count = int(params.get("start") or 0), int(params.get("count") or 40)
    except ValueError:
        return None
    allowed = [size for size in COUNTS if size <= max(count, COUNTS[0])]
    cik = params.get("CIK", "")
    return Query(
        form=params.get("type", "")[:40],
        company=params.get("company", "")[:100].lower(),
        cik=cik.zfill(10) if cik.isdigit() else "",
        owner=params.get("owner", "include"),
        start=min(max(start, 0), _MAX_START),
        count=allowed[-1],
    )
