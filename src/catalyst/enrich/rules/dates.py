"""Dates of documents: many ways of writing them, and which of several is the document's own.

A numeric date whose day and month could be swapped is decided by the locale, by another date of the text written the
same way, or by the country the text speaks of; where nothing decides, both readings stand with a low score.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from catalyst.enrich.rules.candidate import Candidate, ranked

FIRST_YEAR, LAST_YEAR = 1980, 2079
"""Two-digit years stand for these."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier janv enero ene gennaio gen janeiro januari",
            "feb february februar fevrier fevr febrero febbraio fevereiro fev februari pebruari",
            "mar march marz maerz mars marzo marco maart mrt maret mac",
            "apr april avril avr abril abr aprile",
            "may mai mayo maggio mag maio mei",
            "jun june juni juin junio giugno giu junho",
            "jul july juli juillet juil julio luglio lug julho julai",
            "aug august aout agosto ago augustus agustus ogos",
            "sep sept september septembre septiembre settembre set setembro",
            "oct october oktober octobre octubre ottobre ott outubro out okt",
            "nov november novembre noviembre novembro nopember",
            "dec december dezember decembre diciembre dicembre dic dezembro dez desember des disember dis",
        ),
        1,
    )
    for name in names.split()
}
_MON = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NUMERIC = re.compile(
    r"(?<![\d/.,-])(?P<a>\d{1,4})(?P<sep>[ ]?[/.\-][ ]?)(?P<b>\d{1,2})(?P=sep)(?P<c>\d{4}|\d{1,2})(?![/.,-]?\d)"
)
_GLUED = re.compile(r"(?<![\d/.,-])(?P<a>\d{1,2})(?P<sep>[/.\-])(?P<b>\d{1,2})(?P=sep)(?P<c>20\d\d)(?=\d{1,2}:\d\d)")
_DAY_MONTH = re.compile(
    rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|°)?[ .,/'-]{{0,3}}(?:de |of )?"
    rf"(?P<month>{_MON})[a-z]{{0,2}}\.?[ .,/'-]{{0,3}}(?:de )?(?P<year>\d{{4}}|\d{{2}})(?!\d)",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"\b(?P<month>{_MON})\.?[ ]{{0,2}}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ ]?[,.']?[ ]{{0,2}}(?P<year>\d{{4}})(?!\d)",
    re.IGNORECASE,
)
_EAST = re.compile(r"(?P<year>\d{4})\s?[年년]\s?(?P<month>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일]")
_COMPACT = re.compile(r"(?<![\w./-])(?P<year>20\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?![\w./-])")

_LABEL = re.compile(
    r"\b(?:invoice|bill|receipt|order|trans(?:action)?|doc(?:ument)?|sales?|issue)?\W{0,2}"
    r"(?:date|dated|datum|fecha|data|tarikh|tanggal|dt)\b\W{0,4}$|(?:日期|日付)\W{0,4}$",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:due|expir\w*|exp|valid\w*|until|before|birth|dob|effective|since|from|deliver\w*|ship\w*|print\w*|return\w*|"
    r"period|registered|next|best by|version|rev|warranty|due on|pay by)\b[^\n]{0,18}$",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"^\W{0,3}(?:time\W{0,3})?\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\s?(?:[AP]\.?M)?", re.IGNORECASE)
_AMERICAN = re.compile(
    r"\bUSA\b|\bU\.S\.A?\b|\bUnited States\b|\b(?:AL|AK|AZ|AR|CA|CO|CT|DC|DE|FL|GA|HI|IA|"
    r"ID|IL|IN|KS|KY|LA|MA|MD|ME|MI|MN|MO|MS|MT|NC|ND|NE|NH|NJ|NM|NV|NY|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VA|"
    r"VT|WA|WI|WV|WY),? \d{5}(?:-\d{4})?\b"
)
_ELSEWHERE = re.compile(
    r"\bRM ?\d|\(RM\)|\bMYR\b|\bSDN\b|€|£|\bEUR\b|\bGBP\b|\bSGD\b|\bAUD\b|\bNZD\b|\bINR\b|\bRs\.? ?\d|₹|\bSAR\b|"
    r"\bAED\b|\bVAT\b|\bGST\b|\bIBAN\b|\bGmbH\b|\bS\.?A\.?R\.?L\b|\bPty\b|\bLtda\b|\bS\.p\.A\b|\bMwSt\b|\bTVA\b|\bIVA\b",
    re.IGNORECASE,
)
_MONTH_FIRST = frozenset(("en-us", "us", "en_us", "mdy"))
_YEAR_FIRST = frozenset(("ja", "zh", "ko", "hu", "ymd"))


@dataclass(frozen=True, slots=True)
class _Reading:
    start: int
    end: int
    values: tuple[date, ...]
    """One, or two where day and month can be swapped; the day first before the month first."""
    written: str
    """Words, numbers or compact: how sure it is that this is a date at all."""


def dates(text: str, locale: str = "") -> list[Candidate]:
    """The document's date as `YYYY-MM-DD`, the likeliest first; empty where the text holds no date."""
    readings = list(_readings(text))
    order = _order(text, locale, readings)
    times = Counter(value for reading in readings for value in reading.values[:1])
    found: list[Candidate] = []
    for number, reading in enumerate(readings):
        score, why = _score(text, reading, number, times)
        values, unsure = _decided(reading, order)
        share = 0.5 if unsure else 1.0
        found.extend(
            Candidate(value.isoformat(), reading.start, reading.end, score * share, why + unsure) for value in values
        )
    found = ranked(found)
    return _contested(found)


def _readings(text: str) -> Iterator[_Reading]:
    covered = bytearray(len(text))
    for pattern in (_EAST, _DAY_MONTH, _MONTH_DAY, _NUMERIC, _GLUED, _COMPACT):
        for found in pattern.finditer(text):
            if covered[found.start()] or covered[found.end() - 1]:
                continue
            values = _numeric(found) if pattern in (_NUMERIC, _GLUED) else _worded(found)
            if values:
                covered[found.start() : found.end()] = b"\1" * (found.end() - found.start())
                written = {_COMPACT: "compact", _NUMERIC: "numbers", _GLUED: "numbers"}.get(pattern, "words")
                yield _Reading(found.start(), found.end(), values, written)


def _numeric(found: re.Match[str]) -> tuple[date, ...]:
    a, b, c = found["a"], found["b"], found["c"]
    if len(a) == 4:
        one = _made(a, b, c) if len(c) <= 2 else None
        return (one,) if one else ()
    if len(a) > 2 or len(c) < 2 or (len(c) == 2 and " " in found["sep"]):
        return ()
    both = [value for value in (_made(c, b, a), _made(c, a, b)) if value is not None]
    return tuple(dict.fromkeys(both))


def _worded(found: re.Match[str]) -> tuple[date, ...]:
    month = found["month"]
    number = month if month.isdigit() else str(_MONTHS[month.lower()])
    value = _made(found["year"], number, found["day"])
    return (value,) if value else ()


def _made(year: str, month: str, day: str) -> date | None:
    number = int(year)
    if len(year) == 2:
        number += 2000 if number + 2000 <= LAST_YEAR else 1900
    if not FIRST_YEAR <= number <= LAST_YEAR:
        return None
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None


def _order(text: str, locale: str, readings: list[_Reading]) -> str:
    """`dmy`, `mdy`, or empty where nothing decides."""
    if locale:
        return "mdy" if locale.lower() in _MONTH_FIRST else "dmy"
    plain = [text[reading.start : reading.end] for reading in readings if len(reading.values) == 1]
    leads = [int(match["a"]) for match in map(_NUMERIC.match, plain) if match and len(match["a"]) <= 2]
    if leads and all(lead > 12 for lead in leads):
        return "dmy"
    if leads and all(lead <= 12 for lead in leads) and any(_second(one) > 12 for one in plain):
        return "mdy"
    american, elsewhere = bool(_AMERICAN.search(text)), bool(_ELSEWHERE.search(text))
    if american != elsewhere:
        return "mdy" if american else "dmy"
    return ""


def _second(written: str) -> int:
    found = _NUMERIC.match(written)
    return int(found["b"]) if found else 0


def _decided(reading: _Reading, order: str) -> tuple[tuple[date, ...], str]:
    """The values that remain, and why they are unsure."""
    if len(reading.values) == 1:
        return reading.values, ""
    if order:
        return (reading.values[0 if order == "dmy" else 1],), ""
    return reading.values, ", day and month could be swapped"


def _score(text: str, reading: _Reading, number: int, times: Counter[date]) -> tuple[float, str]:
    before = text[max(0, reading.start - 40) : reading.start]
    line = before.rpartition("\n")[2]
    score, why = {"words": 0.78, "numbers": 0.74, "compact": 0.35}[reading.written], [reading.written]
    if _LABEL.search(before):
        score, why = score + 0.14, [*why, "labelled"]
    if _OTHER.search(line):
        score, why = score - 0.35, [*why, "another date's label"]
    if _CLOCK.match(text[reading.end : reading.end + 20]):
        score, why = score + 0.06, [*why, "with a time"]
    if times[reading.values[0]] > 1:
        score, why = score + 0.05, [*why, "said again"]
    score -= min(0.1, 0.02 * number)
    return max(0.05, min(0.97, score)), ", ".join(why)


def _contested(found: list[Candidate]) -> list[Candidate]:
    """Where another value has nearly as much for it, neither is sure."""
    if len(found) < 2:
        return found
    lead = found[0].score - found[1].score
    if lead >= 0.25:
        return found
    first = found[0]
    lowered = Candidate(first.value, first.start, first.end, first.score * (0.75 + lead), f"{first.why}, contested")
    return [lowered, *found[1:]]
