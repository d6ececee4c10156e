"""What a filing is worth before anybody has read it: whose it is, whether it is watched, and its pre-score.

The ledger orders its work by `Ranking.rank`; the pipeline asks for the same figures with their reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from catalyst.filings.prescore import Score, prescore
from catalyst.filings.types import Filing


class Tickers(Protocol):
    """The company map, as far as the pipeline needs it (`companies.Companies`)."""

    def tickers(self, cik: str) -> tuple[str, ...]:
        """All tickers of a company in the SEC's own order."""
        ...

    def over_the_counter(self, tickers: Iterable[str]) -> bool:
        """Whether all of them are known to trade there."""
        ...


class Watched(Protocol):
    """The lists of tickers that are alerted at once (`watchlist.Watchlist`)."""

    def watches(self, tickers: tuple[str, ...]) -> bool: ...


class Ranking:
    """Companies and watchlists put together."""

    def __init__(self, companies: Tickers, watchlist: Watched | None = None) -> None:
        self._companies = companies
        self._watchlist = watchlist

    def rank(self, filing: Filing) -> float:
        """The priority score, 0 to 1."""
        return self.score(filing).priority_score

    def score(self, filing: Filing) -> Score:
        """The pre-score by form, items and watchlist."""
        return prescore(filing.form, filing.items, self.watched(filing))

    def watched(self, filing: Filing) -> bool:
        """Whether one of its tickers stands on a watchlist."""
        return self._watchlist is not None and self._watchlist.watches(self.tickers(filing))

    def tickers(self, filing: Filing) -> tuple[str, ...]:
        """Those of the subject, and of others in the same role (co-registrants), each once."""
        role = filing.subject.role
        ciks = dict.fromkeys([filing.subject.cik, *(party.cik for party in filing.parties if party.role == role)])
        return tuple(dict.fromkeys(ticker for cik in ciks for ticker in self._companies.tickers(cik)))

    def tags(self, tickers: Sequence[str]) -> list[str]:
        """What the company list says of a message's shares."""
        return ["otc"] if self._companies.over_the_counter(tickers) else []
