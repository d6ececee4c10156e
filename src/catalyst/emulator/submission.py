"""The full text of a filing: as recorded, by a stand-in under a rewritten header, or synthesised from its feed row.

A stand-in or synthesised text says so: its HTTP header `X-Catalyst-Recording`, and the line `<CATALYST-RECORDING>`
right after `<SEC-HEADER>`, which readers of SGML headers pass over as they do any tag they don't know.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from catalyst.clock import NEW_YORK
from catalyst.emulator.library import Library, Recorded, Span, whole
from catalyst.emulator.recording import Filing, Recording
from catalyst.emulator.rows import Row

Origin = Literal["recorded", "stand-in", "synthesised"]

_TAIL = b"\n</SEC-DOCUMENT>\n"
_REWRITTEN = 1 << 18
"""Bytes up to which an ownership document gets the parties of its row."""

_ROLES = {
    "filer": ("FILER", "COMPANY DATA"),
    "issuer": ("ISSUER", "COMPANY DATA"),
    "subject": ("SUBJECT COMPANY", "COMPANY DATA"),
    "filed by": ("FILED BY", "COMPANY DATA"),
    "reporting": ("REPORTING-OWNER", "OWNER DATA"),
}
_ORDER = ("reporting", "subject", "filer", "issuer", "filed by")


@dataclass(frozen=True, slots=True)
class Text:
    """A submission's bytes, some of them still on disk."""

    origin: Origin
    parts: tuple[bytes | Span, ...]

    @property
    def length(self) -> int:
        return sum(len(part) for part in self.parts)

    def read(self) -> bytes:
        return b"".join(part if isinstance(part, bytes) else part.read() for part in self.parts)


def text_of(recording: Recording, filing: Filing) -> Text:
    """The text that a filing is served with."""
    library = recording.library
    row = filing.row
    path = library.submission(row.accession)
    if path is not None and not filing.copy:
        return Text("recorded", (whole(path),))
    if path is not None:
        return _standing_in(library, filing, Recorded("submission", row.form, row.accession, path))
    file = library.stand_in(row.form, row.accession, [code for code, _ in row.items])
    return _standing_in(library, filing, file) if file else _synthesised(filing)


def _standing_in(library: Library, filing: Filing, file: Recorded) -> Text:
    if file.kind == "submission":
        span, count = library.documents(file.path)
        body: tuple[bytes | Span, ...] = (span,)
    else:
        opened, closed = _wrapper(filing.row.form, file.path.name)
        body, count = (opened, whole(file.path), closed), 1
    if filing.row.form.removesuffix("/A") in ("3", "4", "5") and sum(map(len, body)) <= _REWRITTEN:
        body = (_with_parties(Text("stand-in", body).read(), filing.rows),)
    return Text("stand-in", (header(filing, "stand-in", count), *body, _TAIL))


def _wrapper(form: str, name: str) -> tuple[bytes, bytes]:
    kind = "XML" if name.endswith(".xml") else ""
    safe = re.sub(r"[^A-Za-z0-9._-]", "", name.rpartition("__")[2])
    opened = f"<DOCUMENT>\n<TYPE>{form}\n<SEQUENCE>1\n<FILENAME>{safe}\n<DESCRIPTION>{form}\n<TEXT>\n"
    if not kind:
        return opened.encode(), b"\n</TEXT>\n</DOCUMENT>"
    return f"{opened}<{kind}>\n".encode(), f"\n</{kind}>\n</TEXT>\n</DOCUMENT>".encode()


def _with_parties(body: bytes, rows: Sequence[Row]) -> bytes:
    """An ownership document with the issuer and the owners of the feed's rows."""
    issuer = [row for row in rows if row.role.lower() == "issuer"]
    owners = [row for row in rows if row.role.lower() == "reporting"]
    for prefix, parties in ((b"issuer", issuer), (b"rptOwner", owners)):
        body = _fill(body, prefix + b"Cik", [row.cik for row in parties])
        body = _fill(body, prefix + b"Name", [html.escape(row.name, quote=False) for row in parties])
    return body


def _fill(body: bytes, tag: bytes, values: Sequence[str]) -> bytes:
    left = iter(values)

    def put(match: re.Match[bytes]) -> bytes:
        value = next(left, None)
        return match.group() if value is None else match.group(1) + value.encode("ascii", "xmlcharrefreplace")

    return re.sub(rb"(<" + tag + rb">)[^<]*", put, body)


def header(filing: Filing, origin: Origin, documents: int) -> bytes:
    """An SGML header with the identity that the feed's rows give: number, form, dates, items, parties."""
    row = filing.row
    accepted = datetime.fromtimestamp(row.accepted, NEW_YORK)
    period = _period(row, accepted.date())
    lines = [
        f"<SEC-DOCUMENT>{filing.accession}.txt : {row.filed:%Y%m%d}",
        f"<SEC-HEADER>{filing.accession}.hdr.sgml : {row.filed:%Y%m%d}",
        f"<CATALYST-RECORDING>{origin}",
        f"<ACCEPTANCE-DATETIME>{accepted:%Y%m%d%H%M%S}",
        f"ACCESSION NUMBER:\t\t{filing.accession}",
        f"CONFORMED SUBMISSION TYPE:\t{row.form}",
        f"PUBLIC DOCUMENT COUNT:\t\t{documents}",
        *([f"CONFORMED PERIOD OF REPORT:\t{period:%Y%m%d}"] if period else []),
        *[f"ITEM INFORMATION:\t\t{title}" for _, title in row.items],
        f"FILED AS OF DATE:\t\t{row.filed:%Y%m%d}",
        f"DATE AS OF CHANGE:\t\t{row.filed:%Y%m%d}",
        *_parties(filing.rows),
        "</SEC-HEADER>\n",
    ]
    return "\n".join(lines).encode("utf-8")


def _period(row: Row, accepted: date) -> date | None:
    form = row.form.removesuffix("/A")
    if form in ("10-Q", "10-K"):
        quarter = accepted.replace(month=(accepted.month - 1) // 3 * 3 + 1, day=1)
        return quarter - timedelta(days=1)
    return accepted if form in ("8-K", "6-K", "3", "4", "5", "144") else None


def _parties(rows: Sequence[Row]) -> Iterator[str]:
    known = sorted(rows, key=lambda row: _ORDER.index(row.role.lower()) if row.role.lower() in _ORDER else len(_ORDER))
    for row in known:
        section, data = _ROLES.get(row.role.lower(), (row.role.upper(), "COMPANY DATA"))
        yield f"\n{section}:\n\n\t{data}:\t"
        yield f"\t\tCOMPANY CONFORMED NAME:\t\t\t{row.name}"
        yield f"\t\tCENTRAL INDEX KEY:\t\t\t{row.cik}"
        yield f"\n\tFILING VALUES:\n\t\tFORM TYPE:\t\t{row.form}"


def _synthesised(filing: Filing) -> Text:
    row = filing.row
    items = "".join(
        f"<p><b>Item {html.escape(code)} {html.escape(title)}</b></p>\n<p>The feed names this item.</p>\n"
        for code, title in row.items
    )
    body = (
        f"<DOCUMENT>\n<TYPE>{row.form}\n<SEQUENCE>1\n<FILENAME>synthesised.htm\n<DESCRIPTION>{row.form}\n<TEXT>\n"
        f"<html><head><title>{html.escape(row.form)}</title></head><body>\n"
        f"<p>FORM {html.escape(row.form)}</p>\n<p>{html.escape(row.name)}</p>\n"
        f"<p>Date filed: {row.filed:%B} {row.filed.day}, {row.filed.year}</p>\n{items}"
        "<p>Synthesised from the feed row: the recording does not hold this filing, nor another of its form.</p>\n"
        "</body></html>\n</TEXT>\n</DOCUMENT>"
    )
    return Text("synthesised", (header(filing, "synthesised", 1), body.encode("utf-8"), _TAIL))
