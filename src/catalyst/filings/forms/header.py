"""The SGML header of a submission, in both of its spellings, as one `Header`.

EDGAR disseminates `KEY: value` lines under section names (`FILER:`, `REPORTING-OWNER:`); the PDS feed and `-index`
headers write `<KEY>value` with sections as tags. Both are read line by line into the same (key, value) pairs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from catalyst.filings.forms.items import item_code
from catalyst.filings.types import Header, Party

NEW_YORK = ZoneInfo("America/New_York")
OLD_NUMBERING_UNTIL = date(2004, 8, 22)
_MOST_PARTIES = 2_000

_TAGGED = re.compile(r"<(/?)([A-Za-z][\w-]*)>([^<\r\n]*)")
_KEYED = re.compile(r"^\s*([A-Z][A-Z0-9 /&.()-]*?):(?:[ \t]+(.*?))?\s*$")
_ACCESSION = re.compile(r"\b(\d{10}-\d{2}-\d{6})\b")
_BARE_TIME = re.compile(r"^\s*(\d{14})\s*$", re.MULTILINE)
_ROLES = {
    "FILER": "filer",
    "FILED BY": "filed by",
    "ISSUER": "issuer",
    "REPORTING OWNER": "reporting",
    "OWNER": "reporting",
    "SUBJECT COMPANY": "subject",
    "FILED FOR": "filed for",
    "SERIAL COMPANY": "serial",
    "DEPOSITOR": "depositor",
    "SECURITIZER": "securitizer",
    "ISSUING ENTITY": "issuing entity",
    "UNDERWRITER": "underwriter",
}
_NAMES = {
    "CONFORMED SUBMISSION TYPE": "form",
    "TYPE": "form",
    "CONFORMED PERIOD OF REPORT": "period",
    "PERIOD": "period",
    "FILED AS OF DATE": "filed",
    "FILING DATE": "filed",
    "ACCEPTANCE DATETIME": "accepted",
    "ACCESSION NUMBER": "accession",
    "ITEM INFORMATION": "item",
    "ITEMS": "item",
    "COMPANY CONFORMED NAME": "name",
    "CONFORMED NAME": "name",
    "CENTRAL INDEX KEY": "cik",
    "CIK": "cik",
}


def parse_header(text: str) -> Header:
    """What the header says; empty values where it is silent or malformed. `raw` holds the first value of each key."""
    if "&lt;" in text:
        text = html.unescape(text)
    raw: dict[str, str] = {}
    items: list[str] = []
    parties: list[list[str]] = []
    for key, value in _pairs(text):
        name = _NAMES.get(key, "")
        if key in _ROLES and not value and len(parties) < _MOST_PARTIES:
            parties.append([_ROLES[key], "", ""])
        elif name == "item":
            items.append(value)
        elif name in ("cik", "name") and parties:
            place = 1 if name == "cik" else 2
            parties[-1][place] = parties[-1][place] or value
        elif value:
            raw.setdefault(name or key.lower(), value)
    return _header(text, raw, items, parties)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """(KEY, value) of each line in either spelling; section openings have an empty value."""
    for line in text.splitlines():
        if "<" in line:
            for close, key, value in _TAGGED.findall(line):
                if not close:
                    yield key.upper().replace("-", " ").replace("_", " "), value.strip()
            continue
        found = _KEYED.match(line[:2_000])
        if found:
            yield found[1].replace("-", " "), (found[2] or "").strip()


def _header(text: str, raw: dict[str, str], items: list[str], parties: list[list[str]]) -> Header:
    filed = _day(raw.get("filed", ""))
    old = filed is not None and filed <= OLD_NUMBERING_UNTIL
    form = raw.get("form", "")
    accession = _ACCESSION.search(raw.get("accession", "")) or _ACCESSION.search(text[:4_000])
    codes = [item_code(item, old) or item for item in items if item] if form.startswith("8-K") else items
    return Header(
        accession=accession[1] if accession else "",
        form=form,
        period=_day(raw.get("period", "")),
        filed=filed,
        accepted=_moment(raw.get("accepted", "")) or _bare_moment(text),
        items=tuple(dict.fromkeys(code for code in codes if code)),
        parties=tuple(Party(role, cik.zfill(10), name) for role, cik, name in parties if cik.isdigit() or name),
        raw=raw,
    )


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text.strip()[:8], "%Y%m%d").date()
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip()[:14], "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
    except ValueError:
        return None


def _bare_moment(text: str) -> datetime | None:
    """Copies that lost their tags keep the acceptance time as fourteen digits on a line of their own."""
    found = _BARE_TIME.search(text[:2_000])
    return _moment(found[1]) if found else None
