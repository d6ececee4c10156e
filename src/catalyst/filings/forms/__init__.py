"""Parsers of filings: bytes in, `catalyst.filings.types` out. No I/O, no clock; hostile input gives a typed error.

`SubmissionReader` reads a submission as it arrives, `read_submission` a whole file; `parse` picks the form's parser
from `PARSERS`, the only list of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from catalyst.filings.forms import eight_k, generic, late, notices, offering, ownership, periodic, proxy, stake
from catalyst.filings.forms.announced import announced
from catalyst.filings.forms.earnings import earnings, is_release
from catalyst.filings.forms.header import parse_header
from catalyst.filings.forms.sgml import MAX_BYTES, SubmissionReader, read_submission
from catalyst.filings.forms.text import document_text
from catalyst.filings.types import Parsed, Submission

__all__ = [
    "MAX_BYTES",
    "PARSERS",
    "SubmissionReader",
    "document_text",
    "earnings",
    "parse",
    "parse_header",
    "parser_of",
    "read_submission",
]

Parser = Callable[[Submission, str], Parsed]

PARSERS: tuple[tuple[str, Parser], ...] = (
    ("8-K", eight_k.parse),
    ("6-K", eight_k.parse),
    ("10-Q", periodic.parse),
    ("10-K", periodic.parse),
    ("20-F", periodic.parse),
    ("40-F", periodic.parse),
    ("3", ownership.parse),
    ("4", ownership.parse),
    ("5", ownership.parse),
    ("SCHEDULE 13", stake.parse),
    ("SC 13D", stake.parse),
    ("SC 13G", stake.parse),
    ("S-1", offering.parse),
    ("S-3", offering.parse),
    ("F-1", offering.parse),
    ("F-3", offering.parse),
    ("424B", offering.parse),
    ("NT 10", late.parse),
    ("NT 20-F", late.parse),
    ("NT 11-K", late.parse),
    ("NTN 10", late.parse),
    ("144", notices.intended_sale),
    ("D", notices.exempt_offering),
    ("25", notices.delisting),
    ("15-", notices.deregistration),
    ("15F", notices.deregistration),
    ("DEF 14A", proxy.meeting),
    ("PRE 14A", proxy.meeting),
    ("DEFM14A", proxy.meeting),
    ("PREM14A", proxy.meeting),
    ("SC TO", proxy.tender),
    ("SC 13E3", proxy.tender),
    ("SC 14D9", proxy.tender),
)
"""Form prefix -> parser; the first that fits wins, `generic` where none does."""


_RESULTS = frozenset(("2.02", "7.01", "12"))
_MOST_RELEASES = 4
_PLAIN = frozenset(("3", "4", "5", "144", "D"))


def parser_of(form: str) -> Parser:
    """The parser of a form type such as `10-Q/A`; the generic one for an unknown form."""
    name = form.upper().strip()
    for prefix, parser in PARSERS:
        if name == prefix or name == f"{prefix}/A" or (prefix not in _PLAIN and _begins(name, prefix)):
            return parser
    return generic.parse


def _begins(name: str, prefix: str) -> bool:
    """`10-KT` begins as a 10-K and `SCHEDULE 13D` as a SCHEDULE 13; `S-11` is no S-1."""
    following = name[len(prefix) :][:1]
    return name.startswith(prefix) and not (following.isdigit() and prefix[-1].isdigit())


def parse(submission: Submission, form: str = "") -> Parsed:
    """What the filing says. `form` (the feed's word) wins over the header's. Raises ParseError when nothing can be."""
    form = form or submission.header.form
    parsed = parser_of(form)(submission, form)
    if parsed.family != "eight_k":
        return parsed
    read = with_earnings(parsed)
    return read if read.facts else replace(read, facts=announced(read.items, read.exhibits))


def with_earnings(parsed: Parsed) -> Parsed:
    """An 8-K or 6-K with the figures of its earnings release: the first exhibit (or main text) that has any."""
    announced = _RESULTS & {*parsed.header.items, *(item.code for item in parsed.items)}
    texts = [exhibit.text for exhibit in parsed.exhibits]
    if not texts and not parsed.form.upper().startswith("8-K"):
        texts = [parsed.text]
    for text in texts[:_MOST_RELEASES]:
        if announced or is_release(text):
            facts = earnings(text)
            if facts:
                return replace(parsed, facts=(*parsed.facts, *facts))
    return parsed
