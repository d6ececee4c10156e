"""Any form without a parser of its own: its text, and the text of its EX-99 exhibits where they were kept."""

from __future__ import annotations

from dataclasses import replace

from catalyst.filings.forms.parts import basis, main_document, main_text, releases
from catalyst.filings.forms.xmltext import is_xml, xml_text
from catalyst.filings.types import Parsed, Submission


def parse(submission: Submission, form: str = "") -> Parsed:
    """The main document's text; an XML document becomes lines of `name: value`."""
    main = main_document(submission)
    text = xml_text(main.body) if main and is_xml(main.body) else main_text(submission)
    return replace(basis(submission, form, "generic", text), exhibits=releases(submission))
