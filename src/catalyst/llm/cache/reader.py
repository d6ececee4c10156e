"""Read a question: `Reader`. The steps, in order: plain text, politeness, kind, pieces, names and meanings, frame.

What a question asks is left when everything is taken away that does not change its answer; whatever is not understood
stays in as it is written, in its place, so that only the same words match it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from catalyst.companies.aliases import Aliases
from catalyst.llm.cache.frame import Frame
from catalyst.llm.cache.headlines import Headlines
from catalyst.llm.cache.lexicon import Lexicon, Meaning, Phrases, fold, load
from catalyst.llm.cache.openings import Openings
from catalyst.llm.cache.order import question
from catalyst.llm.cache.question import Question
from catalyst.llm.cache.scan import plain, scan, unreadable
from catalyst.llm.cache.terms import Term
from catalyst.llm.cache.topics import Topics

_BE = frozenset(("is", "are", "was", "were", "been", "being"))
_AFTER_REPORTED = frozenset(("by", "in", "for", "on", "at", "during"))
_BEFORE_TIMES = frozenset(("in", "for", "during", "on", "at", "as"))
_NOTHING = "it asks nothing: only the exact text matches"


class Reader:
    """Reads questions with the companies it was given. Build another one when their list changes."""

    def __init__(self, aliases: Aliases, lexicon: Lexicon | None = None) -> None:
        self._aliases = aliases
        self._lexicon = lexicon or load()
        self._openings = Openings(self._lexicon.lists)
        self._headlines = Headlines(self._lexicon.lists)
        self._frame = Frame(
            self._lexicon.lists, Topics(self._lexicon.frames, self._lexicon.sentences, self._lexicon.known)
        )
        self._languages = frozenset(self._lexicon.lists["words"]["languages"])

    def read(self, text: str, today: date, *, strict: bool = False) -> Question:
        """What `text` asks, relative times counted from `today`; `strict` leaves nothing of it out but politeness."""
        spoken = plain(text)
        if why := unreadable(spoken):
            return Question(text, canonical=spoken.casefold(), why_bypass=why)
        if spoken.startswith("~"):
            return self._again(text, spoken, today)
        if self._foreign(spoken):
            return Question(text, canonical=spoken.casefold(), words=tuple(spoken.casefold().split()))
        terms = _time_last(scan(spoken, today))
        kind, being, rest = self._openings.take(terms, self._begins_a_topic)
        if not rest:
            return Question(
                text, canonical=spoken.casefold(), why_bypass="it asks nothing: only the exact text matches"
            )
        terms = self._frame.build(kind, self.recognise(rest), being=being, strict=strict)
        if all(term.sort == "marker" for term in terms):
            return Question(text, canonical=spoken.casefold(), why_bypass=_NOTHING)
        return question(text, terms)

    def headline(self, text: str, today: date) -> Question:
        """What a headline tells, without what its wire adds. A cut one is never known to be the same."""
        bare, tags, cut = self._headlines.bare(plain(text))
        if why := "a headline cut short: only the exact text matches" if cut else unreadable(bare):
            return Question(text, canonical=bare.casefold(), why_bypass=why)
        told = self.recognise(self._headlines.without_legal(scan(bare, today)), self._lexicon.headlines)
        return question(text, self._headlines.build(told, tags))

    def recognise(self, terms: Sequence[Term], first: Phrases | None = None) -> list[Term]:
        """The terms with companies and the phrases of the lexicons in place of their words."""
        raws = [term.raw if term.sort in ("word", "possessive") or term.raw.isdigit() else "|" for term in terms]
        words = [raw.lower() for raw in raws]
        folded = [fold(word) for word in words]
        found: list[Term] = []
        at = 0
        while at < len(terms):
            length, term = self._at(terms, raws, words, folded, at, first)
            found.append(term)
            at += length
        return found

    def _at(
        self,
        terms: Sequence[Term],
        raws: list[str],
        words: list[str],
        folded: list[str],
        at: int,
        first: Phrases | None,
    ) -> tuple[int, Term]:
        term = terms[at]
        if term.sort == "number" and (alias := self._aliases.named(term.raw)):
            return 1, Term("entity", f"${alias.key}", term.raw)
        if term.sort not in ("word", "possessive"):
            set_phrase = self._phrase(folded, at) if term.raw.isdigit() else None
            return (len(set_phrase[0]), _meant(set_phrase[1], "")) if set_phrase else (1, term)
        if (
            words[at] == "reported"
            and at
            and (
                words[at - 1] in _BE
                or at + 1 == len(terms)
                or words[at + 1] in _AFTER_REPORTED
                or self._names_company(words, raws, at - 1)
            )
        ):
            return 1, Term("verb", "disclose", "reported", past=True)
        name = self._aliases.find(words, raws, at)
        phrase = (_longest(first, folded, at) if first else None) or self._phrase(folded, at)
        if name is not None and first is not None and at and name[0] == 1 and (name[1].capital or name[1].everyday):
            name = None  # headlines capitalise every word
        if name is not None and (phrase is None or name[0] >= len(phrase[0])):
            length, alias = name
            by_name = alias.classes and raws[at] != alias.key
            return length, Term("entity", f"${alias.key}", "name" if by_name else alias.key)
        if phrase is not None and not (raws[at] == "us" and len(phrase[0]) == 1):
            return len(phrase[0]), _meant(phrase[1], raws[at] if len(phrase[0]) == 1 else "")
        return 1, term

    def _names_company(self, words: list[str], raws: list[str], last: int) -> bool:
        """Whether the words up to `last` end in a company's name."""
        return any(
            (name := self._aliases.find(words, raws, at)) is not None and at + name[0] == last + 1
            for at in range(max(0, last - 4), last + 1)
        )

    def _phrase(self, folded: list[str], at: int) -> tuple[tuple[str, ...], Meaning] | None:
        return _longest(self._lexicon.phrases, folded, at)

    def _begins_a_topic(self, terms: Sequence[Term]) -> bool:
        """Whether a phrase of the lexicons begins with the question word itself (`how many employees`)."""
        words = [fold(term.raw.lower()) for term in terms[:8]]
        return words[0] in ("how", "what", "who") and self._phrase(words, 0) is not None

    def _foreign(self, text: str) -> bool:
        words = text.casefold().replace("'", " ").split()
        return sum(word in self._languages for word in words) * 5 > len(words) + 2

    def _again(self, text: str, spoken: str, today: date) -> Question:
        """Read a canonical text: its pieces stand as they are."""
        terms: list[Term] = []
        for piece in spoken.split(" | "):
            read = self.recognise(scan(piece, today))
            terms.append(self._frame.piece(piece, read))
        return question(text, terms)


def _time_last(terms: list[Term]) -> list[Term]:
    """`In 2021, what …` as `what … in 2021`."""
    at = 1 if terms and terms[0].raw.lower() in _BEFORE_TIMES else 0
    if len(terms) > at + 2 and terms[at].sort == "period":
        return [*terms[at + 1 :], *terms[: at + 1]]
    return terms


def _longest(phrases: Phrases, folded: list[str], at: int) -> tuple[tuple[str, ...], Meaning] | None:
    """The longest phrase that begins at a word."""
    for words, meaning in phrases.get(folded[at], ()):
        if len(words) == 1 or tuple(folded[at : at + len(words)]) == words:
            return words, meaning
    return None


def _meant(meaning: Meaning, raw: str) -> Term:
    return Term(meaning.sort, meaning.canonical, raw, meaning.topic, meaning.past)
