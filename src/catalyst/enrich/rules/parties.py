"""Who made a document and where they are: the company's name and its address, from the head of the text."""

from __future__ import annotations

import re

from catalyst.enrich.rules.candidate import Candidate, ranked

HEAD = 12
"""Lines in which a document says who made it."""

_NAMED_WITHIN = 20_000
"""Characters in which a label may name it."""

_FORM = re.compile(
    r"\b(?:SDN\.?\s?BHD|BHD|LTD|LIMITED|INC|LLC|L\.L\.C|CORP(?:ORATION)?|COMPANY|CO|PLC|GMBH|AG|KG|S\.?A\.?R?\.?L?|B\.?V|N\.?V|PTE|PTY|"
    r"ENTERPRISES?|TRADING|HARDWARE|RESTAURANT|RESTORAN|STORES?|MART|MARKET|SUPERMARKET|HOLDINGS?|GROUP|SERVICES?|BOOK|KEDAI|"
    r"PERNIAGAAN|PASARAYA|SYARIKAT|S\.?P\.?A|S\.?R\.?L|OY|AB|A/S|KK|EST|TRADERS?)\b\.?",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"\b(?:tax|cash|invoice|receipt|bill|tel|fax|phone|gst|reg|roc|co\.? ?no|date|welcome|thank|page|table|www|"
    r"e-?mail|customer|copy|simplified|duplicate|date|time|cashier|no\.? ?\d)\b|@|\.com",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^[ \t]{0,20}(?:company|vendor|seller|supplier|merchant|sold by|issued by|billed by"
    r"|verkäufer|lieferant|fournisseur|proveedor|المورد|البائع)(?: name)?"
    r"[ \t]{0,20}[:=|][ \t]{0,20}(?P<name>\S[^\n]{1,118})$",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBERED = re.compile(r"^\W*[\d(][\d\W]*[A-Z]?\W*$")
_PLACE = re.compile(
    r"\b(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|way|square|floor|suite|unit|block|lot|level|building|plaza|mall|"
    r"jalan|jln|taman|lorong|bandar|kampung|kg|batu|pusat|persiaran|lebuh|seksyen|kawasan|rue|strasse|straße|str|platz|via|calle|avenida|"
    r"p\.?o\.? box|no)\b",
    re.IGNORECASE,
)
_POSTCODE = re.compile(r"\b\d{4,6}\b")
_STOP = re.compile(
    r"\b(?:tel|fax|phone|gst|tax|invoice|receipt|date|cashier|bill|cash|e-?mail|www|reg|hotline|hp)\b|@", re.IGNORECASE
)


def companies(text: str, locale: str = "") -> list[Candidate]:
    """The maker's name as it is written, the likeliest first; a name that goes on in the next line is put together."""
    lines = _head(text)
    found = [
        Candidate(name := each["name"].rstrip(), each.start("name"), each.start("name") + len(name), 0.9, "labelled")
        for each in _NAMED.finditer(text[:_NAMED_WITHIN])
    ]
    for number, (start, line) in enumerate(lines):
        name = line.strip()
        if (
            len(name) < 3
            or _NUMBERED.match(name)
            or _PLACE.search(name)
            or (_NOISE.search(name) and not _FORM.search(name))
        ):
            continue
        score = 0.45 - 0.05 * number + (0.4 if _FORM.search(name) else 0.0)
        at = start + line.index(name)
        found.append(Candidate(name, at, at + len(name), max(0.05, min(0.95, score)), "the head's line"))
    return ranked(found)


def addresses(text: str, locale: str = "") -> list[Candidate]:
    """The lines of the head that together make an address, joined with spaces."""
    lines = _head(text)
    taken = [number for number, (_, line) in enumerate(lines) if _is_place(line)]
    if not taken:
        return []
    first, last = taken[0], taken[0]
    for number in taken[1:]:
        if number - last > 1:
            break
        last = number
    if last + 1 < len(lines) and not _STOP.search(lines[last + 1][1]) and _is_tail(lines[last + 1][1]):
        last += 1
    chosen = lines[first : last + 1]
    start, end = chosen[0][0], chosen[-1][0] + len(chosen[-1][1])
    value = " ".join(line.strip() for _, line in chosen)
    whole = any(_POSTCODE.search(line) for _, line in chosen)
    return [Candidate(value, start, end, 0.7 if whole and len(chosen) > 1 else 0.45, "lines of places")]


def _head(text: str) -> list[tuple[int, str]]:
    lines, place = [], 0
    for line in text.split("\n"):
        if line.strip():
            lines.append((place, line))
        place += len(line) + 1
        if len(lines) == HEAD:
            break
    return lines


def _is_place(line: str) -> bool:
    if _STOP.search(line):
        return False
    return (
        bool(_PLACE.search(line) and re.search(r"\d|,", line))
        or bool(_POSTCODE.search(line) and "," in line)
        or bool(re.match(r"\s*\d{5}\s+[A-Za-z]", line))
    )


def _is_tail(line: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z .,]{3,40}", line.strip()))
