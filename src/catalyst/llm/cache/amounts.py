"""Numbers in one spelling: `$1.5B`, `1,500 million dollars` and `USD 1.5bn` are `$1500000000`; `5 per cent` is `5%`.

A number without unit or scale keeps its digits: item 1.1 is not item 1.10.
"""

from __future__ import annotations

import re
from decimal import Decimal

_SCALES = {
    "k": 3,
    "thousand": 3,
    "m": 6,
    "mm": 6,
    "mn": 6,
    "mln": 6,
    "million": 6,
    "b": 9,
    "bn": 9,
    "bln": 9,
    "billion": 9,
    "t": 12,
    "tn": 12,
    "trillion": 12,
}
_SIGNS = {
    "US$": "$",
    "$": "$",
    "USD": "$",
    "€": "€",
    "EUR": "€",
    "£": "£",
    "GBP": "£",
    "¥": "¥",
    "JPY": "¥",
    "C$": "C$",
    "A$": "A$",
    "₹": "₹",
    "CHF": "CHF",
    "CAD": "C$",
    "AUD": "A$",
    "HK$": "HK$",
}
_NAMES = {
    "dollar": "$",
    "usd": "$",
    "euro": "€",
    "eur": "€",
    "pound": "£",
    "gbp": "£",
    "yen": "¥",
    "jpy": "¥",
    "us dollar": "$",
    "u.s. dollar": "$",
}

AMOUNTS = (
    r"(?<![\w.$])(?:(?P<sign>(?-i:US\$|HK\$|C\$|A\$|USD|EUR|GBP|JPY|CHF|CAD|AUD)|[$€£¥₹])\s?)?"
    r"(?P<minus>(?<![\w)])[-\u2212](?=\d))?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:(?P<scale>[\s-]?(?:trillion|billion|million|thousand|bn|bln|tn|mln|mn|mm)(?![a-z])|(?:k|m|b|t)(?![a-z0-9])))?"
    r"(?P<unit>\s?%|[\s-]?(?:percentage\s+points?|percent(?!age)|per\s+cent|pct)\b|\s?(?:basis\s+points?|bps)\b"
    r"|\s(?:u\.?s\.?\s+)?dollars?\b|\s(?:usd|euros?|eur|pounds?|gbp|yen|jpy)\b)?"
    r"(?P<tail>x\b|\([a-z0-9]{1,3}\)(?:\([0-9a-z]{1,3}\))?|(?:st|nd|rd|th)\b)?"
)

_WORDS = {
    word: n
    for n, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    word: n for n, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_IN_WORDS = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?:[\s-]({'|'.join(list(_WORDS)[1:10])}))?|({'|'.join(list(_WORDS)[2:])})"
    r"|one(?=[\s-](?:hundred|thousand|million|billion|trillion|percent|per\s+cent|year|quarter|month|week|day)s?\b(?![\s-]time)))\b",
    re.IGNORECASE,
)
_MAYBE = re.compile(r"two|three|four|five|six|seven|eight|nine|one|ten|eleven|twel|teen|ty", re.IGNORECASE)
_HALVES = re.compile(r"\b(a|one)[\s-]half\b|\bhalf\s+of\b|\bhalf\s+a\b", re.IGNORECASE)


def digits(text: str) -> str:
    """The text with its number words as digits: `twenty-five` is 25; a bare `one` stays, it is also a pronoun."""
    return _IN_WORDS.sub(_digits, text) if _MAYBE.search(text) else text


def _digits(found: re.Match[str]) -> str:
    tens, ones, plain = found.groups()
    if tens:
        return str(10 * _TENS[tens.lower()] + (_WORDS[ones.lower()] if ones else 0))
    return str(_WORDS[plain.lower()]) if plain else "1"


def amount(found: re.Match[str]) -> str:
    """The one spelling of an amount that `AMOUNTS` found."""
    tail = found["tail"] or ""
    if tail in ("st", "nd", "rd", "th"):
        return f"#{found['digits']}"
    scale, unit, sign = (found["scale"] or "").strip(" -").lower(), _unit(found["unit"] or ""), found["sign"] or ""
    currency = _SIGNS.get(sign.upper(), sign)
    if unit in _SIGNS.values():
        currency, unit = currency or unit, ""
    number = found["digits"].replace(",", "")
    if scale or unit or currency:
        number = _plain(Decimal(number).scaleb(_SCALES.get(scale, 0)))
    return f"{currency}{'-' if found['minus'] else ''}{number}{unit}{tail.lower()}"


def _unit(text: str) -> str:
    text = " ".join(text.lower().split()).lstrip("-")
    if not text:
        return ""
    if text == "%" or text.startswith(("percent ", "per cent", "pct")) or text == "percent":
        return "%"
    if text.startswith("percentage"):
        return " percentage points"
    if text.startswith(("basis", "bps")):
        return " bps"
    return _NAMES.get(text.rstrip("s") if text != "us" else text, "$")


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
