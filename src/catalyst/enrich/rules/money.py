"""Totals and currencies of bills: which amount is the one to pay, by its label and by sums that come out.

A row's cells may stand in one line (`TOTAL | 9.00`) or, where a scan lost its layout, on lines after each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from catalyst.enrich.rules.candidate import Candidate, ranked

AMOUNT = re.compile(
    r"(?<![\d.,/:-])(?P<sign>-|\()?\s?(?:(?:RM|[A-Z]{0,2}\$|€|£|¥|₹|[A-Z]{3})\s?)?"
    r"(?P<digits>\d{1,3}(?:[,.' ]\d{3})+[.,]\d{2}|\d{1,9}[.,]\d{2})(?![\d%]|[.,/:-]\d|\s?(?:%|KG|G|ML|L|CM|MM|X)\b)",
    re.IGNORECASE,
)

_TOTAL = re.compile(
    r"\bT[O0]TA[L1I]\b|\bJUMLAH\b|\bGESAMT\w*|\bSUMME\b|\bIMPORTE\b|\bTOTALE\b|合計|总计|總計", re.IGNORECASE
)
_PAYABLE = re.compile(
    r"\b(?:amount|balance|net(?:t)?|total)\W{0,3}(?:due|payable|to pay)\b|"
    r"\b(?:net(?:t)?|grand)\W{0,3}(?:total|amount|amt)\b|"
    r"\btotal\W{0,3}(?:payable|due|amount|amt|sales?\W{0,3}\(?incl)|\bmontant\b|"
    r"\bzu zahlen\b|\ba pagar\b|\bzahlbetrag\b",
    re.IGNORECASE,
)
_ROUNDED = re.compile(
    r"\b(?:after|round(?:e?d)?|rnd)\w*\W{0,3}(?:total|amount|amt|adj\w* total)|\btotal\W{0,3}(?:round|after rou)",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\bsub\W{0,3}total|\bs/total|total\W{0,3}(?:qty|quantity|items?|disc\w*|saving\w*|tax\b|gst\b(?!\W{0,12}incl)|vat|pcs|"
    r"points?|saved|before|excl\w*|exc\b|paid|tender\w*)|\bexcl\w*|\b(?:qty|quantity|items?|discount|tax|gst|vat|mwst|tva|iva|"
    r"rounding|change|tender\w*|deposit|points?|subtotal|before|service charge|s\.?chg)\b(?!.{0,12}\bincl)",
    re.IGNORECASE,
)
_INCLUDED = re.compile(r"\b(?:incl\w*|inc)\b", re.IGNORECASE)
_CASH = re.compile(
    r"\b(?:cash|tunai|bayaran|paid|payment|received|tender(?:ed)?|visa|master\w*|debit|credit|card|bar)\b",
    re.IGNORECASE,
)
_CHANGE = re.compile(r"\b(?:change|baki|kembali|rückgeld|monnaie|cambio)\b", re.IGNORECASE)
_LETTER = re.compile(r"[A-Za-z\u3040-\u9fff]{2}")

_ROUNDING = re.compile(r"\br[o0]u\w{0,2}n?d", re.IGNORECASE)
STEP = Decimal("0.05")
"""The smallest coin of places that round bills."""

MOST = 60
"""Totals, payments and changes that are compared: a bill says its last at its end."""

REACH = 3
"""Lines after a label in which its amount may stand."""

CURRENCIES: tuple[tuple[str, str, float], ...] = (
    ("MYR", r"\bRM\s?\d|\(RM\)|\bRM\b|\bMYR\b|\bringgit\b", 0.9),
    ("EUR", r"€|\bEUR\b|\beuros?\b", 0.95),
    ("GBP", r"£|\bGBP\b", 0.95),
    ("SAR", r"\bSAR\b|\bSR\s?\d|ر\.س", 0.9),
    ("AED", r"\bAED\b|\bDhs?\b", 0.9),
    ("INR", r"₹|\bINR\b|\bRs\.?\s?\d", 0.9),
    ("JPY", r"\bJPY\b|¥|円", 0.85),
    ("CNY", r"\bCNY\b|\bRMB\b|人民币", 0.95),
    ("CHF", r"\bCHF\b|\bSFr\.?\s?\d", 0.95),
    ("SGD", r"\bSGD\b|\bS\$\s?\d", 0.95),
    ("AUD", r"\bAUD\b|\bA\$\s?\d", 0.95),
    ("CAD", r"\bCAD\b|\bC\$\s?\d", 0.95),
    ("IDR", r"\bIDR\b|\bRp\.?\s?\d", 0.9),
    ("THB", r"\bTHB\b|฿|\bbaht\b", 0.95),
    ("USD", r"\bUSD\b|\bUS\$|\bU\.S\. dollars?\b", 0.97),
)
"""Currency, how it is written, and how much that says."""
_CURRENCIES = tuple((name, re.compile(pattern, re.IGNORECASE), score) for name, pattern, score in CURRENCIES)
_DOLLAR = re.compile(r"(?<![A-Z])\$\s?\d")


@dataclass(frozen=True, slots=True)
class _Amount:
    value: Decimal
    start: int
    end: int
    line: int


def totals(text: str, locale: str = "") -> list[Candidate]:
    """The amount to pay with two decimals (`1234.50`), the likeliest first."""
    lines = text.split("\n")
    amounts = list(_amounts(lines))
    votes = list(_labelled(lines, amounts))[-MOST:]
    if not votes:
        return []
    paid = _paid(lines, amounts)
    votes += list(_rounded_to(text, votes, amounts))
    seen = Counter(amount.value for amount in amounts)
    highest = max(amount.value for amount in amounts)
    points: dict[Decimal, float] = {}
    places: dict[Decimal, tuple[float, _Amount]] = {}
    for weight, amount in votes:
        points[amount.value] = max(points.get(amount.value, 0.0), weight) + (0.05 if amount.value in points else 0.0)
        if weight >= places.get(amount.value, (0.0, amount))[0]:
            places[amount.value] = (weight, amount)
    found = []
    for value, weight in points.items():
        score, why = _weighed(value, weight, paid, seen[value], highest)
        amount = places[value][1]
        found.append(Candidate(f"{value:.2f}", amount.start, amount.end, score, why))
    return _contested(ranked(found))


def currencies(text: str, locale: str = "") -> list[Candidate]:
    """ISO codes of the currencies the text writes, the most certain first."""
    found = []
    for name, pattern, score in _CURRENCIES:
        first = pattern.search(text)
        if first:
            found.append(Candidate(name, first.start(), first.end(), score, "written"))
    dollar = _DOLLAR.search(text)
    if dollar and not found:
        found.append(Candidate("USD", dollar.start(), dollar.end(), 0.6, "a dollar sign alone"))
    if len(found) > 1:
        found = [
            Candidate(one.value, one.start, one.end, one.score * 0.6, f"{one.why}, one of several") for one in found
        ]
    return ranked(found)


def _amounts(lines: list[str]) -> Iterator[_Amount]:
    place = 0
    for number, line in enumerate(lines):
        for found in AMOUNT.finditer(line):
            value = _value(found["digits"])
            if not found["sign"]:
                start = place + found.start("digits")
                yield _Amount(value, start, place + found.end("digits"), number)
        place += len(line) + 1


def _value(digits: str) -> Decimal:
    """Digits in any grouping: what stands before the last two is whole."""
    whole, cents = digits[:-3], digits[-2:]
    return Decimal("".join(char for char in whole if char.isdigit()) + "." + cents)


def _labelled(lines: list[str], amounts: list[_Amount]) -> Iterator[tuple[float, _Amount]]:
    """Amounts that a total's label speaks of: the last one of its line, else the next line that is an amount alone."""
    by_line: dict[int, list[_Amount]] = {}
    for amount in amounts:
        by_line.setdefault(amount.line, []).append(amount)
    for number, line in enumerate(lines):
        weight = _weight(line)
        if weight <= 0:
            continue
        here = by_line.get(number)
        if here:
            yield weight, here[-1]
            continue
        for step in range(1, REACH + 1):
            after = by_line.get(number + step)
            if after and not _LETTER.search(AMOUNT.sub("", lines[number + step]).replace("RM", "")):
                yield weight - 0.08 * step, after[-1]
                break
            if number + step >= len(lines) or _LETTER.search(lines[number + step]):
                break


def _rounded_to(
    text: str, votes: list[tuple[float, _Amount]], amounts: list[_Amount]
) -> Iterator[tuple[float, _Amount]]:
    """Where a bill is rounded to what coins can pay, the rounded amount is the one to pay."""
    if not _ROUNDING.search(text):
        return
    for weight, amount in votes:
        for other in amounts:
            gap = abs(other.value - amount.value)
            if 0 < gap < STEP and other.value % STEP == 0 and amount.value % STEP != 0:
                yield weight + 0.1, other


def _weight(line: str) -> float:
    """How much a line's words say that its amount is the one to pay."""
    payable, total, rounded = _PAYABLE.search(line), _TOTAL.search(line), _ROUNDED.search(line)
    if not (payable or total or rounded):
        return 0.0
    if (
        _NOT.search(line)
        and not rounded
        and not (_INCLUDED.search(line) and not re.search(r"sub", line, re.IGNORECASE))
    ):
        return 0.0
    if rounded:
        return 0.74
    if payable:
        return 0.68
    return 0.62 if _INCLUDED.search(line) else 0.6


def _paid(lines: list[str], amounts: list[_Amount]) -> set[Decimal]:
    """What cash less change comes to, for each pair near the end that could be one."""
    cash = [amount.value for amount in amounts if _says(lines, amount.line, _CASH)][-MOST:]
    change = [amount.value for amount in amounts if _says(lines, amount.line, _CHANGE)][-MOST:]
    return {given - back for given in cash for back in (*change, Decimal(0)) if given > back}


def _says(lines: list[str], number: int, pattern: re.Pattern[str]) -> bool:
    if pattern.search(lines[number]):
        return True
    alone = not _LETTER.search(AMOUNT.sub("", lines[number]))
    return alone and number > 0 and bool(pattern.search(lines[number - 1]))


def _weighed(value: Decimal, weight: float, paid: set[Decimal], times: int, highest: Decimal) -> tuple[float, str]:
    score, why = weight, ["labelled"]
    if value == 0:
        return 0.05, "labelled, nothing to pay"
    if value in paid:
        score, why = score + 0.2, [*why, "cash less change"]
    if times > 1:
        score, why = score + 0.05, [*why, "said again"]
    if value == highest:
        score, why = score + 0.05, [*why, "the highest"]
    elif value * 3 < highest and value not in paid:
        score, why = score - 0.1, [*why, "much below the highest"]
    return max(0.05, min(0.97, score)), ", ".join(why)


def _contested(found: list[Candidate]) -> list[Candidate]:
    if len(found) < 2:
        return found
    first, lead = found[0], found[0].score - found[1].score
    if lead >= 0.2:
        return found
    lowered = Candidate(first.value, first.start, first.end, first.score * (0.8 + lead), f"{first.why}, contested")
    return [lowered, *found[1:]]
