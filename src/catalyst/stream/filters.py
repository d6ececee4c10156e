"""What a subscriber wants, and whether a record is that. Pure.

An update goes to whoever got the filing's alert, so a filter matches a record when it matches it or any earlier
message of the same filing; `is_news` says that none of the earlier ones did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalyst.stream.types import Record


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty means no constraint. Tickers and forms are upper case; make one with `Filter.of`."""

    tickers: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()
    min_priority: float = 0.0

    @classmethod
    def of(cls, tickers: Sequence[str] = (), forms: Sequence[str] = (), min_priority: float = 0.0) -> Filter:
        return cls(frozenset(map(plain_ticker, tickers)), frozenset(map(_plain, forms)), min_priority)

    def matches(self, record: Record) -> bool:
        """True when the record, or an earlier message of its filing, meets every constraint."""
        if self.forms and record.filing_type not in self.forms:
            return False
        return self._meets(record.tickers, record.priority_score) or self._met(record)

    def is_news(self, record: Record) -> bool:
        """True when no earlier message of the filing matched: the subscriber has no alert of it yet."""
        return not self._met(record)

    def _met(self, record: Record) -> bool:
        return any(self._meets(tickers, score) for tickers, score in record.earlier)

    def _meets(self, tickers: Sequence[str], score: float) -> bool:
        return score >= self.min_priority and (not self.tickers or not self.tickers.isdisjoint(tickers))


EVERYTHING = Filter()


def plain_ticker(name: str) -> str:
    """A ticker as the SEC writes it: `brk.b` and `$BRK-B` are `BRK-B`."""
    return name.strip().lstrip("$").upper().replace(".", "-")


def _plain(name: str) -> str:
    return name.strip().upper()
