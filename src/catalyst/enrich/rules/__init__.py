"""The rules that read a field without a model: one table from a field's kind to what finds its candidates.

A rule is a pure function of a text and a locale; a new kind of field joins `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from catalyst.enrich.rules.candidate import Candidate
from catalyst.enrich.rules.dates import dates
from catalyst.enrich.rules.money import currencies, totals
from catalyst.enrich.rules.parties import addresses, companies

Rule = Callable[[str, str], list[Candidate]]
"""A text and a locale (may be empty) to candidates, the best first."""

RULES: Mapping[str, Rule] = {
    "date": dates,
    "total": totals,
    "currency": currencies,
    "company": companies,
    "address": addresses,
}

__all__ = ["RULES", "Candidate", "Rule"]
