"""What every parser takes from a submission: the main document, its exhibits, and the start of its result."""

from __future__ import annotations

from typing import Literal

from catalyst.errors import ParseError
from catalyst.filings.forms.text import document_text
from catalyst.filings.types import Document, Exhibit, Parsed, Submission
from catalyst.stream.types import Fact

Family = Literal["eight_k", "periodic", "ownership", "offering", "stake", "generic"]
MAX_QUOTE = 400


def main_document(submission: Submission) -> Document | None:
    """The first document with a body: a PDF letter before its extracted text has none."""
    return next((document for document in submission.documents if document.body.strip()), None)


def main_text(submission: Submission) -> str:
    """The main document as plain text; empty when there is none."""
    main = main_document(submission)
    return document_text(main.body) if main else ""


def releases(submission: Submission) -> tuple[Exhibit, ...]:
    """The EX-99.x documents as text, in the filing's order."""
    main = main_document(submission)
    return tuple(
        Exhibit(document.type, document.filename, document_text(document.body))
        for document in submission.documents
        if document.type.upper().startswith("EX-99") and document.body and document is not main
    )


def basis(submission: Submission, form: str, family: Family, text: str) -> Parsed:
    """A result that has the text alone. Raises ParseError when there is nothing at all to tell."""
    header = submission.header
    if not submission.documents and not header.accession and not header.parties:
        raise ParseError("no document and no header: the file is not a filing, or was cut at its start")
    problems = submission.problems
    if submission.documents and not text:
        problems = (*problems, "the main document has no text")
    return Parsed(header.accession, form or header.form, family, text, header=header, problems=problems)


def quoted(text: str) -> str:
    """A quote on one line, at most 400 characters."""
    return " ".join(text.split())[:MAX_QUOTE]


def fact(name: str, value: object, **fields: object) -> Fact:
    """A Fact with its quote cut to size."""
    fields["quote"] = str(fields.get("quote", ""))[:MAX_QUOTE]
    return Fact.model_validate({"name": name, "value": value, **fields})
