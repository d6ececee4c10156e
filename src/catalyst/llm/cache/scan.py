"""Take a text apart: words, periods, amounts, forms, quoted strings and symbols, in order. Start with `scan`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

from catalyst.llm.cache.amounts import AMOUNTS, amount, digits
from catalyst.llm.cache.terms import Term
from catalyst.llm.cache.times import PERIODS, period

LONGEST = 1000
"""Characters; a longer text is a document with a question in it, and only its exact text may match."""

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-",
                         "‑": "-", "‐": "-", "\u00a0": " "})  # fmt: skip
_CONTRACTED = (
    (re.compile(r"\bcan't\b", re.I), "can not"),
    (re.compile(r"\bcannot\b", re.I), "can not"),
    (re.compile(r"\bwon't\b", re.I), "will not"),
    (re.compile(r"n't\b", re.I), " not"),
    (re.compile(r"\b(what|who|where|when|how|why|that|there|it|he|she|here)'s\b", re.I), r"\1 is"),
    (re.compile(r"\b(whats|wats)\b", re.I), "what is"),
    (re.compile(r"\b(i|you|we|they|who|what|it)'(ll)\b", re.I), r"\1 will"),
    (re.compile(r"\b(i|you|we|they)'re\b", re.I), r"\1 are"),
    (re.compile(r"\bwhat're\b", re.I), "what are"),
    (re.compile(r"\b(i)'m\b", re.I), r"\1 am"),
    (re.compile(r"\b(i|you|we|they)'ve\b", re.I), r"\1 have"),
)
_OWNERS = re.compile(
    r"\b(analysts|investors|shareholders|stockholders|holders|directors|executives|employees|customers|notes|bonds|insiders|banks)'(?=\s)",
    re.I,
)
_ABOUT = re.compile(r"\b(?:related|relating|associated|connected|tied|linked|pertaining)\s(?:to|with)\b", re.I)
_CODE = re.compile(r"[{}\\]|==|!=|:=|=>|->|</|;\s*\n|\w\(\w*\)|\b[a-z_]\w*\s=\s|\bselect\b.+\bfrom\b|```", re.I | re.S)
_FORM = (
    r"(?<![\w.])(?:form\s+|sec\s+form\s+|forms\s+)?(?P<form>10-?[kq]t?|8-?ks?|10-?[kq]s|6-?k|20-?f|40-?f|11-?k|s-[1348]|f-[1348]|424b[1-8]"
    r"|(?:sc(?:hedule)?\s+)?13-?[dgf]|def\s?14a|n-csr|nt\s10-?[kq])(?P<amended>\s?/a\b|-a\b)?(?![\w%])"
    r"|\bform\s+(?P<form2>[345]|144|d|t-?1|adv)(?P<amended2>/a)?(?!\w)"
)
_PIECES = re.compile(
    "|".join(
        (
            r"(?P<marker>~[a-z-]+)",
            r"(?P<bar>\|)",
            r'(?P<quoted>"[^"\n]{1,300}")',
            r"\$(?P<cashtag>(?-i:[A-Z]{1,6}(?:[.-][A-Z]{1,2})?))(?![\w])",
            _FORM,
            rf"(?<![\w.$/-])(?:{PERIODS})(?!\w)",
            r"(?P<ordinal>#\d+)\b",
            rf"{AMOUNTS}(?![^\W_])",
            r"(?P<possessive>'s\b|(?<=s)'(?=\s|$))",
            r"(?P<word>(?-i:U\.S\.A\.|U\.S\.|U\.K\.)|[^\W_]+(?:(?:[&./]|'(?!s\b))[^\W_]+)*)",
            r"(?P<symbol><=|>=|[^\s\w,;:!?()\[\]\"'.\-/%&…\u200d\ufe0f]|&)",
        )
    ),
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """The text with one sort of quotes, dashes and spaces, and its contractions spelled out."""
    text = " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTES).split())
    text = _ABOUT.sub("of", text)
    if "'" in text:
        for pattern, spelled in _CONTRACTED:
            text = pattern.sub(spelled, text)
        text = _OWNERS.sub(r"\1", text)
    return text


def unreadable(text: str) -> str:
    """Why a text cannot be read for its meaning; empty when it can."""
    if len(text) > LONGEST:
        return f"longer than {LONGEST} characters: only the exact text matches"
    if not any(character.isalnum() for character in text):
        return "no words: only the exact text matches"
    if _CODE.search(text):
        return "it looks like code: only the exact text matches"
    letters = [character for character in text if character.isalpha()]
    if sum(not character.isascii() for character in letters) * 4 > len(letters):
        return "not in Latin letters: only the exact text matches"
    return ""


def scan(text: str, today: date) -> list[Term]:
    """The pieces of a plain text; words are left as they are written, everything else is spelled canonically."""
    return list(_terms(digits(text), today))


def _terms(text: str, today: date) -> Iterator[Term]:
    at = 0
    while (found := _PIECES.search(text, at)) is not None:
        at = found.end()
        term = _term(found, today)
        if term is None:
            word = re.compile(r"[^\W_]+|\S").match(text, found.start())
            assert word is not None
            at = word.end()
            term = Term("word", word[0], word[0])
        yield term


def _term(found: re.Match[str], today: date) -> Term | None:
    name = found.lastgroup or ""
    if name in ("word", "symbol", "marker", "bar", "possessive", "ordinal"):
        return Term({"ordinal": "number", "symbol": "word"}.get(name, name), found[0], found[0])  # type: ignore[arg-type]
    if found["quoted"]:
        return Term("quoted", " ".join(found[0].split()), found[0])
    if found["cashtag"]:
        return Term("entity", f"${found['cashtag'].replace('.', '-')}", found[0])
    if found["form"] or found["form2"]:
        return Term("metric", _form(found), found[0], topic=True)
    if found["digits"]:
        return Term("number", amount(found), found[0])
    spelled = period(found, today)
    return Term("period", spelled, found[0]) if spelled else None


def _form(found: re.Match[str]) -> str:
    if found["form2"]:
        return f"form {found['form2'].lower()}" + ("/a" if found["amended2"] else "")
    form = "".join(found["form"].lower().replace("schedule", "").replace("sc ", "").split()).rstrip("s")
    if "-" not in form and form[0].isdigit() and not form.startswith("424"):
        form = re.sub(r"(\d)([a-z])", r"\1-\2", form)
    form = form.replace("13-", "13")
    return form + ("/a" if found["amended"] else "")
