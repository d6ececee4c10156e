"""8-K and 6-K: the items with their text, found in the body alone, and the EX-99 press releases.

The SGML header's item list is the reference; the body is read independently of it, so that the two can be compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice

from catalyst.filings.forms.header import OLD_NUMBERING_UNTIL
from catalyst.filings.forms.items import ITEMS, OLD_ITEMS, TITLES, words
from catalyst.filings.forms.parts import basis, main_text, releases
from catalyst.filings.types import Header, ItemText, Parsed, Submission

_GAP = r"[ \t]{0,3}"
_NUMBER = rf"(?:[1-9]{_GAP}\.{_GAP}[01]{_GAP}\d(?!\d)|1[0-2](?![\d.]\d)|[1-9](?!\d|{_GAP}\.{_GAP}\d))"
_SEPARATOR = r"[ \t|]{0,8}(?:,|;|&|/|and\b){1,3}[ \t|]{0,8}(?:items?[ \t|]{0,8})?"
_CODES = rf"{_NUMBER}(?:\([a-z]\))?(?:{_SEPARATOR}{_NUMBER}(?:\([a-z]\))?){{0,8}}"
_HEADING = re.compile(
    rf"items?(?:[ \t]{{0,3}}n(?:o|umber)s?\.?)?[\s|#:]{{0,8}}(?P<codes>{_CODES})(?P<after>[\s|.:;,)\]\-–—_*]{{0,40}})",
    re.IGNORECASE,
)
_LONGEST_LEAD = 400
_MOST_HEADINGS = 5_000
_ONE = re.compile(rf"{_NUMBER}")
_LINE_LEAD = re.compile(r"^[\s|•·*_\-–—>(\[\"“x☒\d.]{0,12}$|^[\W_]{0,12}section\s+\d", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.:;)\]\"”]\s*$")
_HANGING = re.compile(
    r"(?:\b(?:to|under|in|of|by|and|with|or|this|see|the|per|for|from|at|than|as|that|pursuant|on)|,)\s*$",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"[\W_]*(?:not\s+applicable|none|n/a|inapplicable|omitted|no response)\b", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"^[ \t|*_]{0,80}signatures?[ \t|*_:]{0,80}$"
    r"|^[ \t|]{0,80}pursuant to the requirements of the securities (?:and )?exchange act of 1934,",
    re.IGNORECASE | re.MULTILINE,
)
_OLD_CODES = frozenset(code for code, _ in OLD_ITEMS)
_NEW_CODES = frozenset(code for code, _ in ITEMS)


@dataclass(frozen=True, slots=True)
class _Heading:
    codes: tuple[str, ...]
    start: int
    body: int
    titled: bool


def parse(submission: Submission, form: str = "") -> Parsed:
    """Items and press releases. Where header and body name different items, `problems` says which."""
    parsed = basis(submission, form, "eight_k", main_text(submission))
    parsed = replace(parsed, exhibits=releases(submission))
    if not parsed.form.upper().startswith("8-K"):
        return parsed
    items = body_items(parsed.text, submission.header)
    problems = (*parsed.problems, *_disagreements(items, submission.header))
    return replace(parsed, items=items, problems=problems)


def body_items(text: str, header: Header | None = None) -> tuple[ItemText, ...]:
    """The items that the body reports, each with its title and text; those "not applicable" are left out."""
    mentions = islice(_HEADING.finditer(text), _MOST_HEADINGS)
    headings = [heading for found in mentions if (heading := _heading(text, found))]
    headings = _one_numbering(headings, header or Header())
    end = _signature(text, headings)
    best: dict[str, ItemText] = {}
    for index, heading in enumerate(headings):
        stop = headings[index + 1].start if index + 1 < len(headings) else len(text)
        content = text[heading.body : min(stop, end) if heading.body < end else stop].strip(" |\n")
        for code in heading.codes:
            item = _item(code, content)
            if item and (code not in best or len(item.text) > len(best[code].text)):
                best[code] = item
    return tuple(best[code] for code in sorted(best, key=lambda code: float(code)))


def _heading(text: str, found: re.Match[str]) -> _Heading | None:
    codes = tuple(dict.fromkeys("".join(code.split()) for code in _ONE.findall(found["codes"])))
    known = tuple(code for code in codes if code in TITLES)
    if not known:
        return None
    floor = max(0, found.start() - _LONGEST_LEAD)
    line_start = max(floor, text.rfind("\n", floor, found.start()) + 1)
    lead = text[line_start : found.start()]
    titled = _has_title(known[-1], text[found.end() : found.end() + 160])
    starts_line = _LINE_LEAD.search(lead) is not None
    if not starts_line and not (titled and _SENTENCE_END.search(lead)):
        return None
    if starts_line and not titled and _is_reference(text, found, line_start):
        return None
    return _Heading(known, found.start(), found.end(), titled)


def _has_title(code: str, after: str) -> bool:
    """Whether the words behind the number begin as the item's title does."""
    title, here = words(TITLES[code]).split(), words(after).split()[:6]
    return bool(here) and (title[:2] == here[:2] or (len(here) > 2 and title[:2] == here[1:3]))


def _is_reference(text: str, found: re.Match[str], line_start: int) -> bool:
    """Whether "Item 2.02" is a mention that a line break put at a line's start."""
    before = text[max(0, line_start - 200) : max(0, line_start - 1)]
    if before and not before.endswith("\n") and _HANGING.search(before):
        return True
    after = text[found.end() : found.end() + 40]
    return after[:1].islower() or after[:1] in "(,’'”\""


def _one_numbering(headings: list[_Heading], header: Header) -> list[_Heading]:
    """Only codes of the numbering in force: by filing date, or else by whether any code has a point."""
    pointed = any(code in _NEW_CODES for heading in headings for code in heading.codes)
    old = header.filed <= OLD_NUMBERING_UNTIL if header.filed else not pointed
    allowed = _OLD_CODES if old else _NEW_CODES
    kept = []
    for heading in headings:
        codes = tuple(code for code in heading.codes if code in allowed)
        if codes:
            kept.append(_Heading(codes, heading.start, heading.body, heading.titled))
    return kept


def _signature(text: str, headings: list[_Heading]) -> int:
    """Where the signatures behind the last item begin."""
    last = headings[-1].body if headings else 0
    found = _SIGNATURE.search(text, last)
    return found.start() if found else len(text)


def _item(code: str, content: str) -> ItemText | None:
    title, text = _split_title(code, content)
    if _NOTHING.match(text) and len(text) < 400:
        return None
    return ItemText(code, title, text)


def _split_title(code: str, content: str) -> tuple[str, str]:
    """The title as the form has it, and the text behind the heading's own wording of it."""
    title = TITLES[code]
    if not _has_title(code, content[:160]):
        return title, content
    line, _, rest = content.partition("\n")
    if len(line) <= len(title) + 60 and len(words(line)) <= len(words(title)) + 20:
        return title, rest.strip()
    end = _title_length(title, line)
    return title, content[end:].lstrip(" .:;-–—|\n")


def _title_length(title: str, line: str) -> int:
    """How many characters of the line repeat the title, word for word."""
    at = 0
    for word in words(title).split():
        place = line.lower().find(word, at, at + len(word) + 12)
        if place < 0:
            break
        at = place + len(word)
    return at


def _disagreements(items: tuple[ItemText, ...], header: Header) -> tuple[str, ...]:
    if not header.items:
        return ()
    named, found = set(header.items), {item.code for item in items}
    missing, extra = sorted(named - found), sorted(found - named)
    told = []
    if missing:
        told.append(f"items in the header but not in the body: {', '.join(missing)}")
    if extra:
        told.append(f"items in the body but not in the header: {', '.join(extra)}")
    return tuple(told)
