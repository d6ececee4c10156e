"""A filing's analysis without any model: by its feed row, and by what its parser found. Start with `from_rules`.

Sentiment weighs three witnesses: how such events usually turn out (the pre-score table's `lean`), which way the
figures moved against the prior period, and the lexicon's reading of the text. Confidence is how much of the weight
points the same way, times how much weight there is: it is a rule of thumb, at most .9, not calibrated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalyst.filings.ground import ground
from catalyst.filings.prescore import Row, Score, keywords, rows
from catalyst.filings.sanitize import sanitize, talks_of_judging
from catalyst.filings.summary import READ_CHARS, sentences, sources, summarize
from catalyst.filings.terms import derived, leanings, tell
from catalyst.filings.types import Filing, Parsed
from catalyst.sentiment import TEXT_BYTES, label_of, score
from catalyst.stream.types import Analysis, Fact

MAX_FACTS = 40
MAX_KEYWORDS = 10
MAX_RISKS = 5
_RISK_CHARS = 240

_RISK = re.compile(
    r"\b(?:going concern|substantial doubt|dilution|dilutive|material weakness|event of default|defaulted|delist\w+|"
    r"investigation|lawsuits?|class action|subpoena|impairment|bankruptcy|chapter 11|non-?compliance|deficiency|"
    r"terminat\w+|breach|ransomware|unauthorized access|recall|shortfall|headwinds?|adverse(?:ly)?|"
    r"should no longer be relied)\b",
    re.IGNORECASE,
)
_NEWS = ("eight_k", "generic")
"""Families whose text tells news; in the others the lexicon meets legal language only."""
_WORDS_AT_MOST = 0.6
"""Words alone are weak evidence: sentiment by them never passes this."""
_COMPARED = ("revenue", "net_income", "eps_diluted", "eps_basic", "operating_income")


@dataclass(frozen=True, slots=True)
class _Witness:
    """One reason for a sentiment: `value` from -1 to 1, its weight, and the rule in words."""

    value: float
    weight: float
    rule: str


def from_feed(filing: Filing, score: Score, company: str = "", tickers: Sequence[str] = ()) -> Analysis:
    """What the feed row alone tells: form, items and score. `company` and `tickers` name the filer where known."""
    found = rows(filing.form, filing.items)
    return Analysis(
        sentiment=None,
        summary=_announcement(filing, found, company, tickers),
        event_types=_events(found),
        keywords=_events(found)[:MAX_KEYWORDS],
        priority=score.tier,
        priority_score=score.priority_score,
        rules=list(score.rules),
        risks=_event_risks(found),
        source="feed",
    )


def from_rules(filing: Filing, parsed: Parsed, score: Score) -> Analysis:
    """What the form's parser found, in an analysis: facts, an extractive summary, a sentiment. Grounded, pure."""
    items = tuple(dict.fromkeys((*filing.items, *(item.code for item in parsed.items))))
    found = rows(filing.form, items)
    texts, removed = _telling(parsed)
    text = "\n".join(texts)
    witnesses = [*_by_event(found), *_by_figures(parsed.facts), *_by_trades(parsed)]
    if parsed.family in _NEWS:
        witnesses += _by_words(text)
    sentiment, confidence = _verdict(witnesses)
    analysis = Analysis(
        sentiment=sentiment,
        label=label_of(sentiment),
        confidence=confidence,
        keywords=list(dict.fromkeys(keyword.word for keyword in keywords(text)))[:MAX_KEYWORDS],
        event_types=_events(found),
        summary=_summary(filing, parsed, found, texts),
        priority=score.tier,
        priority_score=score.priority_score,
        rules=[*score.rules, *(witness.rule for witness in witnesses), *_removed(removed), *parsed.problems[:3]],
        facts=list(parsed.facts[:MAX_FACTS]),
        risks=[*_event_risks(found), *_text_risks(text)][:MAX_RISKS],
        source="rules",
    )
    return ground(analysis, parsed, derived(parsed))


def _telling(parsed: Parsed) -> tuple[list[str], int]:
    """The start of the most telling texts, within `READ_CHARS` in all, and how many passages were taken out."""
    taken: list[str] = []
    left, removed = READ_CHARS, 0
    for text in sources(parsed):
        if left <= 0:
            break
        clean = sanitize(text[:left])
        taken.append(clean.text)
        removed += len(clean.removed)
        left -= len(text)
    return taken, removed


def _events(found: Sequence[Row]) -> list[str]:
    ordered = sorted(found, key=lambda row: -(row.urgency + row.impact))
    events = list(dict.fromkeys(row.event for row in ordered))
    return [event for event in events if event != "exhibits"] or events


def _event_risks(found: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.event for row in found if row.lean <= -0.3))


def _text_risks(text: str) -> Iterator[str]:
    for sentence in sentences(text):
        if len(sentence) <= _RISK_CHARS and _RISK.search(sentence):
            yield sentence


def _announcement(filing: Filing, found: Sequence[Row], company: str, tickers: Sequence[str]) -> str:
    who = company or filing.subject.name or "A filer"
    named = f"{who} ({', '.join(tickers[:3])})" if tickers else who
    items = "; ".join(f"item {row.code}, {row.name}" for row in found if "." in row.code)
    what = f": {items}" if items else f" ({found[0].name})"
    return f"{named} filed form {filing.form}{what}."[:600]


def _summary(filing: Filing, parsed: Parsed, found: Sequence[Row], texts: Sequence[str]) -> str:
    told = tell(parsed)
    if parsed.family not in ("ownership", "stake"):
        told = " ".join(part for part in (told, summarize(texts)) if part)
    return told or _announcement(filing, found, "", ())


def _by_event(found: Sequence[Row]) -> Iterator[_Witness]:
    leaning = max(found, key=lambda row: abs(row.lean))
    if leaning.lean:
        yield _Witness(leaning.lean, 1.5 * abs(leaning.lean), f"{leaning.event}: usually {_word(leaning.lean)}")


def _by_figures(facts: Sequence[Fact]) -> Iterator[_Witness]:
    """The first figure of each name against the prior one."""
    for name in _COMPARED:
        now, before = (_first(facts, name, scope) for scope in ("current", "prior"))
        if now is None or not before:
            continue
        change = float((now - before) / abs(before))
        moved = max(-1.0, min(1.0, 4 * change))
        yield _Witness(moved, 0.5, f"{name.replace('_', ' ')} {change:+.1%} against the prior period")


def _first(facts: Sequence[Fact], name: str, scope: str) -> Decimal | None:
    for fact in facts:
        if fact.name == name and fact.scope == scope and isinstance(fact.value, Decimal):
            return fact.value
    return None


def _by_words(text: str) -> Iterator[_Witness]:
    read = score("\n".join(_statements(text)))
    if read.hits:
        words = ", ".join(dict.fromkeys(read.hits[:5]))
        yield _Witness(
            _WORDS_AT_MOST * read.value, 0.6 * min(1.0, len(read.hits) / 4), f"lexicon {read.value:+.2f}: {words}"
        )


def _statements(text: str) -> Iterator[str]:
    """Sentences about business, as many as the lexicon reads; a filer's own praise of its news is none."""
    left = TEXT_BYTES
    for sentence in sentences(text):
        if left <= 0:
            return
        if not talks_of_judging(sentence):
            left -= len(sentence) + 1
            yield sentence


def _by_trades(parsed: Parsed) -> Iterator[_Witness]:
    for value, rule in leanings(parsed):
        yield _Witness(value, 0.6, rule)


def _verdict(witnesses: Sequence[_Witness]) -> tuple[float, float]:
    """(sentiment, confidence) from what the witnesses say."""
    weight = sum(witness.weight for witness in witnesses)
    if not weight:
        return 0.0, 0.3
    total = sum(witness.value * witness.weight for witness in witnesses)
    strength = sum(abs(witness.value) * witness.weight for witness in witnesses)
    agreement = abs(total) / strength if strength else 1.0
    return round(total / weight, 4), round(0.3 + 0.6 * agreement * min(1.0, weight / 2), 2)


def _removed(count: int) -> tuple[str, ...]:
    return (f"{count} passages that speak to a model left unread",) if count else ()


def _word(lean: float) -> str:
    strength = "" if abs(lean) >= 0.4 else "mildly "
    return strength + ("good" if lean > 0 else "bad") + " for holders"
