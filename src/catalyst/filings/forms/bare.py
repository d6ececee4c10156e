"""Files without `<DOCUMENT>` tags: a header alone, one bare document, or a copy whose tags were stripped."""

from __future__ import annotations

import re

from catalyst.errors import ParseError
from catalyst.filings.forms.header import parse_header
from catalyst.filings.forms.text import decode
from catalyst.filings.types import Document, Header, Submission

_HEADER = re.compile(rb"<(?:SEC|IMS)-HEADER>|<SUBMISSION>|&lt;SEC-HEADER|ACCESSION NUMBER:\s|<ACCESSION-NUMBER>")
_HEADER_END = re.compile(rb"(?:</|&lt;/)(?:SEC|IMS)-HEADER(?:>|&gt;)")
_HEADER_LINE = re.compile(r"\s*[A-Z][A-Z0-9 /&.()-]*:(?:\s|$)|\s*$|\s*<")
_KINDS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "gzip-compressed",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
}
_FORM_ON_COVER = re.compile(
    rb"FORM\s*(8-K|10-Q|10-K|20-F|40-F|6-K|S-1|S-3|F-1|F-3)(/A)?\b|(SCHEDULE)\s+(13[DG])(/A)?", re.IGNORECASE
)
_XML_FORM = re.compile(
    rb"<(?:\w+:)?(?:documentType|submissionType|formType)>\s*([A-Z0-9][A-Z0-9/ -]{0,18}?)\s*</", re.IGNORECASE
)
_DEI_FORM = re.compile(rb"name=\"dei:DocumentType\"[^<>]*>(?:<[^<>]*>){0,8}\s*([A-Z0-9][A-Z0-9/-]{0,9})", re.IGNORECASE)
_TAGS = re.compile(rb"<[^<>]*>|&(?:nbsp|#160|#xa0);")
_LEAST_BODY = 40
_SPACE = re.compile(rb"\s+")


def bare_submission(data: bytes, form: str = "") -> Submission:
    """A Submission of what the file holds, or ParseError when it is empty or not text."""
    _refuse_binary(data)
    if _HEADER.search(data[:16_000]):
        return _headed(data, form)
    form = form or guess_form(data)
    problem = "no SGML header: read as a bare document"
    return Submission(Header(form=form), (Document(form, 1, "", "", data),), (problem,))


def _refuse_binary(data: bytes) -> None:
    if not data.strip():
        raise ParseError("the file is empty: fetch it again")
    for magic, kind in _KINDS.items():
        if data.startswith(magic):
            raise ParseError(f"the file is {kind}, not a filing: give the submission's .txt, .htm or .xml")
    start = data[:8_000]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return
    odd = sum(start.count(code) for code in _CONTROLS)
    if b"\x00" in start or odd > len(start) // 20:
        raise ParseError("the file is binary, not a filing: give the submission's .txt, .htm or .xml")


_CONTROLS = tuple(bytes([code]) for code in range(32) if code not in (9, 10, 12, 13, 26, 27))


def _headed(data: bytes, form: str) -> Submission:
    end = _HEADER_END.search(data[:1_000_000])
    if end:
        header = parse_header(decode(data[: end.end()]))
        return Submission(header, (), ("the file holds only a header",))
    head, body = _split_stripped(decode(data))
    header = parse_header(head)
    if len(body.strip()) < _LEAST_BODY:
        return Submission(header, (), ("truncated: the header has no end",))
    document = Document(form or header.form, 1, "", "", body.encode())
    return Submission(header, (document,), ("the document tags are missing: read as one document",))


def _split_stripped(text: str) -> tuple[str, str]:
    """Header and rest of a file without tags: the header's lines are `KEY: value`, up to the first that is not."""
    start = text.find("ACCESSION NUMBER:")
    at = max(start, 0)
    while at < len(text):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop + 1
        if not _HEADER_LINE.match(text[at : min(stop, at + 200)]):
            break
        at = stop
    return text[:at], text[at:]


def guess_form(data: bytes) -> str:
    """The form that a bare document names: in its XML, in its inline XBRL, or on its cover; else empty."""
    found = _XML_FORM.search(data[:20_000]) or _DEI_FORM.search(data[:500_000])
    if found:
        return found[1].decode("ascii").upper()
    cover = _SPACE.sub(b" ", _TAGS.sub(b" ", data[:60_000]))[:3_000]
    found = _FORM_ON_COVER.search(cover)
    if found is None:
        return ""
    if found[3]:
        return f"SCHEDULE {(found[4] + (found[5] or b'')).decode('ascii').upper()}"
    return (found[1] + (found[2] or b"")).decode("ascii").upper()
