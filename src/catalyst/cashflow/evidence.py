"""What a model found in notes, checked against the notes: words must stand there, a day must be in the words. Pure.

Nothing moves a date but a promise or a dispute whose quote is found. Start with `weigh`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalyst.cashflow.rules import FAR_DAYS, LOW_CONFIDENCE
from catalyst.cashflow.types import Cited, Note

APART_DAYS = 7
"""Promises farther apart than this contradict each other."""
_MOST_WEIGHT = 0.9
_MONTHS = (
    ("january", "jan", "يناير"), ("february", "feb", "فبراير"), ("march", "mar", "مارس"),
    ("april", "apr", "أبريل", "ابريل", "إبريل"), ("may", "مايو"), ("june", "jun", "يونيو"), ("july", "jul", "يوليو"),
    ("august", "aug", "أغسطس", "اغسطس"), ("september", "sep", "sept", "سبتمبر"), ("october", "oct", "أكتوبر", "اكتوبر"),
    ("november", "nov", "نوفمبر"), ("december", "dec", "ديسمبر"),
)  # fmt: skip
_WEEKDAYS = (
    ("monday", "الاثنين", "الإثنين"), ("tuesday", "الثلاثاء"), ("wednesday", "الأربعاء", "الاربعاء"),
    ("thursday", "الخميس"), ("friday", "الجمعة"), ("saturday", "السبت"), ("sunday", "الأحد", "الاحد"),
)  # fmt: skip
_TOMORROW = ("tomorrow", "غدا", "غداً")
_WORD = re.compile(r"[^\W_]+")


class Found(BaseModel):
    """One statement as the model gives it."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["promised_date", "dispute", "delay", "paid", "invoiced", "cancelled", "other"]
    about: Literal["invoice", "payment", "delivery", "unclear"] = "unclear"
    date: str = Field(default="", max_length=10)
    quote: str = Field(default="", max_length=300)
    note: int = Field(default=0, ge=0)


class NotesReading(BaseModel):
    """A model's answer, within the bounds of the prompt's schema."""

    model_config = ConfigDict(frozen=True)

    evidence: list[Found] = Field(default=[], max_length=12)
    dispute: bool = False
    summary: Annotated[str, Field(max_length=400)] = ""
    confidence: float = Field(ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may move a date, after every check."""

    promised: date | None = None
    disputed: bool = False
    weight: float = 0.0
    """How far a promise is believed."""
    quote: str = ""
    cited: tuple[Cited, ...] = ()
    warnings: tuple[str, ...] = ()


def weigh(reading: NotesReading, notes: Sequence[Note], today: date) -> Verdict:
    """Keep what the notes carry: an unsure reading, an unfound quote, a passed or denied promise moves nothing."""
    warnings: list[str] = []
    grounded = [found for found in reading.evidence if _stands(found, notes, warnings)]
    if reading.confidence < LOW_CONFIDENCE:
        if grounded:
            warnings.append(f"The notes were read with confidence {reading.confidence:.2f}: the estimate stands.")
        return Verdict(cited=_cited(grounded, None, False), warnings=tuple(warnings))
    promises = list(_promises(grounded, notes, today, warnings))
    promised = _agreed(promises, warnings)
    disputes = [found for found in grounded if found.kind == "dispute"]
    disputed = promised is None and reading.dispute and bool(disputes)
    if reading.dispute and not disputes:
        warnings.append("A dispute was reported without words that tell of it: the estimate stands.")
    if promised is not None and reading.dispute and disputes:
        warnings.append(f"A note tells of a dispute beside the promise: {disputes[-1].quote!r}.")
    quote = promises[-1][1].quote if promised else disputes[-1].quote if disputed else ""
    return Verdict(
        promised,
        disputed,
        min(reading.confidence, _MOST_WEIGHT),
        quote,
        _cited(grounded, promised, disputed),
        tuple(warnings),
    )


def _stands(found: Found, notes: Sequence[Note], warnings: list[str]) -> bool:
    """Whether the quote is in the note it names, letter for letter but for spaces."""
    said = _plain(found.quote)
    if found.note < len(notes) and len(said) >= 4 and said in _plain(notes[found.note].text):
        return True
    warnings.append(f"A quote was not found in the notes and is not used: {found.quote[:80]!r}.")
    return False


def _promises(
    grounded: Sequence[Found], notes: Sequence[Note], today: date, warnings: list[str]
) -> Iterator[tuple[date, Found]]:
    for found in grounded:
        if found.kind != "promised_date" or found.about not in ("payment", "unclear"):
            continue
        day = _day(found.date)
        if day is None:
            continue
        if not _says(found.quote, day, notes[found.note].date):
            warnings.append(f"The day {day} is not in the words quoted for it, {found.quote[:80]!r}: not used.")
        elif day <= today:
            warnings.append(f"The promised day {day} has passed unpaid ({found.quote[:80]!r}): the estimate stands.")
        elif (day - today).days > FAR_DAYS:
            warnings.append(f"The promised day {day} is more than a year away ({found.quote[:80]!r}): not used.")
        else:
            yield day, found


def _agreed(promises: list[tuple[date, Found]], warnings: list[str]) -> date | None:
    """The last promise, where none contradicts it."""
    days = sorted(day for day, _ in promises)
    if not days:
        return None
    if (days[-1] - days[0]).days > APART_DAYS:
        told = "; ".join(f"{day}: {found.quote!r}" for day, found in promises)
        warnings.append(f"The notes contradict each other, so the estimate stands ({told}).")
        return None
    return promises[-1][0]


def _cited(grounded: Sequence[Found], promised: date | None, disputed: bool) -> tuple[Cited, ...]:
    return tuple(
        Cited(
            kind=found.kind,
            quote=found.quote,
            date=_day(found.date),
            moved=(found.kind == "promised_date" and promised is not None and _day(found.date) == promised)
            or (found.kind == "dispute" and disputed),
        )
        for found in grounded
    )


def _says(quote: str, day: date, written: date | None) -> bool:
    """Whether the words name that day: in figures, by month and figure, or relative to the day of the note."""
    words = _WORD.findall(_plain(quote))
    figures = {int(word) for word in words if word.isdigit() and len(word) <= 4}
    for word in words:
        figures |= {int(part) for part in re.findall(r"^(\d{1,2})(?:st|nd|rd|th)$", word)}
    months = {number for number, names in enumerate(_MONTHS, 1) if set(names) & set(words)}
    if day.day in figures and (day.month in months or (not months and day.month in figures)):
        return True
    if written is None:
        return False
    ahead = (day - written).days
    weekday = any(name in words for name in _WEEKDAYS[day.weekday()])
    return (weekday and 0 < ahead <= 14) or (ahead == 1 and any(name in words for name in _TOMORROW))


def _plain(text: str) -> str:
    """Spaces as one, figures of any script as ASCII, letters folded."""
    figures = "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in text)
    return " ".join(unicodedata.normalize("NFKC", figures).casefold().split())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
