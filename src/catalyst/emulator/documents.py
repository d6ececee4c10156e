"""The documents inside a submission, and the pages that list them: `-index.htm`, `index.json`. Pure."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime

import orjson

from catalyst.clock import NEW_YORK
from catalyst.emulator.recording import Filing

_DOCUMENT = re.compile(rb"<DOCUMENT>(.*?)(?:</DOCUMENT>|\Z)", re.DOTALL)
_TEXT = re.compile(rb"<TEXT>\r?\n?(.*?)\r?\n?</TEXT>", re.DOTALL)
_WRAPPER = re.compile(rb"\s*<(XML|XBRL)>\r?\n?(.*?)\r?\n?</\1>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One document as the folder would hold it."""

    sequence: str
    type: str
    filename: str
    description: str
    body: bytes


def parts(submission: bytes) -> list[Part]:
    """The documents of a submission, in order."""
    return [_part(match.group(1)) for match in _DOCUMENT.finditer(submission)]


def _part(block: bytes) -> Part:
    text = _TEXT.search(block)
    body = text.group(1) if text else b""
    wrapped = _WRAPPER.fullmatch(body)
    return Part(
        _tag(block, b"SEQUENCE"),
        _tag(block, b"TYPE"),
        _tag(block, b"FILENAME"),
        _tag(block, b"DESCRIPTION"),
        wrapped.group(2) if wrapped else body,
    )


def _tag(block: bytes, name: bytes) -> str:
    match = re.search(rb"<" + name + rb">([^\r\n<]*)", block[:4096])
    return match.group(1).decode("iso-8859-1").strip() if match else ""


def index_json(filing: Filing, listed: list[Part]) -> bytes:
    """The folder's listing."""
    moment = f"{datetime.fromtimestamp(filing.row.accepted, NEW_YORK):%Y-%m-%d %H:%M:%S}"
    names = [(f"{filing.accession}{suffix}", "") for suffix in ("-index-headers.html", "-index.html", ".txt")]
    names += [(part.filename, str(len(part.body))) for part in listed if part.filename]
    item = [{"last-modified": moment, "name": name, "type": "text.gif", "size": size} for name, size in names]
    folder = _folder(filing)
    return orjson.dumps({"directory": {"item": item, "name": folder, "parent-dir": folder.rpartition("/")[0]}})


def index_page(filing: Filing, listed: list[Part]) -> bytes:
    """The filing's detail page, with the class names that readers of it look for."""
    row, folder = filing.row, _folder(filing)
    accepted = datetime.fromtimestamp(row.accepted, NEW_YORK)
    groups = [
        ("Filing Date", f"{row.filed}"),
        ("Accepted", f"{accepted:%Y-%m-%d %H:%M:%S}"),
        ("Documents", str(len(listed))),
        *([("Items", "<br />".join(html.escape(f"Item {c}: {t}") for c, t in row.items))] if row.items else []),
    ]
    cells = "\n".join(f'<div class="infoHead">{name}</div>\n<div class="info">{value}</div>' for name, value in groups)
    table = "\n".join(_line(folder, part) for part in listed)
    companies = "\n".join(
        f'<div class="companyInfo"><span class="companyName">{html.escape(party.name)} ({html.escape(party.role)}) '
        f'<acronym title="Central Index Key">CIK</acronym>: <a href="/cgi-bin/browse-edgar?action=getcompany&amp;'
        f'CIK={party.cik}">{party.cik} (see all company filings)</a></span></div>'
        for party in filing.rows
    )
    form = html.escape(row.form)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8" />'
        f'<title>EDGAR Filing Documents for {filing.accession}</title></head>\n<body>\n<div id="contentDiv">\n'
        f'<div id="formHeader"><div id="formName"><strong>Form {form}</strong></div>\n'
        f'<div id="secNum"><strong>SEC Accession No.</strong> {filing.accession}</div></div>\n'
        f'<div class="formContent"><div class="formGrouping">\n{cells}\n</div></div>\n'
        '<p>Document Format Files</p>\n<table class="tableFile" summary="Document Format Files">\n'
        '<tr><th scope="col">Seq</th><th scope="col">Description</th><th scope="col">Document</th>'
        f'<th scope="col">Type</th><th scope="col">Size</th></tr>\n{table}\n'
        f'<tr><td scope="row">&nbsp;</td><td scope="row">Complete submission text file</td><td scope="row">'
        f'<a href="{folder}/{filing.accession}.txt">{filing.accession}.txt</a></td><td scope="row">&nbsp;</td>'
        f'<td scope="row"></td></tr>\n</table>\n{companies}\n</div>\n</body></html>\n'
    ).encode()


def _line(folder: str, part: Part) -> str:
    name = html.escape(part.filename)
    cells = (
        html.escape(part.sequence),
        html.escape(part.description),
        f'<a href="{folder}/{name}">{name}</a>',
        html.escape(part.type),
        str(len(part.body)),
    )
    return "<tr>" + "".join(f'<td scope="row">{cell}</td>' for cell in cells) + "</tr>"


def _folder(filing: Filing) -> str:
    return f"/Archives/edgar/data/{int(filing.row.cik)}/{filing.accession.replace('-', '')}"
