"""Whether what a draft says stands in what it was given: amounts, dates, names, addresses. Pure. See `unfounded`.

A figure or name that is nowhere in the material is a warning on the draft, in words: a person decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

_NUMBER = re.compile(r"\d+(?:[.,٬٫']\d+)*")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+", re.IGNORECASE)
_NAME = re.compile(r"(?<![.!?:\n] )(?<!^)\b[A-Z][a-zà-öø-ÿ'’-]+(?: [A-Z][a-zà-öø-ÿ'’-]+)*", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\[[^\]\n]{2,40}\]|\{\{?[^}\n]{2,40}\}\}?|<[a-z_ ]{2,30}>", re.IGNORECASE)
_WORDS = """
january february march april may june july august september october november december monday tuesday wednesday thursday
friday saturday sunday i dear hello hi regards best kind sincerely thanks thank please subject re the we you your our
this if could would let as mr mrs ms dr sir madam team whatsapp email pdf
"""
_ALWAYS = frozenset(_WORDS.split())
"""Capitalised words that need no source."""
_SMALL = 10
"""Counts up to this many need no source, "3 items"; shares, money, spans and hours do: "5 %", "$9", "7 days"."""
_GROUPED = re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?")
"""1,234 and 12,34,567; not 3,5, which is a fraction to who writes it so."""
_MEASURE = re.compile(
    r"[ -]?(?:%|٪|per ?cent\b|pct\b|[kmb]n?\b|thousand|million|billion|[ap]\.?m\b|(?:hour|day|week|month|year)s?\b"
    r"|[$€£¥₹﷼]|(?:sar|aed|usd|eur|gbp|inr|egp|qar|kwd|bhd|omr|jod|chf|jpy|cny)\b)"
)
_MONEY = re.compile(r"(?:[$€£¥₹﷼]|\b(?:sar|aed|usd|eur|gbp|inr|egp|qar|kwd|bhd|omr|jod|chf|jpy|cny)) ?$")


def material(*given: object) -> str:
    """Everything a draft may draw on, as one text."""
    return "\n".join(_texts(given))


def unfounded(draft: str, source: str, today: date | None = None) -> list[str]:
    """What a draft says that its source does not, in words; empty where all is founded."""
    known = plain(source)
    figures = _figures(known) | (_of_day(today) if today else set())
    found: dict[str, None] = {}
    said = plain(draft)
    for place in _NUMBER.finditer(said):
        start, end = place.span()
        counts = not _MEASURE.match(said, end) and not _MONEY.search(said, max(0, start - 5), start)
        if not _founded(place.group(), figures, counts):
            found.setdefault(f"{place.group()!r} is a figure that the input does not hold.")
    for address in _ADDRESS.findall(draft):
        if plain(address).rstrip(".,)") not in known:
            found.setdefault(f"{address[:80]!r} is an address that the input does not hold.")
    for name in _names(draft, known):
        found.setdefault(f"{name!r} is a name that the input does not hold.")
    for blank in _PLACEHOLDER.findall(draft):
        if plain(blank) not in known:
            found.setdefault(f"{blank!r} looks like a blank that nobody filled in.")
    return list(found)


def quotes(words: str, source: str) -> bool:
    """Whether these words stand in the source, but for spaces and case."""
    said = plain(words)
    return len(said) >= 3 and said in plain(source)


def plain(text: str) -> str:
    """Figures of any script as ASCII, marks and case folded, spaces as one."""
    figures = "".join(str(unicodedata.digit(c, c)) if not c.isascii() else c for c in text)
    return " ".join(unicodedata.normalize("NFKC", figures).casefold().split())


def _founded(number: str, figures: set[str], counts: bool) -> bool:
    """`counts` is for a number that may be a mere count."""
    values = _values(number)
    small = any(value.isdigit() and int(value) <= _SMALL for value in values if len(value) < 3)
    return bool(values & figures) or (counts and small)


def _figures(text: str) -> set[str]:
    return {value for number in _NUMBER.findall(text) for value in _values(number)}


def _values(number: str) -> set[str]:
    """A number as it may be meant: 1,234.50 is 1234.5; a date's or a range's parts stand for themselves."""
    bare = number.replace("٬", ",").replace("٫", ".").replace("'", ",")
    found = {bare, _trim(bare.replace(",", "") if _GROUPED.fullmatch(bare) else bare.replace(",", "."))}
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", bare):
        found.add(_trim(bare.replace(".", "").replace(",", ".")))
    return found


def _trim(text: str) -> str:
    whole, dot, part = text.partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (dot + part if part else "")


def _of_day(day: date) -> set[str]:
    return {str(day.year), str(day.month), str(day.day), f"{day.month:02}", f"{day.day:02}"}


def _names(draft: str, known: str) -> Iterator[str]:
    """Capitalised words in the middle of a sentence that the source has nowhere. Latin script only."""
    words = set(re.findall(r"\w+", known))
    for name in _NAME.findall(draft):
        missing = [
            part for part in re.findall(r"[^\W\d_]+", name) if part.lower() not in words and part.lower() not in _ALWAYS
        ]
        if missing:
            yield " ".join(missing)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, datetime | date):
        yield from (value.isoformat(), f"{value.day} {value.month} {value.year}", f"{value:%B} {value:%d}")
    elif isinstance(value, str):
        yield value
    elif isinstance(value, bool | None):
        return
    elif isinstance(value, int | float | Decimal):
        yield f"{value:f}" if isinstance(value, Decimal) else str(value)
    elif isinstance(value, Iterable):
        for item in value:
            yield from _texts(item)
