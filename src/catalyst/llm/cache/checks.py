"""Whether what the cache serves is what the model would say: audits of served answers, and evidence for doubtful ones.

An audit asks the model again in the background, within the tenant's budget and at low priority. Evidence costs
nothing: a question that a doubtful entry was not served for is answered by the model anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from catalyst.clock import Clock
from catalyst.errors import LLMServiceError, StorageError
from catalyst.llm.cache.answers import text_of
from catalyst.llm.cache.kept import CacheStore, Kept, Outcome, Pair
from catalyst.llm.cache.keys import Plan
from catalyst.llm.cache.meaning import agree
from catalyst.llm.cache.tally import Level, Tally
from catalyst.llm.cache_seam import Ask
from catalyst.llm.job import Job

SHOWN = 500
"""Characters of a question that are remembered for `catalyst cache audit`."""

AT_ONCE = 4
"""Audits in flight; more are left out."""

log = structlog.get_logger()


class Checks:
    """Background comparisons. `ask` is set once the hub stands."""

    def __init__(
        self, store: CacheStore, clock: Clock, tally: Tally, random: Callable[[], float], share: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._tally = tally
        self._random = random
        self._share = share
        self.ask: Ask | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def seen(
        self, job: Job, level: str, outcome: Outcome, similarity: float, entry: Kept, reason: str, asked: str
    ) -> None:
        """Remember a pair of questions. Raises StorageError."""
        now = self._clock.now().timestamp()
        pair = Pair(
            now, job.request.tenant, level, outcome, round(similarity, 4), asked[:SHOWN], entry.question[:SHOWN], reason
        )
        await self._store.note(pair)

    async def learned(self, job: Job, entry: Kept, similarity: float, asked: str, answer: str) -> None:
        """The model answered a question that `entry` may answer too: whether it does counts for or against it."""
        same = agree(text_of(entry.answer), answer, job.schema)
        if same is not None:
            await self._store.compared(entry.key, same)
        await self.seen(job, "verify", _outcome(same), similarity, entry, "compared with the model's answer", asked)

    def audit(self, job: Job, level: Level, similarity: float, entry: Kept, plan: Plan) -> None:
        """Draw whether this served answer is compared with what the model says now."""
        if self.ask is None or len(self.tasks) >= AT_ONCE or self._random() >= self._share:
            return
        task = asyncio.get_running_loop().create_task(self._audited(self.ask, job, level, similarity, entry, plan))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def cancel(self) -> None:
        for task in self.tasks:
            task.cancel()

    async def _audited(self, ask: Ask, job: Job, level: Level, similarity: float, entry: Kept, plan: Plan) -> None:
        try:
            answer = await ask(job.request)
            same = agree(text_of(entry.answer), answer.text, job.schema)
            self._tally.audits[_outcome(same)] += 1
            await self.seen(job, level, _outcome(same), similarity, entry, "audit of a served answer", plan.text)
            if same is False:
                await self._wrong(entry, plan)
        except (LLMServiceError, StorageError) as error:
            log.info("cache.audit.skipped", error=str(error))

    async def _wrong(self, entry: Kept, plan: Plan) -> None:
        """The entry goes; its template has a strike."""
        now = self._clock.now().timestamp()
        await self._store.reject(entry.key, now, now)
        strikes = await self._store.strike(plan.template)
        log.warning("cache.audit.wrong", key=entry.key.hex(), feature=entry.feature, strikes=strikes)


def _outcome(same: bool | None) -> Outcome:
    return "unclear" if same is None else "agreed" if same else "disagreed"
