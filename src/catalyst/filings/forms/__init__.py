"""Parsers of filings: bytes in, `catalyst.filings.types` out. No I/O, no clock; hostile input gives a typed error.

`SubmissionReader` reads a submission as it arrives, `read_submission` a whole file; `parse` picks the form's parser
from `PARSERS`, the only list of them.
"""

from __future__ import annotations

from collections.abc import Callable

from catalyst.filings.forms import eight_k, generic
from catalyst.filings.forms.header import parse_header
from catalyst.filings.forms.sgml import MAX_BYTES, SubmissionReader, read_submission
from catalyst.filings.forms.text import document_text
from catalyst.filings.types import Parsed, Submission

__all__ = [
    "MAX_BYTES",
    "PARSERS",
    "SubmissionReader",
    "document_text",
    "parse",
    "parse_header",
    "parser_of",
    "read_submission",
]

Parser = Callable[[Submission, str], Parsed]

PARSERS: tuple[tuple[str, Parser], ...] = (
    ("8-K", eight_k.parse),
    ("6-K", eight_k.parse),
)
"""Form prefix -> parser; the first that fits wins, `generic` where none does."""


def parser_of(form: str) -> Parser:
    """The parser of a form type such as `10-Q/A`; the generic one for an unknown form."""
    name = form.upper()
    for prefix, parser in PARSERS:
        if name == prefix or (name.startswith(prefix) and not name[len(prefix)].isdigit()):
            return parser
    return generic.parse


def parse(submission: Submission, form: str = "") -> Parsed:
    """What the filing says. `form` (the feed's word) wins over the header's. Raises ParseError when nothing can be."""
    form = form or submission.header.form
    return parser_of(form)(submission, form)
