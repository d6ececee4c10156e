"""XML from strangers: no entities, no DTD, no network, bounded depth and size; and XML as readable lines."""

from __future__ import annotations

import re

from lxml import etree

from catalyst.errors import ParseError

MAX_XML = 20 * 1024 * 1024
_MAX_DEPTH = 200
_START = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml\b|<!--|<(?:\w+:)?[A-Za-z]\w*[^<>]*>\s*<(?:\w+:)?[a-z]+[A-Z])")
_HTML = re.compile(rb"<(?:!doctype\s+)?html\b|<body\b", re.IGNORECASE)
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)\b", re.IGNORECASE)
_MAX_LINES = 50_000


def is_xml(body: bytes) -> bool:
    """Whether the document is XML that is not a web page."""
    return _START.match(body[:4_000]) is not None and not _HTML.search(body[:20_000])


def parse_xml(body: bytes) -> etree._Element:
    """The root element. Raises ParseError for a DTD, for what is too large or deep, and for what is not XML."""
    if len(body) > MAX_XML:
        raise ParseError(f"XML of {len(body):,} bytes: at most {MAX_XML:,} are read")
    if _DTD.search(body):
        raise ParseError("the XML declares a DTD or entities, which filings never do: not read")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, recover=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ParseError(f"the XML cannot be read ({str(error)[:120]}): the document is damaged") from error
    if root is None:
        raise ParseError("the XML holds no element: the document is damaged")
    return root


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def xml_text(body: bytes) -> str:
    """Lines of `name: value`, in document order."""
    lines: list[str] = []
    for element in parse_xml(body).iter():
        text = (element.text or "").strip()
        if text:
            name = local(element)
            if name == "value" and (parent := element.getparent()) is not None:
                name = local(parent)
            lines.append(f"{name}: {' '.join(text.split())}")
        if len(lines) >= _MAX_LINES:
            break
    return "\n".join(lines)
