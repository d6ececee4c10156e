"""What makes two headlines one story: the same words in the same order, once a wire's own habits are taken off. Pure.

Deliberately strict. Numbers, names, directions and negations are all words of the key, so that two different stories
never merge; a story that two wires phrase differently is told twice, which is the smaller harm.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

from catalyst.news.wordlists import word_list

SAME_STORY = timedelta(hours=12)
"""The same words this much later are another day's news: "Stocks close higher"."""

_MARK = re.compile(r"\(\s*(?:[A-Za-z .]{2,24}:\s*)[A-Za-z][A-Za-z0-9.\-]{0,9}\s*(?:[,;][^()]{0,60})?\)")
_CASHTAG = re.compile(r"(?<!\w)\$[A-Za-z][A-Za-z.\-]{0,9}(?!\w)")
_LEAD = re.compile(
    r"^\s*(?:(?:update|wrapup|corrected|correction|refile|brief|exclusive|breaking|breaking news|just in|alert"
    r"|press release|live|market talk)(?:\s*\d{1,2})?\s*(?:[-–—:|]+)\s*)+",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\s+(?:[-–—|])\s+[A-Z][\w.&' ]{1,38}$")
_TOKEN = re.compile(r"[$€£]?\d+(?:,\d{3})*(?:\.\d+)?%?|[^\W\d_]+(?:'[^\W\d_]+)*")
_FILLERS = word_list("fillers")
"""Words that wires put in and leave out. No preposition: who buys from whom is the story."""
_UNITS = {
    "percent": "%", "pct": "%", "per cent": "%", "mln": "million", "mn": "million", "m": "million", "bln": "billion",
    "bn": "billion", "b": "billion", "usd": "$", "dollars": "$", "euros": "eur", "pounds": "gbp",
}  # fmt: skip
_CURRENCIES = {"€": "eur", "£": "gbp"}
"""Wires put the dollar's sign in and leave it out; another currency is another number."""
_SCALED = re.compile(r"(\d)(?=(?:bn|bln|b|mln|mn|m|k)\b)", re.IGNORECASE)


def story_key(title: str) -> str:
    """Two headlines with the same key are one story."""
    words = " ".join(_words(title)) or title.casefold()
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:32]


def headline_id(key: str, published: datetime) -> str:
    """A story's id: another process that never saw it gives it the same one, and so the log takes it once.

    The same words more than SAME_STORY later are another day's story with another id.
    """
    turn = int(published.timestamp() // SAME_STORY.total_seconds())
    return "N-" + hashlib.sha256(f"{key}@{turn}".encode()).hexdigest()[:24]


def _words(title: str) -> list[str]:
    text = _MARK.sub(" ", title.replace("’", "'"))
    text = _CASHTAG.sub(" ", text)
    text = _TAIL.sub("", _LEAD.sub("", text))
    text = _SCALED.sub(r"\1 ", text).casefold()
    words = []
    for token in _TOKEN.findall(text):
        word = token.removesuffix("'s")
        if word not in _FILLERS:
            words += _plain(word)
    return words


def _plain(word: str) -> list[str]:
    """A number without its signs, as words beside it: `$1,200` is `$ 1200`, `5%` is `5 %`."""
    if word[0] in "$€£" or word[-1] == "%":
        bare = word.strip("$€£%").replace(",", "")
        return [part for part in (_CURRENCIES.get(word[0], ""), bare, "%" if word[-1] == "%" else "") if part]
    if word[0].isdigit():
        return [word.replace(",", "")]
    plain = _UNITS.get(word, word)
    return [] if plain == "$" else [plain]
