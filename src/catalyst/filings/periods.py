"""Which period a figure in a filing is about, as far as its sentence, its column or the text above says.

Start with `supported`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from catalyst.filings.amounts import Amount
from catalyst.filings.evidence import Evidence, row_amounts

_ABOVE = 2_500
"""How many characters above a figure may name its period."""
_HEADER_LINES = 60
_ROWS = 1_200

_YEAR = re.compile(
    r"(?<![\d.,$/])(?:fy\s?)?((?:19|20)\d\d)(?![\d,]|\.\d)|\bfy\s?'?(\d\d)\b|\bq[1-4]\s?'(\d\d)\b|\b[1-4]q(\d\d)\b"
)
_QUARTER = re.compile(
    r"\b(?:(first|second|third|fourth)[\s-](?:fiscal[\s-])?quarter|q([1-4])(?!\d)|([1-4])q(?:\d\d)?|"
    r"(?:three months|quarter|quarterly period|13 weeks|thirteen weeks)\s(?:period\s)?"
    r"end(?:ed|ing)\s(?:on\s)?([a-z]{3})[a-z]*)\b"
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = re.compile(
    r"\b(?:(?:fiscal |full[- ]?|calendar )year|twelve months|"
    r"years? ended|annual|six months|nine months|year[- ]to[- ]date|26 weeks|39 weeks|52 weeks)\b"
)
_COMPARED = re.compile(
    r"\b(?:compared (?:to|with)|versus|vs\.?|up from|down from|(?:in|de)creased? from|from)\s|;\s|, and "
)
_PRIOR = re.compile(
    r"\b(?:prior|previous|year[- ]ago|last year|a year (?:ago|earlier)|"
    r"same (?:period|quarter)|(?:comparable|corresponding) (?:period|quarter))\b"
)
_THREE = re.compile(r"three months|quarter|13 weeks|thirteen weeks")
_MORE = re.compile(r"six months|nine months|twelve months|years? ended|26 weeks|39 weeks|52 weeks")
_GUIDANCE = re.compile(
    r"\b(?:guidance|outlook|expect\w*|anticipat\w*|forecast\w*|project\w*|target\w*|estimat\w*|range|reaffirm\w*)\b"
)


@dataclass(frozen=True, slots=True)
class Period:
    """A period as facts write it: `2025-Q3`, `2025`, `2025-09-30`; `quarter` is 0 for a year."""

    year: int
    quarter: int = 0
    day: date | None = None


@dataclass(frozen=True, slots=True)
class _Clause:
    """The part of a sentence around a figure, and what it is compared with."""

    text: str
    first: str
    is_compared: bool
    compares: bool
    """Whether the sentence compares at all."""


def read_period(text: str) -> Period | None:
    """A fact's period, or None where it names no year."""
    said = text.strip().lower()
    exact = re.search(r"(\d{4})-(\d\d)-(\d\d)$", said)
    if exact:
        try:
            day = date(int(exact[1]), int(exact[2]), int(exact[3]))
        except ValueError:
            return None
        return Period(day.year, day=day)
    year = re.search(r"(?:19|20)\d\d", said)
    quarter = re.search(r"q([1-4])|([1-4])q", said)
    return Period(int(year.group()), int(quarter[1] or quarter[2]) if quarter else 0) if year else None


def supported(
    evidence: Evidence, amount: Amount, start: int, end: int, period: str, scope: str, report: date | None
) -> bool:
    """Whether the figure at `amount`, quoted from `start` to `end`, is about that period and scope."""
    wanted = read_period(period)
    if evidence.is_row(amount.start):
        return _in_row(evidence, amount, wanted, scope, report)
    clause = _clause(evidence.lower[start:end], amount.start - start)
    if scope == "guidance" and not _GUIDANCE.search(evidence.lower[max(0, start - 500) : end]):
        return False
    if not _scope_ok(clause, scope, evidence.lower[max(0, start - _ABOVE) : start]):
        return False
    if wanted is None:
        return not period or period.lower() in evidence.lower[max(0, start - _ABOVE) : end]
    above = evidence.lower[max(0, start - _ABOVE) : start]
    if wanted.day is not None:
        return _day_ok(wanted.day, clause.text + " " + clause.first, above, report)
    return _year_ok(wanted, clause, above, report) and _quarter_ok(wanted, clause, above, report)


def years(text: str) -> list[int]:
    """The years a lower-case text names, in order."""
    found = (next(group for group in match.groups() if group) for match in _YEAR.finditer(text))
    return [int(year) if len(year) == 4 else 2000 + int(year) for year in found]


def quarters(text: str) -> set[int]:
    """The quarters a lower-case text names; "three months ended September" is the third."""
    found: set[int] = set()
    for word, letter, digit, month in _QUARTER.findall(text):
        if month:
            found |= {_MONTHS.index(month) // 3 + 1} if month in _MONTHS else set()
        else:
            found.add(_ORDINALS[word] if word else int(letter or digit))
    return found


def _clause(quote: str, at: int) -> _Clause:
    """Split a sentence where it compares: "revenue was A, compared to B in the prior year"."""
    cuts = [0, *(found.start() for found in _COMPARED.finditer(quote) if found.start() > 0), len(quote)]
    compares = [not quote.startswith((";", ", and"), cut) for cut in cuts[1:-1]]
    index = max(0, sum(cut <= at for cut in cuts[:-1]) - 1)
    text = quote[cuts[index] : cuts[index + 1]]
    return _Clause(text, quote[: cuts[1]], index > 0 and compares[index - 1], any(compares))


def _scope_ok(clause: _Clause, scope: str, above: str) -> bool:
    """A figure is of an earlier period where its words say so, or name a year before the latest one told of."""
    if scope == "prior":
        if _is_prior(clause) or _PRIOR.search(clause.text):
            return True
        here, known = years(clause.text), years(clause.first) + years(above)
        return bool(here) and not clause.compares and (not known or min(here) < max(known))
    return scope != "current" or not _is_prior(clause)


def _is_prior(clause: _Clause) -> bool:
    if not clause.is_compared:
        return False
    here, there = years(clause.text), years(clause.first)
    if here and there:
        return max(here) < max(there)
    return True


def _year_ok(wanted: Period, clause: _Clause, above: str, report: date | None) -> bool:
    here = years(clause.text)
    if here:
        return wanted.year in here
    known = years(clause.first) or _years_about(above, report)
    if _PRIOR.search(clause.text) and known:
        return wanted.year == max(known) - 1
    if clause.is_compared and years(clause.first):
        return wanted.year <= max(known)
    return wanted.year in known


def _years_about(above: str, report: date | None) -> list[int]:
    """The year of the report and later (fiscal) ones named above; without a report all named right above."""
    named = years(above)
    return [report.year, *(year for year in named if year > report.year)] if report else named[-6:]


def _quarter_ok(wanted: Period, clause: _Clause, above: str, report: date | None) -> bool:
    here = quarters(clause.text) or quarters(clause.first)
    long = bool(_LONG.search(clause.text) or (not quarters(clause.text) and _LONG.search(clause.first)))
    known = quarters(above) | ({(report.month - 1) // 3 + 1} if report else set())
    if not wanted.quarter:
        return long or not (here or (known and quarters(above) and not _LONG.search(above)))
    if here:
        return wanted.quarter in here
    if long and not _PRIOR.search(clause.text):
        return False
    return not known or wanted.quarter in known


def _day_ok(day: date, near: str, above: str, report: date | None) -> bool:
    if day == report:
        return not years(near) or day.year in years(near)
    month = day.strftime("%B").lower()
    spellings = (
        f"{month} {day.day}, {day.year}", f"{day.day} {month} {day.year}", f"{day.month}/{day.day}/{day.year}",
        f"{day.month}/{day.day}/{day.year % 100:02d}", day.isoformat(), f"{month[:3]}. {day.day}, {day.year}",
        f"{month[:3]} {day.day}, {day.year}",
    )  # fmt: skip
    return any(spelling in near or spelling in above for spelling in spellings)


def _in_row(evidence: Evidence, amount: Amount, wanted: Period | None, scope: str, report: date | None) -> bool:
    header, above = _header(evidence, amount.start)
    named = years(header)
    cells = [cell for cell in row_amounts(evidence, amount.start) if cell.kind != "year"] or [amount]
    column = next((index for index, cell in enumerate(cells) if cell.start == amount.start), 0)
    mine = {named[column]} if column < len(named) and len(named) > 1 else {*named, *(years(above) if named else ())}
    label = years(evidence.lower[evidence.line(amount.start)[0] : amount.start].partition(" | ")[0])
    if len(label) == 1:
        return _in_period_row(evidence, amount.start, label[0], wanted, scope)
    exact = column < len(named) <= len(cells) and len(set(named)) > 1
    if exact and scope == "current" and named[column] != max(named):
        return False
    if (exact or column == 0) and scope == "prior" and len(set(named)) > 1 and named[column] == max(named):
        return False
    if wanted is None:
        return True
    if mine and wanted.year not in mine:
        return False
    if not mine and report and wanted.year not in (report.year, report.year - 1):
        return False
    return _span_ok(wanted, header + " " + above, column, len(named), report)


def _in_period_row(evidence: Evidence, place: int, year: int, wanted: Period | None, scope: str) -> bool:
    """Of a table whose rows are periods: the row of the latest year is the current one."""
    near = evidence.lower[max(0, place - _ROWS) : place + _ROWS].split("\n")
    rows = [found for line in near if " | " in line for found in years(line.partition(" | ")[0])]
    if scope in ("current", "prior") and len(set(rows)) > 1 and (scope == "current") != (year == max(rows)):
        return False
    return wanted is None or wanted.year == year


def _span_ok(wanted: Period, header: str, column: int, columns: int, report: date | None) -> bool:
    """Quarter columns against longer ones: with both in a table, the first half is the quarter."""
    short, long = _THREE.search(header), _MORE.search(header)
    if wanted.day is not None:
        return True
    if short and long and columns == 4:
        is_short = (column < 2) == (short.start() < long.start())
        short, long = (short, None) if is_short else (None, long)
    if wanted.quarter and long and not short:
        return False
    if not wanted.quarter:
        return not short or bool(long)
    known = quarters(header) | ({(report.month - 1) // 3 + 1} if report else set())
    return not known or wanted.quarter in known


def _header(evidence: Evidence, place: int) -> tuple[str, str]:
    """The nearest line above a row that names years and holds no figures, and the four lines above that."""
    stop = max(0, place - 4 * _ABOVE)
    lines = evidence.lower[stop : evidence.line(place)[0]].split("\n")[-_HEADER_LINES:]
    for index in range(len(lines) - 1, -1, -1):
        if _names_columns(lines[index]):
            return lines[index], "\n".join(lines[max(0, index - 4) : index])
    return "", ""


_FIGURE = re.compile(r"\$|%|\d,\d{3}|\((?!\d\))\d|\d\.\d")


def _names_columns(line: str) -> bool:
    return bool(years(line)) and not _FIGURE.search(line) and (" | " in line or len(line) < 160)
