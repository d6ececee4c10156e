"""The answer cache: four levels, each asked only where the one before had nothing.

L0 the same request byte for byte; L1 the same canonical question; L2 the nearest questions that the guard proves the
same; L3 those that it cannot prove, once enough comparisons with the model's own answers did. Everything but the
question must be equal at every level (`keys.py`). Whatever fails here is a miss.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from catalyst.clock import Clock
from catalyst.errors import StorageError
from catalyst.llm.cache.answers import cost, decoded, encoded, storable
from catalyst.llm.cache.checks import Checks
from catalyst.llm.cache.flight import Flights, Seat
from catalyst.llm.cache.kept import CacheStore, Kept
from catalyst.llm.cache.keys import document_key, plan
from catalyst.llm.cache.meaning import Question, Reader, Verdict, compare
from catalyst.llm.cache.near import Near
from catalyst.llm.cache.policy import Policy
from catalyst.llm.cache.seen import Seen
from catalyst.llm.cache.sought import Readings, Sought
from catalyst.llm.cache.tally import Level, Tally
from catalyst.llm.cache_seam import Ask, CacheHit, Visit
from catalyst.llm.job import Job
from catalyst.llm.types import LLMResponse

STRIKES = 2
"""Wrong answers after which a template's questions match by exact text only."""

TOMBSTONE_SECONDS = 86_400.0
"""How long a rejected question is asked anew each time."""

STRICT_FLOOR = 0.90
REST_SECONDS = 2.0
"""After the store failed, it is left alone so long."""

CLOSE_SECONDS = 2.0

MOST_KEEPING, MOST_BEHIND = 256, 4_096
"""Answers that may be on their way into the store before a request waits for its own, and works in the background
beyond which an answer is left out of the index until the next start: a slow disk costs time then, not memory.
"""

USED_SECONDS, SWEEP_SECONDS = 5.0, 600.0
"""Between writes of what was hit, and between removals of what expired."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How long answers live, and from which similarity on a question is looked at."""

    ttl_seconds: float = 86_400.0
    stale_seconds: float = 0.0
    """How long an expired answer is still served while a new one is fetched; 0: never."""
    floor: float = 0.85
    audit_share: float = 0.01
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


class LadderCache:
    """An `AnswerCache`. `make_reader` is called once, in a thread, at the first question by meaning."""

    def __init__(
        self,
        store: CacheStore,
        near: Near,
        make_reader: Callable[[], Reader],
        clock: Clock,
        settings: CacheSettings,
        tally: Tally,
        *,
        random: Callable[[], float],
        judge: Callable[[Question, Question], Verdict] = compare,
    ) -> None:
        self._store = store
        self._near = near
        self._readings = Readings(make_reader)
        self._judge = judge
        self._clock = clock
        self._settings = settings
        self._tally = tally
        self._checks = Checks(store, clock, tally, random, settings.audit_share)
        self._flights = Flights(store, clock)
        self._ask: Ask | None = None
        self._opened = False
        self._rest_until = 0.0
        self._used: dict[bytes, int] = {}
        self._written = self._swept = clock.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeping: set[asyncio.Task[None]] = set()

    def start(self, ask: Ask) -> None:
        """See `AnswerCache`."""
        self._ask = ask
        self._checks.ask = ask

    async def visit(self, job: Job) -> Visit:
        """See `AnswerCache`."""
        try:
            return await self._visit(job)
        except Exception as error:  # noqa: BLE001 (a cache that fails is a miss)
            self.failed(error)
            return Visit()

    async def reject(self, key: str) -> bool:
        """A user says that the answer under `key` is wrong: it goes at once and cannot come back for a day, also where
        it is in flight. A second strike ends matching by meaning for its template. Whether an answer stood there.

        Raises StorageError, and ValueError for what is no key.
        """
        await self._open()
        await asyncio.gather(*self._keeping)  # its user has the answer: it shall stand there before it falls
        now = self._clock.now().timestamp()
        gone = await self._store.reject(bytes.fromhex(key), now, now + TOMBSTONE_SECONDS)
        self._tally.count("rejected")
        if gone is None:
            return False
        if gone.canon is not None:
            await self._store.strike(gone.template)
        await self._near.forget(gone.id)
        log.info("cache.rejected", key=key, feature=gone.feature)
        return True

    async def forget_document(self, text: str) -> int:
        """Remove every answer drawn from a document that was withdrawn or changed. Raises StorageError."""
        await self._open()
        await asyncio.gather(*self._keeping)
        return await self._store.forget(document_key(text))

    def snapshot(self) -> dict[str, Any]:
        """See `AnswerCache`."""
        meaning = {"state": self._near.state, "vectors": len(self._near), "embedder": self._near.version}
        return {**self._tally.shown(), "waited": self._flights.waited, "meaning": meaning}

    async def settled(self) -> None:
        """Until nothing goes on in the background, for tests and benches."""
        while self._tasks or self._checks.tasks:
            await asyncio.gather(*self._tasks, *self._checks.tasks, return_exceptions=True)
        await self._near.settled()

    async def pause(self) -> None:
        """Finish what is being stored and let go of the event loop; loading ends with it, and begins again."""
        await self._finish()
        await self._near.pause()
        await self._store.close()

    async def close(self) -> None:
        """Finish what is being stored, give up audits, save the index."""
        await self._finish()
        await self._near.close()
        await self._store.close()

    async def _finish(self) -> None:
        self._checks.cancel()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*self._tasks, self._flights.close(), return_exceptions=True)
            if self._opened and self._used:
                await self._store.used(self._drained(), self._clock.now().timestamp())
        except (TimeoutError, StorageError) as error:
            log.warning("cache.close.unfinished", tasks=len(self._tasks), error=str(error))

    async def _visit(self, job: Job) -> Visit:
        if self._clock.monotonic() < self._rest_until:
            return Visit()
        ttl = self._ttl(job)
        found = plan(job, self._settings.zone) if ttl > 0 else None
        if found is None:
            self._tally.count("bypassed")
            return Visit()
        await self._open()
        sought = Sought(job, found, ttl)
        hit = await self._look(sought)
        if hit is not None:
            return Seen(self, sought, hit=hit)
        patience = max(0.0, (job.deadline - self._clock.monotonic()) / 2)
        seat, hit = await self._flights.board(sought.canon or found.key, patience, lambda: self._exact(sought))
        if hit is None:
            self._tally.count("miss")
        return Seen(self, sought, hit=hit, seat=seat)

    async def _open(self) -> None:
        if not self._opened:
            await self._store.open()
            self._opened = True
            self._tally.load(await self._store.figures())

    def _ttl(self, job: Job) -> float:
        """The request's own, else the operator's, seconds."""
        asked = job.request
        return asked.cache_ttl_seconds if "cache_ttl_seconds" in asked.model_fields_set else self._settings.ttl_seconds

    async def _look(self, sought: Sought) -> CacheHit | None:
        hit = self._usable(await self._store.by_key(sought.plan.key), sought, "exact")
        if hit is not None or not sought.plan.by_meaning:
            return hit
        if await self._store.strikes(sought.plan.template) >= STRIKES:
            return None
        await self._readings.understand(sought)
        if sought.canon is None:
            return None
        hit = self._usable(await self._store.by_canon(sought.canon), sought, "canonical")
        return hit if hit is not None else await self._nearest(sought)

    async def _exact(self, sought: Sought) -> CacheHit | None:
        """L0 and L1 again, for who waited."""
        hit = self._usable(await self._store.by_key(sought.plan.key), sought, "exact")
        if hit is None and sought.canon is not None:
            hit = self._usable(await self._store.by_canon(sought.canon), sought, "canonical")
        return hit

    async def _nearest(self, sought: Sought) -> CacheHit | None:
        """L2 and L3."""
        asked = sought.asked
        if asked is None or not self._near.wake():
            return None
        bucket = sought.plan.bucket(self._readings.guard, self._near.version)
        sought.steps, found = await self._near.find(bucket, asked.spoken)
        strict = sought.plan.policy is Policy.HEADLINE
        floor = max(self._settings.floor, STRICT_FLOOR) if strict else self._settings.floor
        close = [(number, similarity) for number, similarity in found if similarity >= floor]
        kept = await self._store.by_ids([number for number, _ in close])
        for number, similarity in close:
            entry = kept.get(number)
            if entry is None:
                self.begin(self._near.forget(number))
            elif (hit := self._guarded(sought, asked, entry, similarity)) is not None:
                return hit
        return None

    def _guarded(self, sought: Sought, asked: Question, entry: Kept, similarity: float) -> CacheHit | None:
        """The entry's answer where the guard, or the evidence, says that it answers the question."""
        if self._stale(entry, sought) is None:
            return None
        verdict = self._judge(asked, self._readings.of(entry, sought.plan.policy))
        if verdict.kind == "refuse":
            self.begin(self._checks.seen(sought.job, "near", "refused", similarity, entry, verdict.reason, asked.text))
            return None
        if verdict.kind == "verify" and not entry.trust.may_serve():
            if sought.doubtful is None:
                sought.doubtful, sought.similarity = entry, similarity
            return None
        level: Level = "near" if verdict.kind == "serve" else "verified"
        hit = self._usable(entry, sought, level, similarity)
        if hit is not None:
            self.begin(self._checks.seen(sought.job, level, "served", similarity, entry, verdict.reason, asked.text))
        return hit

    def _usable(self, entry: Kept | None, sought: Sought, level: Level, similarity: float = 1.0) -> CacheHit | None:
        """The entry as a hit, where it lives and its answer meets the request."""
        if entry is None or (stale := self._stale(entry, sought)) is None:
            return None
        response = decoded(entry.answer, sought.job)
        if response is None:
            return None
        if stale:
            self._tally.count("stale")
            self.begin(self._refresh(sought))
        self._tally.hit(level, entry.saved)
        self._used[entry.key] = self._used.get(entry.key, 0) + 1
        same = level == "exact" or entry.question == sought.plan.text
        if not same:
            self._checks.audit(sought.job, level, similarity, entry, sought.plan)
        self._keep_house()
        return CacheHit(response, "exact" if same else "semantic", entry.key.hex(), entry.saved)

    def _stale(self, entry: Kept, sought: Sought) -> bool | None:
        """False for an entry that lives, True for one past its time that may still be served, None for a dead one."""
        now = self._clock.now().timestamp()
        end = min(entry.expires, entry.created + sought.ttl)
        if now < end:
            return False
        return True if now < end + self._settings.stale_seconds else None

    async def keep(self, sought: Sought, response: LLMResponse) -> None:
        """Store what the model answered, and learn from it."""
        if not storable(sought.job, response):
            self._tally.count("unkept")
            return
        now = self._clock.now().timestamp()
        job, found = sought.job, sought.plan
        entry = Kept(
            found.key, job.request.tenant, job.request.feature_name, found.template, _plain(found.text),
            found.day.isoformat(), encoded(response), cost(response), now, now + sought.ttl, sought.canon,
            found.documents,
        )  # fmt: skip
        number = await self._store.keep(entry)
        self._tally.count("unkept" if number is None else "kept")
        indexed = self._near.state in ("loading", "ready") and len(self._tasks) < MOST_BEHIND
        if number is not None and sought.canon is not None and indexed:
            self.begin(self._place(sought, number))
        self._keep_house()
        if sought.doubtful is not None:
            self.begin(self._checks.learned(job, sought.doubtful, sought.similarity, found.text, response.text))

    async def _place(self, sought: Sought, number: int) -> None:
        await self._near.loaded.wait()
        if self._near.state != "ready" or sought.asked is None:
            return
        bucket = sought.plan.bucket(self._readings.guard, self._near.version)
        await self._near.place(sought.plan.key, number, bucket, sought.asked.spoken, sought.steps)

    async def _refresh(self, sought: Sought) -> None:
        """Ask anew in the background; the stale answer has been served."""
        seat = self._flights.try_board(sought.canon or sought.plan.key)
        if seat is None or self._ask is None:
            return
        try:
            await self.keep(sought, await self._ask(sought.job.request))
        finally:
            self._flights.leave(seat)

    def leave(self, seat: Seat | None) -> None:
        """See `Visit`."""
        if seat is not None:
            self._flights.leave(seat)

    def _keep_house(self) -> None:
        """Now and then: write down what was hit, remove what expired."""
        now = self._clock.monotonic()
        if now - self._written > USED_SECONDS:
            self._written = now
            self.begin(self._store.used(self._drained(), self._clock.now().timestamp()))
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            self.begin(self._sweep())

    async def _sweep(self) -> None:
        await self._store.sweep(self._clock.now().timestamp() - self._settings.stale_seconds)
        await self._near.prune()

    def _drained(self) -> dict[bytes, int]:
        used, self._used = self._used, {}
        return used

    def begin(self, work: Awaitable[Any]) -> asyncio.Task[None]:
        """Go on with `work` in the background; `close` waits for it."""
        task = asyncio.get_running_loop().create_task(self._guarded_task(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def begin_keep(self, work: Awaitable[Any]) -> None:
        """`begin`, for what an answer that was given already is stored by; waits for it where too many are."""
        task = self.begin(work)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        if len(self._keeping) > MOST_KEEPING:
            await asyncio.wait([task])

    async def _guarded_task(self, work: Awaitable[Any]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 (work in the background is isolated)
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """Count and log a fault; a store that fails is left alone for a while."""
        self._tally.count("error")
        if isinstance(error, StorageError):
            self._rest_until = self._clock.monotonic() + REST_SECONDS
        log.warning("cache.failed", error=str(error), kind=type(error).__name__)


def _plain(text: str) -> str:
    """The text without half characters, which no store can hold."""
    return text.encode("utf-8", "replace").decode()
