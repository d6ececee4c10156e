"""Discord embeds as typed values: fields by key, fitted into Discord's limits before anything is sent.

`fitted` makes any embed acceptable; `faults` lists what Discord would refuse (documented under "Embed Limits").
Text from outside goes through `plain`: no control characters, no mentions, no formatting, no links.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

TITLE, DESCRIPTION, NAME, VALUE, FOOTER, AUTHOR = 256, 4096, 256, 1024, 2048, 256
TOTAL, FIELDS, EMBEDS, CONTENT = 6000, 25, 10, 2000
OUR_FIELDS = 7
"""More than this nobody reads."""
URL = 2048
_FORMATTING = re.compile(r"([\\*_~`|\[\]()<>])")
_LINE_START = re.compile(r"^(#{1,3}|-#?|>{1,3}|\d+\.)(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Field:
    """One name and value; `key` is how code finds it, whatever its place."""

    key: str
    name: str
    value: str
    inline: bool = True


@dataclass(frozen=True, slots=True)
class Embed:
    """One card. Empty parts are left out when it is sent."""

    title: str = ""
    description: str = ""
    url: str = ""
    color: int = 0
    fields: tuple[Field, ...] = ()
    footer: str = ""
    timestamp: datetime | None = None
    image: str = ""
    """`attachment://NAME` of a file in the same message, or an https address."""

    def field(self, key: str) -> Field | None:
        """The field called `key`."""
        return next((field for field in self.fields if field.key == key), None)

    def having(self, field: Field) -> Embed:
        """With `field` in the place of the one of the same key, or at the end."""
        if self.field(field.key) is None:
            return replace(self, fields=(*self.fields, field))
        return replace(self, fields=tuple(field if old.key == field.key else old for old in self.fields))

    def without(self, key: str) -> Embed:
        return replace(self, fields=tuple(field for field in self.fields if field.key != key))

    def wire(self) -> dict[str, Any]:
        """As Discord takes it; what is empty is left out."""
        found: dict[str, Any] = {
            name: value
            for name, value in (("title", self.title), ("description", self.description), ("url", self.url))
            if value
        }
        if self.color:
            found["color"] = self.color
        if self.fields:
            found["fields"] = [{"name": f.name, "value": f.value, "inline": f.inline} for f in self.fields]
        if self.footer:
            found["footer"] = {"text": self.footer}
        if self.timestamp is not None:
            found["timestamp"] = self.timestamp.isoformat()
        if self.image:
            found["image"] = {"url": self.image}
        return found


def length(text: str) -> int:
    """UTF-16 units: never less than what Discord counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def clip(text: str, most: int) -> str:
    """At most `most` units, cut at a word where one ends near, and never inside an escape."""
    text = text.strip()
    if length(text) <= most:
        return text
    # A pair that is cut in two leaves no character.
    cut = text.encode("utf-16-le", "surrogatepass")[: 2 * (most - 1)].decode("utf-16-le", "ignore")
    space = cut.rfind(" ")
    cut = cut[:space] if space > len(cut) * 0.8 else cut
    odd = len(cut) - len(cut.rstrip("\\"))
    return (cut[:-1] if odd % 2 else cut).rstrip() + "…"


def plain(text: str) -> str:
    """Untrusted text as words: one line, no control characters, nothing that formats, mentions or links."""
    kept = "".join(character for character in " ".join(text.split()) if unicodedata.category(character) not in _UNSEEN)
    kept = _FORMATTING.sub(r"\\\1", " ".join(kept.split()))
    kept = _LINE_START.sub(lambda found: "\\" + found[0], kept)
    return kept.replace("@", "@\u200b").replace("://", ":\u200b//")


_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def number(value: float | None, form: str = "+.2f") -> str:
    """A number for people, or nothing for one that is none."""
    return format(value, form) if value is not None and math.isfinite(value) else ""


def web_address(url: str) -> str:
    """The address where Discord would take it, else nothing."""
    if not url or len(url) > URL or not url.isascii() or any(character.isspace() for character in url):
        return ""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    good = parts.scheme in ("http", "https") and host and not parts.username and re.fullmatch(r"[a-z0-9.-]+", host)
    return url if good and "." in (host or "") else ""


def fitted(embed: Embed) -> Embed:
    """The embed as Discord accepts it: clipped, without empty fields, at most seven of them, 6,000 units in all."""
    fields = tuple(
        replace(field, name=clip(field.name, NAME), value=clip(field.value, VALUE))
        for field in embed.fields
        if field.name.strip() and field.value.strip()
    )[:OUR_FIELDS]
    made = replace(
        embed,
        title=clip(embed.title, TITLE),
        description=clip(embed.description, DESCRIPTION),
        url=web_address(embed.url),
        color=embed.color if 0 <= embed.color <= 0xFFFFFF else 0,
        fields=fields,
        footer=clip(embed.footer, FOOTER),
        image=embed.image if embed.image.startswith("attachment://") else web_address(embed.image),
    )
    return _within_total(made)


def _within_total(embed: Embed) -> Embed:
    """Shorten the longest texts first: the description, then fields from the end."""
    over = size(embed) - TOTAL
    if over > 0:
        embed = replace(embed, description=clip(embed.description, max(200, length(embed.description) - over)))
    for field in reversed(embed.fields):
        over = size(embed) - TOTAL
        if over <= 0:
            break
        embed = embed.having(replace(field, value=clip(field.value, max(100, length(field.value) - over))))
    return embed


def size(embed: Embed) -> int:
    """What counts towards the 6,000 of a message."""
    fields = sum(length(field.name) + length(field.value) for field in embed.fields)
    return length(embed.title) + length(embed.description) + length(embed.footer) + fields


def faults(embeds: Sequence[Embed]) -> list[str]:
    """What Discord would refuse in a message of these embeds; empty when it would take them."""
    found = [] if 0 < len(embeds) <= EMBEDS else [f"{len(embeds)} embeds"]
    if sum(map(size, embeds)) > TOTAL:
        found.append("more than 6000 characters in all")
    for embed in embeds:
        found += _faults(embed)
    return found


def _faults(embed: Embed) -> Iterator[str]:
    limits: Mapping[str, tuple[str, int]] = {
        "title": (embed.title, TITLE),
        "description": (embed.description, DESCRIPTION),
        "footer": (embed.footer, FOOTER),
    }
    yield from (f"{name} is too long" for name, (text, most) in limits.items() if length(text) > most)
    if not (embed.title.strip() or embed.description.strip() or embed.fields or embed.image):
        yield "nothing to show"
    if len(embed.fields) > OUR_FIELDS:
        yield f"{len(embed.fields)} fields"
    if len({field.key for field in embed.fields}) < len(embed.fields):
        yield "two fields of one key"
    for field in embed.fields:
        if not (field.name.strip() and field.value.strip()):
            yield f"field {field.key} is empty"
        if length(field.name) > NAME or length(field.value) > VALUE:
            yield f"field {field.key} is too long"
        if field.key in ("price", "sentiment") and re.search(r"\b(nan|inf)\b", field.value, re.IGNORECASE):
            yield f"field {field.key} shows a number that is none"
