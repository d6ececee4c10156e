"""EDGAR's JSON: company tickers, a company's submissions, and full-text search answered from the feed's rows."""

from __future__ import annotations

import contextlib
import gzip
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from catalyst.emulator.answers import BAD_REQUEST, JSON, NOT_FOUND, Answer
from catalyst.emulator.library import whole
from catalyst.emulator.listings import Listed
from catalyst.emulator.recording import Recording

PAGE = 100
"""Hits that full-text search gives at once."""

MAX_HITS = 10_000
LAG = 180
"""Seconds by which the submissions API is behind the feed."""


class Lookup:
    """Answers of a recording's `metadata/`, filled up from its rows."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._metadata = recording.folder / "metadata"
        self._asked: object = None
        self._hits: list[dict[str, Any]] = []
        self._counts: dict[str, Any] = {}

    def tickers(self, name: str) -> Answer:
        """`company_tickers` or `company_tickers_exchange`, as recorded."""
        key = "fields" if name.endswith("exchange") else "0"
        for path in self._files(name):
            document = _json(path)
            if isinstance(document, dict) and key in document:
                plain = path.suffix != ".gz"
                return Answer(JSON, (whole(path) if plain else orjson.dumps(document),))
        return NOT_FOUND

    def company(self, cik: str, there: Iterable[Listed]) -> Answer:
        """A company's submissions: what is recorded from before the day, and the day's rows as they were released."""
        mine = [one for one in there if one.row.cik == cik]
        document = self._recorded(cik)
        if not mine and document is None:
            return NOT_FOUND
        first = mine[0].row.name if mine else ""
        known = document or {"cik": cik, "name": first, "tickers": [], "exchanges": [], "filings": {}}
        filings = known.get("filings") or {}
        recent = _merged([_summary(one) for one in mine], filings.get("recent") or {}, self._recording.day)
        return Answer(
            JSON, (orjson.dumps({**known, "filings": {"recent": recent, "files": filings.get("files") or []}}),)
        )

    def search(self, params: Mapping[str, str], there: Callable[[], Iterable[Listed]], state: object) -> Answer:
        """Full-text search in the shape of EFTS. The rows hold no text: `q` is looked for in names, forms, items.

        Hits are kept while `state` is the same, since a question is asked page by page.
        """
        try:
            wanted = _Search(params)
        except ValueError:
            return BAD_REQUEST
        key = (state, tuple(sorted((name, value) for name, value in params.items() if name != "from")))
        if key != self._asked:
            self._hits = _hits(one for one in there() if wanted.matches(one))
            self._counts, self._asked = _counts(self._hits), key
        hits = self._hits
        page = hits[wanted.offset : wanted.offset + PAGE]
        total = {"value": min(len(hits), MAX_HITS), "relation": "gte" if len(hits) >= MAX_HITS else "eq"}
        found = {"total": total, "max_score": 1.0 if hits else None, "hits": page}
        return Answer(JSON, (orjson.dumps({**_SHELL, "hits": found, "aggregations": self._counts}),))

    def _files(self, kind: str) -> list[Path]:
        place = self._metadata / kind
        return sorted(place.glob("*.json*"), reverse=True) if place.is_dir() else []

    @cached_property
    def _companies(self) -> dict[str, Path]:
        named = {path.name.partition("CIK")[2][:10]: path for path in self._files("submissions") if "CIK" in path.name}
        return {cik: path for cik, path in named.items() if cik.isdigit() and len(cik) == 10}

    def _recorded(self, cik: str) -> dict[str, Any] | None:
        path = self._companies.get(cik)
        document = _json(path) if path else None
        return document if isinstance(document, dict) else None


def _json(path: Path) -> object:
    with contextlib.suppress(OSError, ValueError):
        return orjson.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    return None


def _summary(one: Listed) -> dict[str, Any]:
    row = one.row
    accepted = datetime.fromtimestamp(row.accepted, UTC)
    return {
        "accessionNumber": one.accession,
        "filingDate": f"{row.filed}",
        "reportDate": "",
        "acceptanceDateTime": f"{accepted:%Y-%m-%dT%H:%M:%S}.000Z",
        "act": "",
        "form": row.form,
        "fileNumber": "",
        "filmNumber": "",
        "items": ",".join(code for code, _ in row.items),
        "size": 0,
        "isXBRL": 0,
        "isInlineXBRL": 0,
        "primaryDocument": "",
        "primaryDocDescription": row.form,
    }


def _merged(new: list[dict[str, Any]], old: Mapping[str, list[Any]], day: date) -> dict[str, list[Any]]:
    """The new filings before those recorded up to the day; columns, as EDGAR gives them."""
    dates = old.get("filingDate", [])
    kept = [place for place, filed in enumerate(dates) if filed < f"{day}"]
    names = dict.fromkeys([*_summary_keys(), *old])
    return {
        name: [one.get(name, "") for one in new] + [column[place] if place < len(column) else "" for place in kept]
        for name in names
        for column in [old.get(name, [])]
    }


def _summary_keys() -> tuple[str, ...]:
    return (
        "accessionNumber", "filingDate", "reportDate", "acceptanceDateTime", "act", "form", "fileNumber", "filmNumber",
        "items", "size", "isXBRL", "isInlineXBRL", "primaryDocument", "primaryDocDescription",
    )  # fmt: skip


class _Search:
    """One full-text search. Raises ValueError for dates or offsets that are none."""

    def __init__(self, params: Mapping[str, str]) -> None:
        self._words = [word for word in params.get("q", "").lower().replace('"', " ").split() if word][:20]
        self._since = date.fromisoformat(params["startdt"]) if params.get("startdt") else date.min
        self._until = date.fromisoformat(params["enddt"]) if params.get("enddt") else date.max
        self._forms = {form.strip() for form in params.get("forms", "").split(",") if form.strip()}
        self._ciks = {cik.strip().zfill(10) for cik in params.get("ciks", "").split(",") if cik.strip()}
        self.offset = max(0, int(params.get("from") or 0))

    def matches(self, one: Listed) -> bool:
        row = one.row
        if not self._since <= row.filed <= self._until or (self._ciks and row.cik not in self._ciks):
            return False
        if self._forms and not {row.form, row.form.removesuffix("/A")} & self._forms:
            return False
        text = f"{row.name} {row.form} {' '.join(title for _, title in row.items)}".lower()
        return all(word in text for word in self._words)


_SHELL: Mapping[str, Any] = {
    "took": 1,
    "timed_out": False,
    "_shards": {"total": 50, "successful": 50, "skipped": 0, "failed": 0},
}


def _hits(rows: Iterable[Listed]) -> list[dict[str, Any]]:
    """One hit a filing, its parties together."""
    sources: dict[str, dict[str, Any]] = {}
    for one in rows:
        row = one.row
        source = sources.setdefault(one.accession, _source(one))
        if row.cik not in source["ciks"]:
            source["ciks"].append(row.cik)
            source["display_names"].append(f"{row.name}  (CIK {row.cik})")
    return [
        {"_index": "edgar_file", "_id": f"{accession}:primary_doc", "_score": 1.0, "_source": source}
        for accession, source in sources.items()
    ]


def _source(one: Listed) -> dict[str, Any]:
    row = one.row
    root = row.form.removesuffix("/A")
    return {
        "ciks": [], "period_ending": None, "root_forms": [root], "file_num": [], "display_names": [], "xsl": None,
        "sequence": "1", "file_date": f"{row.filed}", "biz_states": [], "sics": [], "form": row.form,
        "adsh": one.accession, "film_num": [], "biz_locations": [], "file_type": row.form, "file_description": row.form,
        "inc_states": [], "items": [code for code, _ in row.items],
    }  # fmt: skip


def _counts(hits: list[dict[str, Any]]) -> dict[str, Any]:
    forms = Counter(hit["_source"]["root_forms"][0] for hit in hits)
    names = Counter(name for hit in hits for name in hit["_source"]["display_names"])

    def filters(counter: Counter[str]) -> dict[str, Any]:
        buckets = [{"key": key, "doc_count": count} for key, count in counter.most_common(30)]
        return {"doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": buckets}

    empty: Counter[str] = Counter()
    return {
        "entity_filter": filters(names),
        "sic_filter": filters(empty),
        "biz_states_filter": filters(empty),
        "form_filter": filters(forms),
    }
