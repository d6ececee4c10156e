"""Who is who: CIK to all tickers with exchange and name, and back. Start with `Companies`.

The SEC's own order of a company's tickers is kept and no "primary" one is guessed. A small list ships; `refresh`
brings the SEC's, cached in a file. Whatever goes wrong with a new list, the old one goes on working.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import orjson
import structlog

from catalyst.companies.sec import Listing, normal_cik, normal_ticker, parse_listings
from catalyst.errors import CatalystError, ParseError
from catalyst.http import MEBIBYTE, Http, Response

log = structlog.get_logger()

TICKERS_URL = "https://www.sec.gov/files/company_tickers_exchange.json"
MAX_BYTES = 32 * MEBIBYTE
_WHOLE = 0.5
"""A new list with at least this share of the companies known replaces them; a smaller one is merged in."""


@dataclass(frozen=True, slots=True)
class Company:
    """One company; `tickers` in the SEC's own order, `exchanges` beside them (empty where unknown)."""

    cik: str
    name: str
    tickers: tuple[str, ...]
    exchanges: tuple[str, ...]


class Companies:
    """The map. With `cache`, a file, what `refresh` brought survives a restart."""

    def __init__(self, listings: Iterable[Listing] = (), *, cache: Path | None = None) -> None:
        self._cache = cache
        self._companies: dict[str, Company] = {}
        self._owners: dict[str, str] = {}
        self._validators: dict[str, str] = {}
        self._version = 0
        self.merge(listings)

    @classmethod
    def load(cls, cache: Path | None = None) -> Companies:
        """The shipped list, under what the cache file holds (a broken one is logged and left alone)."""
        companies = cls(shipped(), cache=cache)
        if cache is not None and cache.exists():
            companies._read_cache(cache)
        return companies

    def __len__(self) -> int:
        return len(self._companies)

    def __iter__(self) -> Iterator[Company]:
        return iter(self._companies.values())

    @property
    def version(self) -> int:
        """Changes whenever a list was taken in: what is derived from the map can tell that it is out of date."""
        return self._version

    def tickers(self, cik: str) -> tuple[str, ...]:
        """All tickers of a company in the SEC's own order; none where it is unknown."""
        found = self.company(cik)
        return found.tickers if found else ()

    def name(self, cik: str) -> str:
        """The company's name, or an empty string."""
        found = self.company(cik)
        return found.name if found else ""

    def exchange(self, ticker: str) -> str:
        """Where a ticker is listed, or an empty string."""
        found = self.company(self.by_ticker(ticker) or "")
        return dict(zip(found.tickers, found.exchanges, strict=True)).get(normal_ticker(ticker), "") if found else ""

    def over_the_counter(self, tickers: Iterable[str]) -> bool:
        """Whether the list says of every one of them that it trades over the counter; False where it says nothing."""
        exchanges = [self.exchange(ticker) for ticker in tickers]
        return bool(exchanges) and all(exchange == "OTC" for exchange in exchanges)

    def by_ticker(self, ticker: str) -> str | None:
        """The CIK (ten digits) of the company that has this ticker, or None."""
        return self._owners.get(normal_ticker(ticker))

    def company(self, cik: str) -> Company | None:
        """Everything known of a company, or None."""
        return self._companies.get(cik) or self._companies.get(normal_cik(cik))

    def all(self) -> tuple[Company, ...]:
        """All companies known, in the order of the lists they came from."""
        return tuple(self._companies.values())

    def merge(self, listings: Iterable[Listing]) -> int:
        """Take in a list: its companies replace the same ones here, others stay. Returns how many it held."""
        fresh: dict[str, list[Listing]] = {}
        for listing in listings:
            fresh.setdefault(listing.cik, []).append(listing)
        for cik, rows in fresh.items():
            self._put(cik, rows)
        self._version += 1
        return len(fresh)

    def replace(self, listings: Iterable[Listing]) -> int:
        """Take in a whole list in place of everything known but its exchanges where it names none."""
        fresh = Companies()
        fresh._companies = dict(self._companies)
        rows = list(listings)
        ciks = {row.cik for row in rows}
        count = fresh.merge(rows)
        self._companies = {cik: company for cik, company in fresh._companies.items() if cik in ciks}
        self._owners = {t: cik for t, cik in fresh._owners.items() if cik in ciks}
        self._version += 1
        return count

    async def refresh(self, http: Http, url: str = TICKERS_URL, *, timeout_seconds: float = 30.0) -> bool:
        """Fetch the list if it changed and take it in; says whether it did. Never raises, never breaks the map."""
        try:
            answer = await http.get(
                url, headers=self._conditions(url), timeout_seconds=timeout_seconds, max_bytes=MAX_BYTES
            )
            if answer.status == 304:
                return False
            listings = parse_listings(answer.body)
        except CatalystError as error:
            log.warning("companies.refresh_failed", url=url, error=str(error), kept=len(self))
            return False
        self._take(listings)
        self._validators = _validators(url, answer)
        self._write_cache()
        log.info("companies.refreshed", url=url, companies=len(self))
        return True

    def _take(self, listings: list[Listing]) -> None:
        if len({listing.cik for listing in listings}) >= _WHOLE * len(self):
            self.replace(listings)
        else:
            self.merge(listings)

    def _put(self, cik: str, rows: list[Listing]) -> None:
        old = self._companies.get(cik)
        known = dict(zip(old.tickers, old.exchanges, strict=True)) if old else {}
        for ticker in known:
            if self._owners.get(ticker) == cik:
                del self._owners[ticker]
        exchanges: dict[str, str] = {}
        for row in rows:
            exchanges.setdefault(row.ticker, row.exchange or known.get(row.ticker, ""))
        for ticker in exchanges:
            self._take_over(ticker, cik)
        name = rows[0].name or (old.name if old else "")
        self._companies[cik] = Company(cik, name, tuple(exchanges), tuple(exchanges.values()))

    def _take_over(self, ticker: str, cik: str) -> None:
        """A ticker belongs to one company: the latest list's."""
        before = self._owners.get(ticker)
        self._owners[ticker] = cik
        loser = self._companies.get(before) if before not in (None, cik) else None
        if loser is not None:
            kept = [pair for pair in zip(loser.tickers, loser.exchanges, strict=True) if pair[0] != ticker]
            self._companies[loser.cik] = Company(
                loser.cik, loser.name, tuple(pair[0] for pair in kept), tuple(pair[1] for pair in kept)
            )

    def _conditions(self, url: str) -> dict[str, str]:
        if self._validators.get("url") != url:
            return {}
        names = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
        return {header: self._validators[key] for key, header in names.items() if self._validators.get(key)}

    def _read_cache(self, cache: Path) -> None:
        try:
            data = orjson.loads(cache.read_bytes())
            listings = [Listing(*row) for row in data["rows"]]
            validators = {str(key): str(value) for key, value in data["validators"].items()}
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            log.warning("companies.cache_unreadable", path=str(cache), error=str(error))
            return
        self.merge(listings)
        self._validators = validators

    def _write_cache(self) -> None:
        if self._cache is None:
            return
        rows = [
            (company.cik, ticker, exchange, company.name)
            for company in self._companies.values()
            for ticker, exchange in zip(company.tickers, company.exchanges, strict=True)
        ]
        try:
            _replace(self._cache, orjson.dumps({"validators": self._validators, "rows": rows}))
        except OSError as error:
            log.warning("companies.cache_unwritable", path=str(self._cache), error=str(error))


def shipped() -> list[Listing]:
    """The small list that ships with the package: tab-separated, by hand, of public facts."""
    text = (files(__package__) / "data" / "companies.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    if any(len(row) != 4 for row in rows):
        raise ParseError("companies.tsv holds a line without four columns: reinstall the package")
    return [Listing(normal_cik(cik), ticker, exchange, name) for cik, ticker, exchange, name in rows]


def _validators(url: str, answer: Response) -> dict[str, str]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {"url": url, "etag": headers.get("etag", ""), "last_modified": headers.get("last-modified", "")}


def _replace(path: Path, body: bytes) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        draft.write_bytes(body)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
