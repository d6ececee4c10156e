"""A headline as tokens: words, kinds of numbers and marks; no addresses, names or cashtags. Pure and linear.

Only the first 2 kB are looked at, so that no item costs more than a long headline. Start with `tokens`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TEXT_CHARS = 2048
"""VADER's own rules are quadratic and take 20 s for 200 kB; here the rest is never read."""

MONEY, PERCENT, PLUS, MINUS, NUMBER = "<money>", "<percent>", "<plus>", "<minus>", "<0>"

_DROPPED = re.compile(r"https?://\S*|www\.\S*|[@$][A-Za-z_]\w*|#")
_MARKED = re.compile(r"[@#$/]|www")
_TOKEN = re.compile(
    r"[a-z][a-z']*(?:&[a-z]+)?|[^\W\d_]+"  # words
    r"|(?:(?<![\w.])[+-])?[$€£]?\d+(?:,\d{3})*(?:\.\d+)?(?:\s?%|[kmbt]n?\b)?"  # numbers
    r"|[,;:?!]|(?<!vs)(?<![.\s][a-z])\.(?=\s|$)|\s[-–—]+\s"  # marks
)


class Tokens(NamedTuple):
    """Words as they are compared, and the values of the numbers among them by place."""

    texts: list[str]
    values: dict[int, float]


def tokens(text: str) -> Tokens:
    """The tokens of a text's first 2 kB, in lower case."""
    plain = text[:TEXT_CHARS]
    if _MARKED.search(plain):
        plain = _DROPPED.sub(" ", plain)
    plain = plain.lower().replace("’", "'")
    texts: list[str] = _TOKEN.findall(plain)
    values: dict[int, float] = {}
    for place, found in enumerate(texts):
        if not found.isalpha():
            texts[place] = _special(found, place, values)
    return Tokens(texts, values)


def _special(found: str, place: int, values: dict[int, float]) -> str:
    """A number's kind, a mark, or a word without its `'s`."""
    if found[-1].isdigit() or any(map(str.isdigit, found)):
        return _number(found, place, values)
    if found[0].isspace():
        return "-"
    return found.removesuffix("'s").strip("'") or found


def _number(found: str, place: int, values: dict[int, float]) -> str:
    try:
        values[place] = float(found.strip("+-$€£% kmbtn").replace(",", ""))
    except ValueError:
        return NUMBER
    if "%" in found:
        return PLUS if found[0] == "+" else MINUS if found[0] == "-" else PERCENT
    return MONEY if found[0] in "$€£" else NUMBER
