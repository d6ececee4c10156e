"""RSS 2.0, RSS 1.0 and Atom as items: bytes in, at most `MAX_ITEMS` items out, newest first. Pure.

Feeds are untrusted: no entity is expanded, no DTD read, nothing fetched; a broken feed gives what stands before the
break. JSON lines are read by `read_jsonl`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import orjson
from lxml import etree

from catalyst.errors import ParseError
from catalyst.news.types import FeedItem

MAX_ITEMS = 500
MAX_TITLE, MAX_SUMMARY, MAX_URL = 500, 2000, 2000
_RAW = 8000
"""Characters of a field that are looked at."""
_TAG = re.compile(r"<[^<>]{0,1000}>")
_ITEMS = frozenset(("item", "entry"))
_DATES = ("published", "pubdate", "date", "updated", "issued", "modified")
_OLDEST = datetime.min.replace(tzinfo=UTC)


def read_feed(body: bytes, name: str = "") -> list[FeedItem]:
    """Read a feed; `name` is the wire where the feed doesn't say. Raises ParseError when it is none."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(body.lstrip(), parser)
    except etree.XMLSyntaxError as error:
        raise ParseError(f"{name or 'the feed'} is no XML ({error}): check its address") from error
    if root is None or _local(root) not in ("rss", "rdf", "feed", "channel"):
        raise ParseError(f"{name or 'the feed'} is neither RSS nor Atom: check its address")
    title = name or _channel(root)
    return _ordered(_items(root, title))


def read_jsonl(lines: Iterable[str | bytes], name: str = "") -> list[FeedItem]:
    """Read {title or text, url, published, source, id} a line; lines that make no sense are left out."""
    found = []
    for line in lines:
        try:
            row = orjson.loads(line) if line.strip() else None
        except orjson.JSONDecodeError:
            continue
        if isinstance(row, dict) and (item := _row(row, name)) is not None:
            found.append(item)
        if len(found) >= MAX_ITEMS:
            break
    return _ordered(found)


def moment(text: str) -> datetime | None:
    """A date as feeds write it (RFC 822 or ISO 8601), in UTC; without a zone it is taken as UTC."""
    text = text.strip()[:100]
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def cleaned(text: str, most: int) -> str:
    """One line of plain text: tags, entities and control characters gone."""
    text = text[:_RAW]
    for _ in range(2):  # feeds escape their HTML once or twice
        text = _TAG.sub(" ", html.unescape(text))
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:most].strip()


def _ordered(items: Iterable[FeedItem]) -> list[FeedItem]:
    return sorted(items, key=lambda item: item.published or _OLDEST, reverse=True)


def _items(root: etree._Element, title: str) -> Iterator[FeedItem]:
    count = 0
    for element in root.iter(etree.Element):
        if _local(element) in _ITEMS:
            if (item := _item(element, title)) is not None:
                yield item
            count += 1
            if count >= MAX_ITEMS:
                return


def _item(element: etree._Element, wire: str) -> FeedItem | None:
    fields: dict[str, str] = {}
    for child in element.iterchildren(etree.Element):
        name = _local(child)
        if name == "link" and child.get("href"):
            if child.get("rel", "alternate") == "alternate":
                fields.setdefault("link", child.get("href", ""))
        elif name not in fields:
            fields[name] = _text(child)
    title = cleaned(fields.get("title", ""), MAX_TITLE)
    if not title:
        return None
    guid = (fields.get("guid") or fields.get("id") or "")[:MAX_URL]
    url = _url(fields.get("link", "")) or _url(guid)
    said = next((when for name in _DATES if (when := moment(fields.get(name, "")))), None)
    summary = cleaned(fields.get("description") or fields.get("summary") or "", MAX_SUMMARY)
    return FeedItem(title, url, guid, summary, said, wire)


def _row(row: dict[str, object], name: str) -> FeedItem | None:
    def text(*keys: str) -> str:
        return next((value for key in keys if isinstance(value := row.get(key), str) and value.strip()), "")

    title = cleaned(text("title", "headline", "text"), MAX_TITLE)
    if not title:
        return None
    return FeedItem(
        title,
        _url(text("url", "link")),
        text("id", "guid")[:MAX_URL],
        cleaned(text("summary"), MAX_SUMMARY),
        moment(text("published", "timestamp", "date")),
        cleaned(text("source"), 100) or name,
    )


def _channel(root: etree._Element) -> str:
    """The feed's own title."""
    for element in root.iter(etree.Element):
        if _local(element) in _ITEMS:
            break
        if _local(element) == "title":
            return cleaned(_text(element), 100)
    return ""


def _text(element: etree._Element) -> str:
    return "".join(part for _, part in zip(range(200), element.itertext(), strict=False) if isinstance(part, str))[
        :_RAW
    ]


def _url(text: str) -> str:
    """An address that may be shown and followed; anything but http(s) is left out."""
    text = text.strip()[:MAX_URL]
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.hostname and text.isprintable() else ""


def _local(element: etree._Element) -> str:
    """The tag without its namespace. By hand: lxml's own QName refuses a prefix that the feed never declared."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()
