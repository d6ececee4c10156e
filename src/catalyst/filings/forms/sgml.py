"""A submission's SGML, read as it arrives: header, documents, and when the connection may be closed.

`SubmissionReader` is a pure state machine over bytes (`wanted.py` holds the policy). However the bytes are cut, the
Submission is the same; each byte is looked at a bounded number of times; bodies nobody wants are not kept.
Structure: https://www.sec.gov/info/edgar/specifications/pds_dissemination_spec.pdf
"""

from __future__ import annotations

import re
from collections.abc import Callable

from catalyst.errors import ParseError
from catalyst.filings.forms.bare import bare_submission
from catalyst.filings.forms.header import parse_header
from catalyst.filings.forms.text import decode
from catalyst.filings.forms.wanted import Wanted
from catalyst.filings.types import Document, Header, Submission

MAX_BYTES = 50 * 1024 * 1024
_HEAD_BYTES = 16 * 1024
_TAIL = 64
_MOST_DOCUMENTS = 5_000

_OPEN = re.compile(rb"<(DOCUMENT)>\s{0,16}<TYPE>", re.IGNORECASE)
_NEXT = re.compile(
    rb"<(DOCUMENT)>|(</SEC-DOCUMENT>|</IMS-DOCUMENT>|</SUBMISSION>)|(<SEC-DOCUMENT>|-----BEGIN PRIV)", re.IGNORECASE
)
_HEADER_END = re.compile(rb"</(?:SEC|IMS)-HEADER>", re.IGNORECASE)
_TEXT = re.compile(rb"<TEXT>", re.IGNORECASE)
_FIELD = re.compile(r"<(TYPE|SEQUENCE|FILENAME|DESCRIPTION)>([^<\r\n]*)", re.IGNORECASE)
_TEXT_END = re.compile(rb"\s*</TEXT>\s*\Z", re.IGNORECASE)
_WRAPPER = re.compile(rb"\s*<(XBRL|XML|PDF)>\s*", re.IGNORECASE)
_UUENCODED = re.compile(rb"\s*begin [0-7]{3} \S")


class SubmissionReader:
    """Feed it a `.txt` submission in pieces; `done` says when no wanted document can follow."""

    def __init__(self, form: str = "", max_bytes: int = MAX_BYTES) -> None:
        self.header: Header | None = None
        self.done = False
        self.done_reason = ""
        self.received = 0
        self._max_bytes = max_bytes
        self._wanted = Wanted(form)
        self._buffer = bytearray()
        self._scanned = 0
        self._tag = b"DOCUMENT"
        self._document = Document("", 0, "", "", b"")
        self._keeps = False
        self._documents: list[Document] = []
        self._problems: list[str] = []
        self._step: Callable[[], bool] = self._start

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; what comes after `done` is ignored."""
        if self.done:
            return
        room = self._max_bytes - self.received
        self.received += min(len(chunk), room)
        self._buffer += chunk[:room] if len(chunk) > room else chunk
        while not self.done and self._step():
            pass
        if not self.done and len(chunk) > room:
            self._problems.append(f"larger than {self._max_bytes:,} bytes: the rest was not read")
            self._finish("too large")

    def close(self) -> Submission:
        """What was read. Raises ParseError when it was no filing at all or too large before its main document ended."""
        if self._step == self._start:
            return self._close_bare()
        if self.done_reason in ("", "too large"):
            self._close_early()
        if self.done_reason == "too large" and not any(document.body for document in self._documents):
            raise ParseError(f"larger than {self._max_bytes:,} bytes: raise the limit or fetch the documents singly")
        return Submission(self._any_header(), tuple(self._documents), tuple(self._problems))

    def _any_header(self) -> Header:
        return self.header or Header()

    def _finish(self, reason: str) -> None:
        self.done, self.done_reason = True, reason

    # Steps: each consumes what it can and says whether the next one may run.

    def _start(self) -> bool:
        found = _OPEN.search(self._buffer, self._scanned)
        if found is None:
            self._scanned = max(0, len(self._buffer) - _TAIL)
            return False
        self._tag = bytes(found[1])
        head = bytes(self._buffer[: found.start()])
        self._read_header(head)
        self._consume(found.end(1) + 1)
        self._step = self._document_head
        return True

    def _read_header(self, head: bytes) -> None:
        self.header = parse_header(decode(head))
        if not head.strip():
            self._problems.append("no SGML header")
        elif not self.header.accession:
            self._problems.append("the header has no accession number")
        if head.strip() and not _HEADER_END.search(head) and b"<SUBMISSION>" not in head.upper():
            self._problems.append("the header has no end")
        self._wanted.form = self._wanted.form or self.header.form.upper()

    def _document_head(self) -> bool:
        found = _TEXT.search(self._buffer, self._scanned, _HEAD_BYTES)
        if found is None and len(self._buffer) < _HEAD_BYTES:
            self._scanned = max(0, len(self._buffer) - _TAIL)
            return False
        end = found.end() if found else 0
        if not found:
            self._problems.append("a document has no <TEXT>")
        self._open_document(bytes(self._buffer[: end or 2_000]))
        self._consume(end)
        self._step = self._body
        return not self.done

    def _open_document(self, head: bytes) -> None:
        fields = {name.upper(): value.strip() for name, value in reversed(_FIELD.findall(decode(head)))}
        sequence = fields.get("SEQUENCE", "")
        self._document = Document(
            type=fields.get("TYPE", ""),
            sequence=int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 9 else 0,
            filename=fields.get("FILENAME", ""),
            description=fields.get("DESCRIPTION", ""),
            body=b"",
        )
        self._wanted.form = self._wanted.form or self._document.type.upper()
        if self._wanted.is_over(self._document.type) or len(self._documents) >= _MOST_DOCUMENTS:
            self._finish("nothing wanted follows")
        self._keeps = self._wanted.wants(self._document.type)

    def _body(self) -> bool:
        """Look for the document's end, or for the next one's beginning where the end is missing."""
        name = self._tag + b">"
        at = self._buffer.find(name, self._scanned)
        while at >= 0:
            if self._buffer[at - 2 : at] == b"</":
                self._close_document(at - 2, at + len(name))
                return not self.done
            if self._buffer[at - 1 : at] == b"<":
                if len(self._buffer) < at + len(name) + _TAIL:
                    break
                if _OPEN.match(self._buffer, at - 1):
                    self._problems.append(f"document {self._document.type or '?'} has no end")
                    self._close_document(at - 1, at - 1)
                    return not self.done
            at = self._buffer.find(name, at + len(name))
        self._scanned = at if at >= 0 else max(0, len(self._buffer) - _TAIL)
        self._forget_unwanted()
        return False

    def _forget_unwanted(self) -> None:
        if not self._keeps and self._scanned > _TAIL:
            self._consume(self._scanned - _TAIL, scanned=_TAIL)

    def _close_document(self, end: int, after: int) -> None:
        body = _unwrapped(bytes(self._buffer[:end])) if self._keeps else b""
        kind = self._document
        self._documents.append(Document(kind.type, kind.sequence, kind.filename, kind.description, body))
        if self._keeps:
            self._wanted.kept(kind.type, body)
        self._consume(after)
        self._step = self._between
        if self._wanted.satisfied:
            self._finish("all wanted documents are here")

    def _between(self) -> bool:
        found = _NEXT.search(self._buffer, self._scanned)
        if found is None:
            self._consume(max(0, len(self._buffer) - _TAIL))
            return False
        if found[1]:
            self._tag = bytes(found[1])
            self._consume(found.end())
            self._step = self._document_head
            return True
        if found[3]:
            self._problems.append("the file holds a second submission: only the first was read")
        self._finish("the submission ended")
        return False

    def _consume(self, count: int, scanned: int = 0) -> None:
        del self._buffer[:count]
        self._scanned = scanned

    # The end of the bytes.

    def _close_early(self) -> None:
        """The bytes ended before the submission did: keep what there is of the open document, and say so."""
        if self._step == self._document_head:
            if _FIELD.search(decode(bytes(self._buffer[:2_000]))):
                self._open_document(bytes(self._buffer[:2_000]))
            self._problems.append("truncated: ends in a document's head")
        elif self._step == self._body:
            self._close_open_body()
        else:
            self._problems.append("truncated: the submission has no end")
        self._finish(self.done_reason or "truncated")

    def _close_open_body(self) -> None:
        found = _OPEN.search(self._buffer, max(0, self._scanned - 1))
        self._problems.append(f"truncated: document {self._document.type or '?'} is not complete")
        if self.done_reason == "too large" and not self._documents:
            return
        reason, end = self.done_reason, found.start() if found else len(self._buffer)
        self._close_document(end, end)
        self.done_reason = reason

    def _close_bare(self) -> Submission:
        if self.done_reason == "too large":
            raise ParseError(f"larger than {self._max_bytes:,} bytes without a document: not a filing")
        return bare_submission(bytes(self._buffer), self._wanted.form)


def _unwrapped(body: bytes) -> bytes:
    """A body without `</TEXT>` and its `<XBRL>` or `<XML>` wrapper; empty for PDF and uuencoded content."""
    end = _TEXT_END.search(body, max(0, len(body) - 200))
    if end:
        body = body[: end.start()]
    found = _WRAPPER.match(body)
    if found is None:
        return b"" if _UUENCODED.match(body) else body
    name = bytes(found[1])
    if name.upper() == b"PDF":
        return b""
    stop = body.rfind(b"</" + name + b">")
    return body[found.end() : stop if stop >= 0 else len(body)]


def read_submission(data: bytes, form: str = "", max_bytes: int = MAX_BYTES) -> Submission:
    """A whole file: a submission, a header alone, or one bare document. Raises ParseError when it is none of them."""
    reader = SubmissionReader(form, max_bytes)
    reader.feed(data)
    return reader.close()
