"""Periods and dates in one spelling: quarters, years, halves, dates, and relative ones counted from a day.

`PERIODS` is a piece of the scanner's pattern; `period(found, today)` spells what it found. A relative time keeps the
day it was counted from (`this-year@2026-11-21`): tomorrow it is another period. Fiscal and plain years are one, as
filers use them; calendar years asked for as such are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH_NUMBER = {name[:length]: n for n, name in enumerate(MONTHS, 1) for length in (3, len(name))} | {"sept": 9}
_MON = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|(?-i:May|MAY)|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_Y = r"(?:19|20)\d\d(?!\d|\.\d|,\d|%)"
_FY = r"(?:the\s+)?(?:fiscal[\s-]+(?:year[\s-]*)?|financial\s+year\s+|full[\s-]year\s+|year\s+|fy\s?)"
_OF = r"\s*[,/-]?\s*(?:(?:of|in|for)\s+)?"
_YEAR = rf"(?:{_OF}(?:{_FY})?(?P<{{0}}>{_Y})|{_OF}(?:fy\s?'?|')(?P<{{0}}s>\d\d)(?!\d))?"
_ORD = r"(?:first|second|third|fourth|1st|2nd|3rd|4th)"
_DATE = (
    rf"(?:{_MON}\s+\d{{1,2}}(?:st|nd|rd|th)?\s*,?\s+{_Y}|\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MON}\s*,?\s+{_Y}"
    r"|(?:19|20)\d\d-[01]\d-[0-3]\d)"
)
_UNIT = r"(?:year|quarter|month|week|day|decade|half|session)"

PERIODS = "|".join(
    (
        r"(?P<anchored>[a-z0-9-]+@\d{4}-\d\d-\d\d)",
        rf"(?:the\s+)?(?:fiscal\s+)?(?P<span>year|quarter|(?:3|6|9|12)[\s-]months?)(?:-|\s+)(?:ended|ending)\s+(?:on\s+)?(?P<ended>{_DATE})",
        rf"(?P<date>{_DATE})",
        rf"(?P<month>{_MON})\s*(?:of\s+)?,?\s*(?P<month_year>{_Y})",
        rf"(?=(?-i:[A-Z]))(?P<day_month>{_MON})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*(?:%|percent))",
        rf"(?:the\s+)?(?:fiscal\s+)?q(?P<q>[1-4])\b{_YEAR.format('qy')}",
        rf"(?P<q2>[1-4])q\s?(?:(?:fy\s?)?'?(?P<q2ys>\d\d)(?!\d)|{_OF}(?:{_FY})?(?P<q2y>{_Y}))?",
        rf"(?P<q3y>{_Y})[\s-]?q(?P<q3>[1-4])\b",
        rf"(?:the\s+)?(?:fiscal[\s-]+)?(?P<q4>{_ORD})[\s-]+(?:fiscal[\s-]+)?(?:quarter|qtr)\b{_YEAR.format('q4y')}",
        rf"(?:the\s+)?quarter\s+(?P<q5>[1-4])\b{_YEAR.format('q5y')}",
        rf"(?:fiscal\s+)?(?:year\s+)?(?P<q6y>{_Y})(?:'s)?\s+(?P<q6>{_ORD})[\s-]+quarter\b",
        rf"(?:the\s+)?(?:(?:first|1st)[\s-]+half|h1|(?:the\s+)?first\s+6\s+months)\b{_YEAR.format('h1y')}(?P<h1>)",
        rf"(?:the\s+)?(?:(?:second|2nd)[\s-]+half|h2)\b{_YEAR.format('h2y')}(?P<h2>)",
        r"(?P<h3>[12])h\s?'?(?P<h3ys>\d\d)(?!\d)",
        rf"(?:the\s+)?(?:first\s+9\s+months|9m)\b{_YEAR.format('m9y')}(?P<m9>)",
        rf"calendar\s+(?:year\s+)?(?P<cy>{_Y})|cy\s?'?(?P<cys>\d\d)(?!\d)",
        rf"{_FY}'?(?P<fy>{_Y})|fy\s?'?(?P<fys>\d\d)(?!\d)",
        rf"(?P<year>{_Y})(?!-?[a-z])(?!\s+(?:jobs?|employees|workers|people|positions|staff|stores|shares|units|customers|words|times)\b)",
        r"(?P<ttm>ttm|ltm|(?:trailing|last|past)[\s-]+12[\s-]+months?)\b",
        r"(?P<ytd>ytd|year[\s-]to[\s-]date)\b",
        r"(?P<today>today)(?:'s)?\b|(?P<yesterday>yesterday)(?:'s)?\b|(?P<tomorrow>tomorrow)(?:'s)?\b",
        r"(?:as\s+of\s+)?(?P<now>right\s+now|now|currently|at\s+the\s+moment|at\s+present|presently|at\s+this\s+time|as\s+of\s+today|these\s+days|nowadays|current(?=\s+(?:dividend|stock|share|market|p/e|pe|price|valuation|headcount|credit\s+rating|short\s+interest|unemployment|inflation|fed)))\b",
        rf"(?:over\s+|during\s+)?(?:the\s+)?(?P<many>last|past|previous|prior|next|coming|trailing)\s+(?P<count>\d{{1,3}})\s+(?:fiscal\s+)?(?P<many_unit>{_UNIT})s?\b",
        rf"(?:the\s+)?(?P<rel>this|last|past|previous|prior|preceding|next|coming|upcoming|most\s+recent|latest|current)\s+(?P<rel_kind>fiscal\s+|financial\s+|calendar\s+|reporting\s+)?(?P<rel_unit>{_UNIT})(?:'s)?\b",
        rf"(?P<ago>\d{{1,3}}|an?|the)[\s-]+(?P<ago_unit>{_UNIT})s?[\s-]+(?P<ago_word>ago|earlier|before)\b",
        r"(?:(?P<day_rel>last|this|next|past)\s+|on\s+)?(?P<weekday>(?-i:[MTWFS])(?:on|ues|ednes|hurs|ri|atur|un)day)(?:'s)?\b",
        r"(?P<vague>most\s+recent|latest|newest|recently|recent|lately|soon)\b",
    )
)

_SAME = {
    "previous": "last",
    "prior": "last",
    "preceding": "last",
    "coming": "next",
    "upcoming": "next",
    "most recent": "latest",
    "current": "this",
    "newest": "latest",
    "recently": "recent",
    "lately": "recent",
}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_SPANS = {"year": "year", "quarter": "quarter", "3": "quarter", "6": "6M", "9": "9M", "12": "year"}


def period(found: re.Match[str], today: date) -> str | None:
    """The one spelling of a period that `PERIODS` found; None where the words are no period after all."""
    return _SPELL[found.lastgroup or ""](found, today) if found.lastgroup in _SPELL else _first(found, today)


def _first(found: re.Match[str], today: date) -> str | None:
    for name, spell in _SPELL.items():
        if found[name] is not None:
            return spell(found, today)
    return None


def _full_year(found: re.Match[str], name: str) -> str:
    if found[name]:
        return found[name]
    short = found.groupdict().get(f"{name}s")
    return f"20{short}" if short else ""


def _with_year(label: str, year: str) -> str:
    return f"{label} {year}" if year else label


def _quarter(group: str) -> Callable[[re.Match[str], date], str | None]:
    def spell(found: re.Match[str], today: date) -> str:
        number = _ORDINALS.get(found[group].lower(), found[group])
        return _with_year(f"Q{number}", _full_year(found, f"{group}y"))

    return spell


def _iso(text: str) -> str | None:
    """A written date as YYYY-MM-DD; None where the calendar has no such day."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return text
    year = re.search(r"\d{4}", text)
    rest = text.replace(year[0], " ") if year else text
    day, name = re.search(r"\d{1,2}", rest), re.search(r"(?!st\b|nd\b|rd\b|th\b|of\b)[a-z]{3,}", rest, re.IGNORECASE)
    if not (year and day and name):
        return None
    try:
        return date(int(year[0]), _month(name[0]), int(day[0])).isoformat()
    except ValueError:
        return None


def _month(name: str) -> int:
    return _MONTH_NUMBER[name.lower().rstrip(".")]


def _ended(found: re.Match[str], today: date) -> str | None:
    day = _iso(found["ended"])
    span = found["span"].lower().split()[0].split("-")[0]
    return f"{_SPANS[span]} ended {day}" if day else None


def _month_year(found: re.Match[str], today: date) -> str:
    return f"{MONTHS[_month(found['month']) - 1].capitalize()} {found['month_year']}"


def _day_month(found: re.Match[str], today: date) -> str:
    return f"{MONTHS[_month(found['day_month']) - 1].capitalize()} {int(found['day'])}"


def _many(found: re.Match[str], today: date) -> str:
    which = _SAME.get(found["many"].lower(), found["many"].lower())
    if which in ("last", "past", "trailing") and (found["count"], found["many_unit"].lower()) == ("12", "month"):
        return "ttm"
    return f"{which}-{int(found['count'])}-{found['many_unit'].lower()}@{today}"


def _relative(found: re.Match[str], today: date) -> str:
    which = " ".join(found["rel"].lower().split())
    kind = (found["rel_kind"] or "").strip().lower().replace("financial", "fiscal").replace("reporting", "fiscal")
    return (
        "-".join(filter(None, (_SAME.get(which, which).replace(" ", "-"), kind, found["rel_unit"].lower())))
        + f"@{today}"
    )


def _ago(found: re.Match[str], today: date) -> str:
    count = found["ago"].lower()
    return f"{count if count.isdigit() else 1}-{found['ago_unit'].lower()}-{found['ago_word'].lower()}@{today}"


def _weekday(found: re.Match[str], today: date) -> str:
    return "-".join(filter(None, ((found["day_rel"] or "").lower(), found["weekday"].lower()))) + f"@{today}"


def _vague(found: re.Match[str], today: date) -> str:
    word = " ".join(found["vague"].lower().split())
    return f"{_SAME.get(word, word)}@{today}"


_SPELL: dict[str, Callable[[re.Match[str], date], str | None]] = {
    "anchored": lambda found, today: found["anchored"].lower(),
    "span": _ended,
    "date": lambda found, today: _iso(found["date"]),
    "month": _month_year,
    "day_month": _day_month,
    **{name: _quarter(name) for name in ("q", "q2", "q3", "q4", "q5", "q6")},
    "h1": lambda found, today: _with_year("H1", _full_year(found, "h1y")),
    "h2": lambda found, today: _with_year("H2", _full_year(found, "h2y")),
    "h3": lambda found, today: f"H{found['h3']} 20{found['h3ys']}",
    "m9": lambda found, today: _with_year("9M", _full_year(found, "m9y")),
    "cy": lambda found, today: f"calendar {found['cy']}",
    "cys": lambda found, today: f"calendar 20{found['cys']}",
    "fy": lambda found, today: found["fy"],
    "fys": lambda found, today: f"20{found['fys']}",
    "year": lambda found, today: found["year"],
    "ttm": lambda found, today: "ttm",
    "ytd": lambda found, today: f"ytd@{today}",
    "today": lambda found, today: str(today),
    "yesterday": lambda found, today: str(today - timedelta(days=1)),
    "tomorrow": lambda found, today: str(today + timedelta(days=1)),
    "now": lambda found, today: f"now@{today}",
    "many": _many,
    "rel": _relative,
    "ago": _ago,
    "weekday": _weekday,
    "vague": _vague,
}
