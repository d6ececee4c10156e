"""By what name a passage calls an amount: its row's label, its column's heading, or the words around it.

Start with `named`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from catalyst.filings.amounts import Amount
from catalyst.filings.evidence import Evidence, row_amounts
from catalyst.filings.metrics import RATIOS, Mention, Metric, mentions, metric_of, supports
from catalyst.filings.periods import years

_NEAR = 240
"""How many characters above a row without a telling label, or before a quote that begins amid a sentence, may hold its
name."""
_HEADINGS = 8
_LINES = 60
_SHORT = 60
_PLAIN = frozenset(("net_income", "operating_income", "eps", "eps_diluted", "eps_basic", "basic_and_diluted"))
"""Figures that have an adjusted counterpart."""
_IMMEDIATE = re.compile(
    r"(?:\s?(?:to|-|and)\s\$?\(?\d[\d.,]*)?[\s)]{0,2}(?:million|billion|thousand)?\s?(?:in|of)?\s?(?:(?:total|net|quarterly|annual|its|our)\s)?$"
)
_EARNINGS = re.compile(r"earnings|income|loss|eps|profit")
_ADJUSTED = re.compile(
    r"\bnon-?\s?gaap\b|\badjusted\b|\bpro forma\b|\bunderlying\b|\bexcl(?:uding)?\b|\bcore\b|\bnormalized\b"
)
_GAAP = re.compile(r"(?<!non-)(?<!non )(?<!non)\bgaap\b|\breported\b")
_BARE = ("per share", "a share")
_UNTOLD = re.compile(r"(?:per|a)\s(?:basic\s|diluted\s)?share")
_PER_SHARE_DIVIDEND = re.compile(r"\s(?:common\s)?(?:quarterly\s|cash\s|regular\s)*dividends?\b")
_NOTE = re.compile(r"(?<=[a-z])\d(?=\s|$)")
_SENTENCE = re.compile(r"[.;:!?]\s")
_BLANK = str.maketrans({"\n": " "})


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a fact's quote stands."""

    evidence: Evidence
    start: int
    end: int

    @property
    def words(self) -> str:
        return self.evidence.lower[self.start : self.end]


def named(place: Place, amount: Amount, name: str, metric: Metric | None) -> str | None:
    """The words in or near the quote that call the amount by the fact's name, or None."""
    if metric is None:
        return _generic_name(place, amount, name)
    is_row = place.evidence.is_row(amount.start)
    mention = _row_mention(place, amount, metric) if is_row else _prose_mention(place, amount)
    if mention is None or not _fits(place, amount, metric, mention, is_row):
        return None
    if _bare_per_share(place, metric, mention):
        return None
    return place.evidence.lower[mention.start : mention.end]


def _fits(place: Place, amount: Amount, metric: Metric, mention: Mention, is_row: bool) -> bool:
    """Whether a mention is of that figure: the plain one in a row or column marked as adjusted is the adjusted one."""
    if supports(metric, mention.metric):
        plain = is_row and metric.name in _PLAIN and mention.metric.name in _PLAIN
        return not (plain and _row_basis(place, amount) == "adjusted")
    if _plain_price(place, metric, mention.metric):
        return True
    plain_name = "eps_diluted" if metric.name == "eps_adjusted" else metric.name.removesuffix("_adjusted")
    if not is_row or plain_name == metric.name or not supports(replace(metric, name=plain_name), mention.metric):
        return False
    return (_row_basis(place, amount) or _heading_basis(place, amount)) == "adjusted"


def _row_basis(place: Place, amount: Amount) -> str:
    """What a row's amount is by its own cell, its label or its column: "adjusted", "gaap" or "" where none says."""
    evidence = place.evidence
    start, end = evidence.line(amount.start)
    bar = evidence.lower.find(" | ", start, end)
    label = evidence.lower[start : bar if bar >= 0 else amount.start]
    return _cell_basis(place, amount) or _basis(label) or _column_basis(evidence, amount, start)


def _heading_basis(place: Place, amount: Amount) -> str:
    """What a short line right above the row or its neighbours says; reconciliations show both."""
    start, _ = place.evidence.line(amount.start)
    heading = "".join(_headings(place.evidence, start, 1))
    return "" if len(heading) > _SHORT or " | " in heading or "reconcil" in heading else _basis(heading)


def _cell_basis(place: Place, amount: Amount) -> str:
    """What the amount's own cell says ("Non-GAAP: $3.75 to $3.80")."""
    start, _ = place.evidence.line(amount.start)
    bar = place.evidence.lower.rfind(" | ", start, amount.start)
    return _basis(place.evidence.lower[bar : amount.start]) if bar >= 0 else ""


def _basis(text: str) -> str:
    return "adjusted" if _ADJUSTED.search(text) else ("gaap" if _GAAP.search(text) else "")


def _column_basis(evidence: Evidence, amount: Amount, start: int) -> str:
    """By the nearest heading whose cells speak of a basis: one for each amount, or for equal groups of them."""
    cells = row_amounts(evidence, amount.start)
    place = next((at for at, cell in enumerate(cells) if cell.start == amount.start), None)
    for line in _headings(evidence, start, _LINES):
        parts = [part.strip() for part in line.split(" | ") if part.strip()]
        marked = [_basis(part) for part in parts]
        if place is None or sum(map(bool, marked)) < 2:
            if len(parts) > 1 and years(line):
                return ""
            continue
        if not marked[0] and len(parts) - 1 == len(cells):
            marked = marked[1:]
        if len(cells) % len(marked) == 0:
            return marked[place * len(marked) // len(cells)]
    return ""


def _headings(evidence: Evidence, start: int, count: int) -> list[str]:
    """The lines above a row that hold no amounts of money, nearest first."""
    lines = evidence.lower[max(0, start - 6_000) : max(0, start - 1)].split("\n")[-_LINES:]
    found = [line for line in reversed(lines) if not re.search(r"[$%]|\d[,.]\d|\(\d", line)]
    return found[:count]


def _row_mention(place: Place, amount: Amount, metric: Metric) -> Mention | None:
    """The figure named by a row's label, by its column where rows are periods, or by the lines right above."""
    evidence = place.evidence
    start, _ = evidence.line(amount.start)
    first = evidence.lower.find(" | ", start, amount.start)
    found = _mentions(evidence, start, first if first >= 0 else amount.start)
    if not found:
        found = _column_mention(evidence, amount, start)
    if not found:
        found = _mentions(evidence, max(0, start - _NEAR), start)[-1:]
    return next((mention for mention in found if supports(metric, mention.metric)), found[0] if found else None)


def _column_mention(evidence: Evidence, amount: Amount, start: int) -> list[Mention]:
    """Of a table whose columns are figures ("Revenue | Net income | Diluted EPS")."""
    cells = row_amounts(evidence, amount.start)
    at = next((at for at, cell in enumerate(cells) if cell.start == amount.start), None)
    above = start
    for _ in range(_HEADINGS):
        if at is None or above <= 0:
            return []
        above, end = evidence.line(above - 1)
        parts = _parts(evidence, above, end)
        telling = [_mentions(evidence, *part) for part in parts]
        if len(parts) - len(cells) in (0, 1) and sum(map(bool, telling)) > len(parts) // 2:
            return telling[at - len(cells)][:1]
    return []


def _parts(evidence: Evidence, start: int, end: int) -> list[tuple[int, int]]:
    parts = []
    for text in evidence.lower[start:end].split(" | "):
        parts.append((start, start + len(text)))
        start += len(text) + 3
    return [(a, b) for a, b in parts if b > a]


def _prose_mention(place: Place, amount: Amount) -> Mention | None:
    """The figure that a sentence gives the amount to: named right behind it, else last named before it."""
    evidence = place.evidence
    found = _mentions(evidence, place.start, place.end) or _mentions(evidence, _begins(place), place.end)
    before = [mention for mention in found if mention.end <= amount.start]
    after = [mention for mention in found if mention.start >= amount.end]
    nearest = before[-1] if before else None
    chosen = _nearest(evidence, amount, nearest, after)
    return _inherited(evidence, chosen, before) if chosen else None


def _nearest(evidence: Evidence, amount: Amount, nearest: Mention | None, after: list[Mention]) -> Mention | None:
    if after and _IMMEDIATE.fullmatch(evidence.lower[amount.end : after[0].start]):
        if after[0].metric.name != "eps" or nearest is None or nearest.metric.unit != "per_share":
            return after[0]
        return nearest
    return nearest or (after[0] if after and after[0].start - amount.end < 60 else None)


def _inherited(evidence: Evidence, chosen: Mention, before: list[Mention]) -> Mention:
    """A bare "per diluted share" behind an adjusted net income is the adjusted EPS."""
    money = [mention for mention in before if mention.metric.unit == "money" and mention.end <= chosen.start]
    words = evidence.lower[chosen.start : chosen.end]
    adjusted = metric_of("eps_adjusted")
    if adjusted and money and money[-1].metric.name == "net_income_adjusted" and _UNTOLD.fullmatch(words):
        return replace(chosen, metric=adjusted)
    return chosen


def _begins(place: Place) -> int:
    """Where the sentence begins that a quote takes up in its midst."""
    least = max(0, place.start - _NEAR)
    ends = [found.end() for found in _SENTENCE.finditer(place.evidence.lower, least, place.start)]
    return ends[-1] if ends else least


def _mentions(evidence: Evidence, start: int, end: int) -> list[Mention]:
    """The figures named there; "a $0.17 per share dividend" names the dividend alone."""
    text = _NOTE.sub(" ", evidence.lower[start:end].translate(_BLANK))
    return [
        Mention(start + found.start, start + found.end, found.metric)
        for found in mentions(text)
        if not (text[found.start : found.end] in _BARE and _PER_SHARE_DIVIDEND.match(text, found.end))
    ]


def _bare_per_share(place: Place, metric: Metric, mention: Mention) -> bool:
    """Whether a mere "per share" is called earnings by a sentence that tells of none."""
    words = place.evidence.lower[mention.start : mention.end]
    near = place.evidence.lower[max(0, place.start - _NEAR) : place.end]
    return metric.name.startswith("eps") and words in _BARE and not _EARNINGS.search(near)


def _plain_price(place: Place, metric: Metric, mentioned: Metric) -> bool:
    """A price "per share" is one where the sentence is not about earnings."""
    return metric.name == "price_per_share" and mentioned.name == "eps" and not _EARNINGS.search(place.words)


def _generic_name(place: Place, amount: Amount, name: str) -> str | None:
    """A name outside the list: one of its words must stand in or near the quote, no other figure's name nearer."""
    words = [word[:5] for word in re.split(r"[\W_]+", name.lower()) if len(word) > 2 and word not in RATIOS]
    near = place.evidence.lower[max(0, place.start - _NEAR) : place.end]
    if not any(holds_word(near, word) for word in words):
        return None
    before = [mention for mention in _mentions(place.evidence, place.start, place.end) if mention.end <= amount.start]
    if before and amount.start - before[-1].end < 25:
        last = place.evidence.lower[before[-1].start : before[-1].end]
        return last if any(holds_word(last, word) for word in words) else None
    return ""


def holds_word(text: str, start: str) -> bool:
    """Whether a word of the text begins so."""
    return re.search(rf"\b{re.escape(start)}", text) is not None
