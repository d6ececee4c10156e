"""A headline's whole walk, in order: feed, story, score, alert, model, update. Start with `NewsDesk.run`.

`FeedItem -> Headline -> Score -> headline_alert -> headline_update`. The ledger of stories is the queue, on disk and
most important first, so memory stays flat however much comes, and a kill anywhere loses and repeats nothing: a
story's messages have its id and a version as their key in the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import orjson
import structlog

from catalyst.clock import Clock
from catalyst.errors import CatalystError, StorageError
from catalyst.news.classify import Classification, Classifier, by_rules
from catalyst.news.compose import PRIORITY_TIERS, compose, priority_of
from catalyst.news.settings import NewsSettings
from catalyst.news.source import Answer, Source, wait_of
from catalyst.news.stories import Open, State, Stories
from catalyst.news.tickers import TickerFinder
from catalyst.news.types import FeedItem, Headline
from catalyst.stream.log import Log
from catalyst.stream.types import HeadlineAlert

TAKEN = 64
"""Stories that are told in one append."""
PATIENCE = timedelta(minutes=5)
"""A story that waited so long for the model is ended by the rules: its news is old."""
FORGET_SECONDS = 3600.0


class Watched(Protocol):
    """Whose tickers count more (`filings.watchlist.Watchlist`)."""

    def watches(self, tickers: Iterable[str]) -> bool: ...


class NewsDesk:
    """From feeds to the log. `run` until cancelled."""

    def __init__(
        self,
        sources: Sequence[Source],
        stories: Stories,
        log: Log,
        classifier: Classifier,
        finder: TickerFinder,
        clock: Clock,
        settings: NewsSettings | None = None,
        watchlist: Watched | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.sources = sources
        self.counts: Counter[str] = Counter()
        self.delays: deque[float] = deque(maxlen=2048)
        """Seconds from first sight to the alert's commit."""
        self._stories = stories
        self._log = log
        self._classifier = classifier
        self._finder = finder
        self._clock = clock
        self._settings = settings or NewsSettings()
        self._watchlist = watchlist
        self._jitter = jitter
        self._head = 0
        self._new = asyncio.Event()
        self._told = asyncio.Event()
        self._urgent = asyncio.Event()
        self._note = structlog.get_logger()

    async def run(self) -> None:
        """Follow every feed and tell every story, until cancelled. Raises StorageError: a bad disk ends it, and so
        does a shared log that is away or no longer ours; what was not told yet is told by the next run.
        """
        _, self._head = await self._log.bounds()
        self._new.set()
        self._told.set()
        try:
            async with asyncio.TaskGroup() as group:
                for source in self.sources:
                    group.create_task(self._follow(source))
                group.create_task(self._tell_all())
                group.create_task(self._ask_all())
                group.create_task(self._forget())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    # A feed becomes stories.

    async def _follow(self, source: Source) -> None:
        while True:
            with self._clock.working():
                error = await self._poll(source)
            await self._clock.sleep(wait_of(source.state, error, self._settings.poll_seconds, self._jitter))

    async def _poll(self, source: Source) -> CatalystError | None:
        """One poll, taken in; a feed's failure is its own."""
        state = source.state
        known = await self._stories.validators(source.address)
        try:
            answer = await source.poll(known)
        except CatalystError as error:
            return self._failed(source, error)
        except Exception as error:  # noqa: BLE001 (one feed's fault must not silence the others)
            return self._failed(source, CatalystError(f"{type(error).__name__} while reading {state.name}"))
        state.polls, state.failures, state.reason = state.polls + 1, 0, ""
        state.last = self._clock.now()
        await self._take(source, answer, first=known is None)
        return None

    def _failed(self, source: Source, error: CatalystError) -> CatalystError:
        state = source.state
        state.failures, state.failed, state.reason = state.failures + 1, state.failed + 1, str(error)[:200]
        self._note.warning("feed.failed", feed=state.name, failures=state.failures, error=state.reason)
        return error

    async def _take(self, source: Source, answer: Answer, *, first: bool) -> None:
        """Record what is new and young enough, and only then the answer's validators."""
        if not answer.items and answer.validators is None:
            return
        now = self._clock.now()
        young: list[Headline] = []
        old: list[Headline] = []
        for item in answer.items:
            fits = now - item.published <= self._age() if item.published else not first
            (young if fits else old).append(self._headline(item, now))
        undated = [headline for headline in old if headline.published == now]
        new = await self._stories.record(young, feed=source.address, validators=answer.validators, skip=undated)
        source.state.items += new
        self.counts["stories"] += new
        self.counts["repeats"] += len(young) - new
        self.counts["too_old"] += len(old)
        if new:
            self._new.set()

    def _age(self) -> timedelta:
        return timedelta(seconds=self._settings.age_seconds)

    def _headline(self, item: FeedItem, now: datetime) -> Headline:
        published = min(item.published, now) if item.published else now
        mentions = self._finder.find(item.title, item.summary)
        return Headline("", item.title, item.source, item.url, published, now, item.summary, mentions)

    # A story becomes an alert at once.

    async def _tell_all(self) -> None:
        while True:
            self._new.clear()
            while batch := await self._stories.open(State.SEEN, TAKEN):
                with self._clock.working():
                    await self._tell(batch)
            await self._new.wait()

    async def _tell(self, batch: Sequence[Open]) -> None:
        """Score, append, mark: the alerts of several stories in one commit."""
        told = [(story, alert) for story in batch if (alert := self._alert(story)) is not None]
        stood = await self._append([alert for _, alert in told])
        now = self._clock.now()
        marks = {story.key: (story.key, State.SKIPPED, 0.0) for story in batch}
        for (story, alert), final in zip(told, stood, strict=True):
            self.delays.append((now - story.headline.seen_at).total_seconds())
            state = State.FINAL if final else State.ALERTED
            marks[story.key] = (story.key, state, alert.analysis.priority_score)
        self.counts["alerts"] += len(told)
        await self._stories.mark(list(marks.values()))
        self._told.set()
        if any(alert.analysis.priority == "high" and not alert.final for _, alert in told):
            self._urgent.set()

    def _alert(self, story: Open) -> HeadlineAlert | None:
        try:
            found = self._judged(story)
            return self._message(story, found, version=1, final=not (found.wanted and self._classifier.has_model))
        except Exception as error:  # noqa: BLE001 (one story's fault must not silence the others)
            self.counts["errors"] += 1
            self._note.error("headline.unfit", headline=story.headline.id, exc_info=error)
            return None

    def _judged(self, story: Open) -> Classification:
        score = self._classifier.score(story.headline.text)
        return by_rules(story.headline.text, score, self._classifier.passes(score))

    # An alert gets its last word from the model.

    async def _ask_all(self) -> None:
        while True:
            self._told.clear()
            while waiting := await self._waiting():
                size = self._classifier.batch_size(len(waiting))
                batch, left = waiting[:size], len(waiting) - size
                with self._clock.working():
                    urgent = await self._end(batch)
                await self._rest(self._classifier.pause(max(left, 0), urgent=urgent))
            await self._told.wait()

    async def _waiting(self) -> list[Open]:
        self._urgent.clear()
        return await self._stories.open(State.ALERTED, 4 * TAKEN)

    async def _rest(self, seconds: float) -> None:
        """The pause between two batches, cut short by a story of high priority."""
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout(seconds):
                await self._urgent.wait()

    async def _end(self, batch: Sequence[Open]) -> bool:
        """The last message of each; says whether one of them was of high priority."""
        known = [self._judged(story) for story in batch]
        urgent = any(self._priority(s, k) >= PRIORITY_TIERS["high"] for s, k in zip(batch, known, strict=True))
        fresh = self._clock.now() - PATIENCE
        asked = [place for place, story in enumerate(batch) if story.headline.seen_at >= fresh and known[place].wanted]
        found = list(known)
        for place, answer in zip(asked, await self._ask([known[place] for place in asked], urgent=urgent), strict=True):
            found[place] = answer
        alerts = [self._message(story, one, version=2, final=True) for story, one in zip(batch, found, strict=True)]
        await self._append(alerts)
        self.counts["updates"] += len(batch)
        self.counts["read_by_model"] += sum(one.source == "llm" for one in found)
        self.counts["model_failures"] += sum(bool(one.error) for one in found)
        self.counts["not_asked"] += len(batch) - len(asked)
        await self._stories.mark([(story.key, State.FINAL, 0.0) for story in batch])
        return urgent

    async def _ask(self, known: Sequence[Classification], *, urgent: bool) -> Sequence[Classification]:
        """The model's word on each; whatever it does, the stories get their last message."""
        if not known:
            return known
        try:
            return await self._classifier.ask(known, "high" if urgent else "normal")
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 (recorded; the rules' judgement stands)
            self._note.error("headlines.unread", count=len(known), exc_info=error)
            return [found.model_copy(update={"error": type(error).__name__}) for found in known]

    # What both share.

    def _message(self, story: Open, found: Classification, *, version: int, final: bool) -> HeadlineAlert:
        return compose(
            story.headline,
            found,
            sources=story.sources,
            version=version,
            final=final,
            priority_score=self._priority(story, found),
            now=self._clock.now(),
            tags=self._finder.tags(story.headline.mentions),
        )

    def _priority(self, story: Open, found: Classification) -> float:
        tickers = [mention.ticker for mention in story.headline.mentions]
        return priority_of(found, watched=self._watchlist is not None and self._watchlist.watches(tickers))

    async def _append(self, alerts: Sequence[HeadlineAlert]) -> list[bool]:
        """Append; for each, whether what stands under its key is final: ours, or an earlier process's."""
        if not alerts:
            return []
        offsets = await self._log.append(alerts)
        finals = []
        for alert, offset in zip(alerts, offsets, strict=True):
            records = [] if offset > self._head else await self._log.read(offset - 1, 1)
            finals.append(bool(orjson.loads(records[0].body)["final"]) if records else alert.final)
        self._head = max(self._head, *offsets)
        return finals

    async def _forget(self) -> None:
        while True:
            await self._stories.forget(self._clock.now())
            await self._clock.sleep(FORGET_SECONDS)

    async def idle(self) -> bool:
        """Whether every story that was seen has its last message."""
        counts = await self._stories.count()
        return counts["seen"] == 0 and counts["alerted"] == 0

    async def status(self) -> dict[str, object]:
        """What `/api/status` shows."""
        with contextlib.suppress(StorageError):
            return {
                "feeds": [_shown(source) for source in self.sources],
                "stories": await self._stories.count(),
                "counts": dict(self.counts),
            }
        return {"feeds": [_shown(source) for source in self.sources]}


def _shown(source: Source) -> dict[str, object]:
    state = source.state
    last = state.last.isoformat() if state.last else None
    return {"name": state.name, "failures": state.failures, "reason": state.reason, "last": last, "items": state.items}
