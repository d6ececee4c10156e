"""One request on its way down the ladder, and the readings of questions that it is compared by."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from catalyst.llm.cache.kept import Kept
from catalyst.llm.cache.keys import Plan
from catalyst.llm.cache.meaning import Question, Reader, guard_version
from catalyst.llm.cache.policy import Policy
from catalyst.llm.job import Job

REMEMBERED = 4_096
"""Kept questions whose reading is remembered."""


@dataclass(slots=True)
class Sought:
    """A request's question, and what was learned of it so far."""

    job: Job
    plan: Plan
    ttl: float
    asked: Question | None = None
    canon: bytes | None = None
    steps: bytes | None = None
    """Its vector."""
    doubtful: Kept | None = None
    """The nearest answer that only a comparison can prove."""
    similarity: float = 0.0


class Readings:
    """Reads questions; the reader is made once, in a thread, for it reads the list of companies."""

    def __init__(self, make: Callable[[], Reader]) -> None:
        self._make = make
        self._reader: Reader | None = None
        self._making = threading.Lock()
        self._kept: dict[tuple[str, str, Policy], Question] = {}
        self.guard = guard_version()

    async def understand(self, sought: Sought) -> None:
        """Find the canonical form of what is asked, where it has one."""
        if self._reader is None:
            self._reader = await asyncio.get_running_loop().run_in_executor(None, self._once)
        asked = self._read(sought.plan.text, sought.plan.day, sought.plan.policy)
        if not asked.bypass and asked.canonical:
            sought.asked = asked
            sought.canon = sought.plan.canon(self.guard, asked.canonical)

    def of(self, entry: Kept, policy: Policy) -> Question:
        """What a kept entry answers, its relative times counted from the day on which it was asked."""
        name = (entry.question, entry.day, policy)
        found = self._kept.get(name)
        if found is None:
            if len(self._kept) >= REMEMBERED:
                self._kept.clear()
            found = self._kept[name] = self._read(entry.question, date.fromisoformat(entry.day), policy)
        return found

    def _once(self) -> Reader:
        """The reader, made by the first who asks: a hundred questions at once would each make their own."""
        with self._making:
            return self._reader or self._made()

    def _made(self) -> Reader:
        self._reader = self._make()
        return self._reader

    def _read(self, text: str, day: date, policy: Policy) -> Question:
        if self._reader is None:
            self._reader = self._once()
        return self._reader.headline(text, day) if policy is Policy.HEADLINE else self._reader.read(text, day)
