"""Documents as plain text: HTML without a tree, `.txt` as it stands; tables become rows of ` | ` cells.

A tree of a 2.5 MB inline-XBRL report costs more than all the rest of its parsing, and plain text needs only the order
of tags. So the page is split at its tags once; each distinct tag is looked at once; control characters mark where
blocks, rows and cells begin; and the marks are turned into lines at the end. Every step is linear in the input.
"""

from __future__ import annotations

import html
import re

CELL, ROW, BLOCK = b"\x1f", b"\x1e", b"\x1c"
_TABLE = ROW + BLOCK + ROW
_CELL, _ROW, _BLOCK = "\x1f", "\x1e", "\x1c"

_BLOCKS = frozenset(
    b"p div br hr li ul ol dl dt dd h1 h2 h3 h4 h5 h6 center title blockquote pre body html head section article "
    b"header footer address caption form fieldset page".split()
)
_ROWS = frozenset((b"tr", b"table", b"thead", b"tbody", b"tfoot"))
_CELLS = frozenset((b"td", b"th"))
_VOID = frozenset((b"img", b"br", b"hr", b"input", b"meta", b"link", b"col", b"wbr", b"area", b"base"))
_NAME = re.compile(rb"(?:/\s{0,8})?([A-Za-z][\w:.-]*)")
_DROPPED = frozenset((b"script", b"style", b"ix:header", b"svg", b"title"))
_HIDDEN = re.compile(rb"display\s*:\s*none", re.IGNORECASE)
_PRE_TAG = re.compile(rb"<pre\b", re.IGNORECASE)
_PRE = re.compile(rb"<pre\b[^<>]*>(.*?)(?:</pre|\Z)", re.IGNORECASE | re.DOTALL)
_HTML = re.compile(rb"<(?:!doctype html|html|body|head|div|p|font|br|td|center|h[1-6]|b|span)\b[^<>]*>", re.IGNORECASE)
_TEXT_TAG = re.compile(r"</?(?:PAGE|S|C|CAPTION|FN|F\d+|TABLE|TEXT|I|B|U|R|L|BR|HR)\s*/?>", re.IGNORECASE)
_TEXT_TABLE = re.compile(r"<TABLE>(.*?)(?:</TABLE>|\Z)", re.IGNORECASE | re.DOTALL)
_GAP = re.compile(r"(?<=\S)(?: {2,}|\t+)(?=\S)")
_LEADERS = re.compile(r"(?<=\S)[ \t]?(?:\.[ \t]?){4,}(?=[\s$(\d]|$)")
"""The dots between a label and its figures: `Net sales ........ $ 1,200`."""
_FIGURE = re.compile(
    r"^(?:\$|[A-Z]{0,2}\$ ?)?\(? ?\$? ?-?[\d,]*\.?\d+ ?%?\)?%?$|^(?:N/?[AM]|nm|\$? ?[-–—]{1,3}|\*{1,3})$"
)
_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w-]{3,20})", re.IGNORECASE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LEADER = re.compile(r"^\(?(?:\$|US\$|€|£|¥|C\$|RMB)$")
_TRAILER = re.compile(r"^[)%]+$|^\)\s?%$")
_CACHED_TAGS = 50_000
_CACHED_LENGTH = 1_000
_MOST_UNCLOSED = 8
_ENTITIES = (("&nbsp;", " "), ("&#160;", " "), ("&#xa0;", " "), ("&#xA0;", " "), ("&#8203;", ""), ("&#8212;", "—"))
_INVISIBLE = ("\u200b", "\ufeff", "\xad", "\x00", "\r")


def decode(body: bytes) -> str:
    """Bytes as text: UTF-8 where it is valid, else what the document declares, else Windows-1252. Never fails."""
    if body[:2] in _UTF16:
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_legacy(body)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decode_legacy(body: bytes) -> str:
    declared = _CHARSET.search(body[:2_000])
    name = declared[1].decode("ascii").lower() if declared else ""
    if name in ("utf-8", "utf8"):
        return body.decode("utf-8", "replace")
    return body.decode("cp1252", "replace")


def is_html(body: bytes) -> bool:
    """Whether the document is HTML; `.txt` documents know only `<PAGE>`, `<TABLE>`, `<S>`, `<C>` and their like."""
    return _HTML.search(body[:20_000]) is not None


def document_text(body: bytes) -> str:
    """A document's body as plain text; lines are blocks, and a table's row is one line of ` | ` cells."""
    if body[:2] in _UTF16:
        body = decode(body).encode("utf-8", "replace")
    if is_html(body):
        return html_text(body if _is_utf8(body) else decode(body))
    return plain_text(decode(body))


def plain_text(text: str) -> str:
    """A `.txt` document: its SGML table tags removed, table rows as ` | ` cells, all other lines as they are.

    Columns inside `<TABLE>` are joined by ` | `; elsewhere a line of a label and two figures or more is a row.
    """
    if "<TABLE>" in text or "<table>" in text:
        text = _TEXT_TABLE.sub(_text_table, text)
    if "<" in text:
        text = _TEXT_TAG.sub("", text)
    if "&" in text:
        text = html.unescape(text)
    return _trimmed([_text_row(line.rstrip()) for line in _shown(text).split("\n")])


def _text_table(match: re.Match[str]) -> str:
    return "\n".join(" | ".join(_joined(_GAP.split(_LEADERS.sub("  ", line.strip())))) for line in match[1].split("\n"))


def _text_row(line: str) -> str:
    """Many `.txt` releases set their tables without any tag: `Net sales     $ 1,200   $ 1,100`."""
    if ("  " not in line and "...." not in line) or " | " in line:
        return line
    first, *rest = _GAP.split(_LEADERS.sub("  ", line.strip()) if ".." in line else line.strip())
    cells = _joined(rest)
    return " | ".join((first, *cells)) if len(cells) > 1 and all(map(_FIGURE.match, cells)) else line


def html_text(text: str | bytes) -> str:
    """HTML as plain text: scripts, styles, comments, `ix:header` and hidden elements are left out."""
    page = _prepared(text.encode("utf-8", "replace") if isinstance(text, str) else text)
    first, *parts = page.split(b"<")
    marks = _Marks()
    tags = [part.partition(b">") for part in parts]
    marked = [marks[head] + rest for head, _, rest in tags]
    if marks.unseen:
        _blank_unseen(tags, marked, marks.unseen)
    return _lines(_unescape((first + b"".join(marked)).decode("utf-8", "replace")))


class _Marks(dict[bytes, bytes]):
    """What a tag leaves in the text, by the tag's whole source: most tags of a filing repeat word for word."""

    __slots__ = ("unseen",)

    def __init__(self) -> None:
        super().__init__()
        self.unseen: set[bytes] = set()
        """Tags whose element is not shown."""

    def __missing__(self, head: bytes) -> bytes:
        found = _NAME.match(head)
        mark = self._mark(found[1].lower(), head) if found else self._stray(head)
        if len(self) < _CACHED_TAGS and len(head) < _CACHED_LENGTH:
            self[head] = mark
        return mark

    def _mark(self, name: bytes, head: bytes) -> bytes:
        if (name in _DROPPED or _HIDDEN.search(head)) and head[:1] != b"/" and head[-1:] != b"/":
            self.unseen.add(head)
        if name in _CELLS:
            return CELL
        if name in _ROWS:
            return _TABLE if name == b"table" else ROW
        return BLOCK if name in _BLOCKS else b""

    def _stray(self, head: bytes) -> bytes:
        """A `<` that opens no tag is text: "a < b"; a comment that holds tags is cut out later."""
        if head[:3] == b"!--" and head[-2:] != b"--":
            self.unseen.add(head)
        return b"" if head[:1] in (b"!", b"?", b"/") else b"<" + head


_Tag = tuple[bytes, bytes, bytes]


def _blank_unseen(tags: list[_Tag], marked: list[bytes], unseen: set[bytes]) -> None:
    """Empty what stands in elements that are not shown; one without an end loses only its own tag.

    Each search runs on to the element's end, where the next one starts; searches in vain are counted, so that a page
    of unclosed elements costs no more than a few passes.
    """
    done, vain = -1, 0
    for at in [at for at, (head, _, _) in enumerate(tags) if head in unseen]:
        if at <= done or vain >= _MOST_UNCLOSED:
            continue
        end, tail = _comment_end(tags, at) if tags[at][0][:3] == b"!--" else _element_end(tags, at)
        if end is None:
            vain += 1
            continue
        done = end
        marked[at : end + 1] = [b""] * (end + 1 - at)
        marked[end] = tail


def _comment_end(tags: list[_Tag], at: int) -> tuple[int | None, bytes]:
    """The tag after which the comment is over, and the text that follows it there."""
    for index in range(at, len(tags)):
        whole = b"".join(tags[index])
        stop = whole.find(b"-->")
        if stop >= 0:
            return index, whole[stop + 3 :]
    return None, b""


def _element_end(tags: list[_Tag], at: int) -> tuple[int | None, bytes]:
    """The element's own closing tag and the text after it; a void element (`<img>`) has none and needs none."""
    name = _tag_name(tags[at][0])
    if name in _VOID:
        return at, tags[at][2]
    depth = 1
    for index in range(at + 1, len(tags)):
        head = tags[index][0]
        if _tag_name(head) != name or head[-1:] == b"/":
            continue
        depth += -1 if head[:1] == b"/" else 1
        if depth == 0:
            return index, tags[index][2]
    return None, b""


def _tag_name(head: bytes) -> bytes:
    found = _NAME.match(head)
    return found[1].lower() if found else b""


def _prepared(page: bytes) -> bytes:
    for mark in (CELL, ROW, BLOCK):
        if mark in page:
            page = page.replace(mark, b" ")
    start = page.find(b"<ix:header")
    stop = page.find(b"</ix:header>", start) if start >= 0 else -1
    if stop > 0:
        page = page[:start] + page[stop:]
    if _PRE_TAG.search(page):
        page = _PRE.sub(lambda match: match[0].replace(b"\n", BLOCK), page)
    return page


def _unescape(text: str) -> str:
    if "&" in text:
        for entity, plain in _ENTITIES:
            text = text.replace(entity, plain)
        text = html.unescape(text)
    return _shown(text)


def _shown(text: str) -> str:
    for character in _INVISIBLE:
        if character in text:
            text = text.replace(character, "")
    return text


def _lines(marked: str) -> str:
    lines: list[str] = []
    for segment in marked.split(_ROW):
        if _CELL in segment:
            _add_row(segment, lines)
        elif segment:
            lines.extend([" ".join(line.split()) for line in segment.split(_BLOCK)])
    return _trimmed(lines)


def _add_row(segment: str, lines: list[str]) -> None:
    """A row's cells on one line; a row of one cell is only layout, so its blocks stay lines."""
    cells = [cell for cell in segment.split(_CELL) if cell and not cell.isspace()]
    if len(cells) == 1 and _BLOCK in cells[0]:
        lines.extend([" ".join(line.split()) for line in cells[0].split(_BLOCK)])
        return
    words = [" ".join(cell.split()) for cell in (cell.replace(_BLOCK, " ") for cell in cells)]
    line = " | ".join(_joined([word for word in words if word]))
    if line:
        lines.append(line)


def _joined(cells: list[str]) -> list[str]:
    """`$` belongs to the number after it, `)` and `%` to the one before: filings put them into cells of their own."""
    row: list[str] = []
    leader = ""
    for cell in cells:
        if len(cell) <= 4 and _LEADER.match(cell):
            leader += cell
        elif len(cell) <= 3 and row and not leader and _TRAILER.match(cell):
            row[-1] += cell
        else:
            row.append(leader + cell)
            leader = ""
    return [*row, leader] if leader else row


def _trimmed(lines: list[str]) -> str:
    """Lines joined, with at most one empty line in a row and none at the ends."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip("\n")
