"""Form 12b-25 (NT 10-K, NT 10-Q …): which report is late, why, and whether results change much.

Part III holds the reason in the filer's words; Part IV (3) asks whether a significant change in results is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from catalyst.filings.forms.parts import MAX_QUOTE, basis, fact, main_text, quoted
from catalyst.filings.forms.sentences import sentences
from catalyst.filings.types import Parsed, Submission
from catalyst.stream.types import Fact

_READ = 60_000
_NARRATIVE = re.compile(r"part\s+iii\b[\s|.:–—-]{0,12}narrative", re.IGNORECASE)
_PART_IV = re.compile(r"part\s+iv\b[\s|.:–—-]{0,12}other", re.IGNORECASE)
_ASKED = re.compile(
    r"state\s+below\s+in\s+reasonable\s+detail|"
    r"could\s+not\s+be\s+filed\s+within\s+the\s+prescribed\s+(?:time\s+)?period\s*\.?$|"
    r"attach\s+extra\s+sheets|^\(?\s*attach",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"is\s+it\s+anticipated\s+that\s+any\s+significant\s+change\s+in\s+results\s+of\s+operations", re.IGNORECASE
)
_MARKS = re.compile(
    r"(?P<on>☒|☑|þ|ý|\[\s?x\s?\]|\(\s?x\s?\)|(?<![A-Za-z])x(?![A-Za-z]))|(?P<off>☐|\[\s{0,3}_?\s?\]|\(\s?\)|¨|"
    r"(?<![A-Za-z])o(?![A-Za-z]))|"
    r"(?P<word>\byes\b|\bno\b)",
    re.IGNORECASE,
)
_IF_SO = re.compile(r"if\s+so[:,]?\s+attach\s+an\s+explanation", re.IGNORECASE)
_EXPLAINED = re.compile(r"estimate\s+of\s+the\s+results\s+cannot\s+be\s+made\s*\.?", re.IGNORECASE)
_MOVED = re.compile(
    r"\b(?:increas\w+|decreas\w+|net loss|net income|revenues?|impairment|compared (?:to|with)|expects? to "
    r"report|lower|higher)\b",
    re.IGNORECASE,
)
_ENDED = re.compile(
    r"for\s+(?:the\s+)?(?:fiscal\s+)?period\s+ended:?[\s|]{0,6}(?P<day>[A-Z][a-z]{2,8}\.?\s+\d{1,2},\s+20\d\d)",
    re.IGNORECASE,
)
_FORMS = re.compile(r"NT\s?(?:NT)?\s?(10-?K|10-?Q|20-?F|11-?K|N-CEN|10-?D|N-CSR)", re.IGNORECASE)


def parse(submission: Submission, form: str = "") -> Parsed:
    """The text, the reason, and the expected change."""
    parsed = basis(submission, form, "generic", main_text(submission))
    return replace(parsed, facts=tuple(_facts(parsed)))


def _facts(parsed: Parsed) -> Iterator[Fact]:
    text = parsed.text[:_READ]
    period = parsed.header.period.isoformat() if parsed.header.period else ""
    ended = _ENDED.search(text)
    late = _FORMS.search(parsed.form)
    if late:
        yield fact("late_form", late[1].upper(), period=period, quote=quoted(ended[0]) if ended else "", verified=True)
    reason = _reason(text)
    if reason:
        yield fact("late_reason", reason, period=period, quote=reason, verified=True)
    yield from _change(text, period)


def _reason(text: str) -> str:
    """What stands in Part III, the form's own question left out: its first sentence."""
    start = _NARRATIVE.search(text)
    if start is None:
        return ""
    end = _PART_IV.search(text, start.end())
    part = text[start.end() : end.start() if end else start.end() + 6_000]
    said = [one for one in sentences(part) if len(one) > 20 and not _ASKED.search(one)]
    return said[0][:MAX_QUOTE] if said else ""


def _change(text: str, period: str) -> Iterator[Fact]:
    asked = _CHANGE.search(text)
    if asked is None:
        return
    answer = text[asked.end() : asked.end() + 700]
    stop, begin = _IF_SO.search(answer), answer.find("?") + 1
    ticked = _ticked(answer[begin : stop.start() if stop else begin + 120])
    if ticked:
        yield fact("significant_change_expected", ticked, period=period, quote=quoted(asked[0]), verified=True)
    if ticked != "yes":
        return
    after = _EXPLAINED.search(text, asked.end())
    rest = text[after.end() if after else asked.end() + 400 :][:8_000]
    told = next((one for one in sentences(rest) if len(one) > 40 and _MOVED.search(one)), "")
    if told:
        yield fact("expected_change", told[:MAX_QUOTE], period=period, quote=told, verified=True)


def _ticked(answer: str) -> str:
    """`yes` or `no` by the box that is ticked, standing before or behind its word; empty where that is unclear."""
    tokens = [(found.lastgroup or "", found.group().lower()) for found in _MARKS.finditer(answer)]
    words = [place for place, (kind, _) in enumerate(tokens) if kind == "word"]
    marks = [place for place, (kind, _) in enumerate(tokens) if kind != "word"]
    if not words or not marks:
        return ""
    step = -1 if marks[0] < words[0] else 1
    on = [tokens[place][1] for place in words if _is_on(tokens, place + step)]
    return on[0] if len(on) == 1 else ""


def _is_on(tokens: list[tuple[str, str]], place: int) -> bool:
    return 0 <= place < len(tokens) and tokens[place][0] == "on"
