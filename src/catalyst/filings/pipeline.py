"""A filing's whole walk, in order: feed row, alert, fetch, parse, rules, message, model, last message.

Start with `Pipeline._steps`. The ledger is the truth: work is taken from it, most important first, and every step is
marked there once its message is in the log (`messages.py` says how that is exactly once). Each accession gets one
alert (version 1) and one final message, whatever fails and whenever this process dies.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

import structlog

from catalyst.clock import Clock
from catalyst.errors import CatalystError, ParseError, Refused, StorageError, TransportError
from catalyst.filings.counters import Counters
from catalyst.filings.fetch import Fetcher
from catalyst.filings.forms import parse
from catalyst.filings.learn import learned, taken_away
from catalyst.filings.ledger import Entry, Ledger, Mark, Stage
from catalyst.filings.messages import Messages, Walk
from catalyst.filings.ranking import Ranking, Tickers, Watched
from catalyst.filings.rules import from_feed, from_rules
from catalyst.filings.texts import Text
from catalyst.filings.types import Filing, Parsed, Submission
from catalyst.stream.log import Log
from catalyst.stream.types import Analysis
from catalyst.tracing import NO_TRACER, Tracer

WINDOW = 128
"""Filings taken from the ledger at once; those that wait for the model don't count."""

MODEL_QUEUE = 128
"""Filings that wait for the model in memory; more are taken from the ledger again when there is room."""

HEAVY_BYTES = 48_000
"""From here on a parse leaves the event loop for a thread: less takes it some milliseconds, in which an alert waits."""

RETRY_SECONDS = (5.0, 15.0, 45.0, 120.0, 300.0)
"""Waits between tries; after the last try a filing is told of from its feed row alone."""

OUTAGE_SECONDS = 30.0
"""Wait while EDGAR answers nobody: an outage counts against no filing."""


class Analyst(Protocol):
    """Whoever reads a filing better than the rules do (`analyze.Analyst`)."""

    async def read(self, filing: Filing, parsed: Parsed, rules: Analysis) -> Analysis:
        """The grounded analysis. Raises a CatalystError when there is none to be had."""
        ...


class Keeper(Protocol):
    """Whoever keeps what was read (`texts.Texts`)."""

    async def keep(self, accession: str, text: Text) -> None: ...


class Pipeline:
    """From the ledger to the log. `run` until cancelled; `wake` it whenever the ledger has something new."""

    def __init__(
        self,
        ledger: Ledger,
        fetcher: Fetcher,
        log: Log,
        companies: Tickers,
        clock: Clock,
        analyst: Analyst | None = None,
        watchlist: Watched | None = None,
        texts: Keeper | None = None,
        *,
        model_workers: int = 8,
        min_score: float = 0.0,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self.counters = Counters()
        self._ledger = ledger
        self._fetcher = fetcher
        self._clock = clock
        self._analyst = analyst
        self._texts = texts
        self._ranking = Ranking(companies, watchlist)
        self._messages = Messages(log, ledger, self._ranking, clock, self.counters, tracer)
        self._tracer = tracer
        self._min_score = min_score
        self._model_slots = asyncio.Semaphore(model_workers)
        self._threads = asyncio.Semaphore(2)
        self._open: dict[str, Walk] = {}
        self._fresh: list[Filing] = []
        """Recorded, and not looked at yet: the urgent ones are told of however many others wait."""
        self._telling: set[str] = set()
        self._news = asyncio.Event()
        self._woken = asyncio.Event()
        self._resting = asyncio.Event()
        self._backlog = False
        self._note = structlog.get_logger()

    def wake(self, filings: Sequence[Filing] = ()) -> None:
        """Look at the ledger now; `filings` are those it has just recorded."""
        self.counters.seen += len(filings)
        self._fresh += filings
        self._resting.clear()
        if filings:
            self._news.set()
        self._woken.set()

    async def idle(self) -> None:
        """Return when every accession in the ledger has its final message."""
        await self._resting.wait()

    @property
    def under_way(self) -> int:
        """Filings in memory now."""
        return len(self._open)

    async def run(self) -> None:
        """Walk every pending filing to its end, until cancelled. Raises StorageError: a bad disk ends it."""
        self._open.clear()  # of an earlier run: a walk that was cancelled before its first step is still there
        await self._messages.open()
        try:
            async with asyncio.TaskGroup() as walks:
                walks.create_task(self._tell_news())
                while True:
                    self._woken.clear()
                    with self._clock.working():
                        taken, due = await self._take()
                        await self._alert_from_feed(taken)
                        for walk in taken:
                            self._open[walk.filing.accession] = walk
                            walks.create_task(self._walk(walk))
                    await self._wait(due)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _tell_news(self) -> None:
        """Tell of what is new and urgent beside all other work: neither a full window nor the ledger delays it."""
        while True:
            await self._news.wait()
            self._news.clear()
            with self._clock.working():
                await self._alert_fresh()
            self._woken.set()

    async def _alert_fresh(self) -> None:
        fresh, self._fresh = self._fresh, []
        walks = [
            Walk(filing, self._ranking.score(filing), Stage.SEEN, 0, 0, _tags(filing))
            for filing in fresh
            if filing.accession not in self._open
        ]
        urgent = [walk for walk in walks if self._is_urgent(walk)]
        self._telling = {walk.filing.accession for walk in urgent}
        for walk in urgent:
            walk.amends = await self._ledger.original(walk.filing) if walk.filing.is_amendment else ""
        await self._alert_from_feed(urgent)
        self._telling = set()

    async def _alert_from_feed(self, walks: Sequence[Walk]) -> None:
        """High-tier and watched filings are told at once, in one append, before anything is fetched."""
        urgent = [walk for walk in walks if not walk.alerted and self._is_urgent(walk)]
        if urgent and not await self._tell(urgent):
            for walk in urgent:
                await self._tell([walk])

    async def _tell(self, walks: Sequence[Walk]) -> bool:
        """What the feed rows say, in one append; False when one of them cannot be told, which its walk will handle."""
        try:
            await self._messages.first(walks, [from_feed(walk.filing, walk.score) for walk in walks])
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 (one filing's fault must not silence the others)
            self._note.error("alert.failed", accessions=[walk.filing.accession for walk in walks], exc_info=error)
            return False
        return True

    def _is_urgent(self, walk: Walk) -> bool:
        return walk.score.tier == "high" or self._ranking.watched(walk.filing)

    async def _walk(self, walk: Walk) -> None:
        """One isolated unit of work: whatever happens in it, the others go on and the ledger knows."""
        began = self._clock.monotonic()
        try:
            with self._tracer.within(walk.filing.accession):
                if not walk.ended:
                    await self._steps(walk)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 (recorded on the ledger; the filing is tried again)
            await self._failed(walk, error, began)
        finally:
            del self._open[walk.filing.accession]
            if not self._open or (self._backlog and self._room() > WINDOW // 2):
                self._woken.set()

    async def _steps(self, walk: Walk) -> None:
        """Everything after the feed row: fetch, parse, rules, message, model, last message."""
        with self._tracer.span("filing.fetch"):
            submission = await self._fetcher.fetch(walk.filing, walk.score.priority_score)
        with self._clock.working():
            await self._learn(walk, submission)
            with self._tracer.span("filing.parse"):
                parsed, rules = await self._understand(walk, submission)
            if parsed is not None and self._texts is not None:
                await self._keep(self._texts, parsed)
            wanted = parsed is not None and self._analyst is not None and walk.score.priority_score >= self._min_score
            if not wanted or Stage.PARSED not in walk.stages:
                await self._messages.publish(walk, rules, final=not wanted, stages=Stage.FETCHED | Stage.PARSED)
        if parsed is not None and not walk.ended:
            await self._have_read(walk, parsed, rules)

    async def _learn(self, walk: Walk, submission: Submission) -> None:
        """The header may know parties, items, the acceptance and the period, which the feed's rows did not show."""
        walk.filing = learned(walk.filing, submission.header)
        walk.score = self._ranking.score(walk.filing)
        walk.period = submission.header.period.isoformat() if submission.header.period else ""
        if walk.filing.is_amendment:
            walk.amends = await self._ledger.original(walk.filing, walk.period)
        if submission.problems:
            walk.tags.append("partial")
        if (origin := submission.header.raw.get("catalyst recording", "")) in ("stand-in", "synthesised"):
            walk.tags.append(origin)

    async def _understand(self, walk: Walk, submission: Submission) -> tuple[Parsed | None, Analysis]:
        """Parse, and analyse by rules; what cannot be parsed is None, and its feed row is all there is to tell."""
        filing, score = walk.filing, walk.score

        def work() -> tuple[Parsed, Analysis]:
            parsed = parse(submission, filing.form)
            return parsed, from_rules(filing, parsed, score)

        try:
            if sum(len(document.body) for document in submission.documents) < HEAVY_BYTES:
                return work()
            async with self._threads:
                return await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001 (no fault of a parser may lose the filing)
            self.counters.unparsed += 1
            self._note.warning("filing.unparsed", accession=filing.accession, form=filing.form, error=_short(error))
            walk.tags.append("unparsed")
            return None, from_feed(filing, score)

    async def _keep(self, texts: Keeper, parsed: Parsed) -> None:
        """Before the message that quotes it, so that who sees the message finds the text."""
        try:
            await texts.keep(parsed.accession, Text.of(parsed))
        except StorageError as error:
            self._note.error("text.not_kept", accession=parsed.accession, error=_short(error))

    async def _have_read(self, walk: Walk, parsed: Parsed, rules: Analysis) -> None:
        """Have the model read it; when it cannot, the rules' analysis is the last word."""
        if self._reading() >= MODEL_QUEUE:
            return  # the ledger keeps it, and `_take` brings it back when there is room
        walk.reading = True
        async with self._model_slots:
            with self._clock.working():
                with self._tracer.span("filing.model"):
                    analysis = await self._ask(walk, parsed, rules)
                await self._messages.publish(walk, analysis, final=True, stages=Stage.ANALYSED)

    async def _ask(self, walk: Walk, parsed: Parsed, rules: Analysis) -> Analysis:
        try:
            return await self._analyst.read(walk.filing, parsed, rules) if self._analyst else rules
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever the model does, the filing gets its last message)
            self.counters.model_failures += 1
            self._note.warning("analysis.failed", accession=walk.filing.accession, error=_short(error))
            return rules

    # What happens when a step fails.

    async def _failed(self, walk: Walk, error: Exception, began: float) -> None:
        """Try again later, telling what the feed row says meanwhile; after too many tries that is the last word."""
        fault = not isinstance(error, (TransportError, ParseError))
        self.counters.deferred += 1
        self.counters.errors += fault
        self._note.warning(
            "filing.deferred", accession=walk.filing.accession, error=_short(error), exc_info=error if fault else None
        )
        if fault or self._counts(error, began):
            walk.attempts += 1
        with self._clock.working():
            over = await self._is_over(walk, error)
            if not over:
                await self._put_off(walk, error)

    async def _is_over(self, walk: Walk, error: Exception) -> bool:
        """Tell what can be told; whether that was the last word."""
        over = walk.attempts > len(RETRY_SECONDS)
        try:
            await self._tell_without_text(walk, error, over)
        except StorageError:
            raise
        except Exception as worse:  # noqa: BLE001 (even then the ledger keeps it, and the others go on)
            self._note.error("filing.stuck", accession=walk.filing.accession, error=_short(worse), exc_info=worse)
            return False
        return over

    def _counts(self, error: Exception, began: float) -> bool:
        """Whether a failed request is this filing's own trouble: EDGAR has answered others since it was begun."""
        return not isinstance(error, Refused) and (isinstance(error, ParseError) or self._fetcher.answered_since(began))

    async def _tell_without_text(self, walk: Walk, error: Exception, over: bool) -> None:
        told = from_feed(walk.filing, walk.score)
        if not walk.alerted:
            await self._messages.first([walk], [told])
        if over:
            self.counters.without_text += 1
            walk.tags.append("no-text")
            await self._messages.publish(walk, told, final=True, error=_short(error))

    async def tell_afterwards(self, entry: Entry, *, withdrawn: bool) -> None:
        """Say that EDGAR took a filing away whose last message was sent, or that it has it again."""
        walk = self._begun(entry)
        told = from_feed(walk.filing, walk.score)
        walk.tags.append("withdrawn" if withdrawn else "restored")
        await self._messages.afterwards(walk, taken_away(told) if withdrawn else told, withdrawn=withdrawn)

    async def _put_off(self, walk: Walk, error: Exception) -> None:
        seconds = RETRY_SECONDS[min(walk.attempts, len(RETRY_SECONDS)) - 1] if walk.attempts else OUTAGE_SECONDS
        due = self._clock.now().timestamp() + seconds
        await self._ledger.mark(
            Mark(walk.filing.accession, attempts=walk.attempts, next_try_at=due, error=_short(error))
        )
        self._woken.set()

    # Taking work from the ledger.

    async def _take(self) -> tuple[list[Walk], float | None]:
        """What can be begun now, most important first, and when the next deferred filing is due."""
        room = self._room()
        if room <= 0:
            return [], None
        full = self._reading() >= MODEL_QUEUE
        limit = room + len(self._open)
        now = self._clock.now().timestamp()
        # What is read may be older than the end of a walk, or than an alert, that was under way when it was read.
        before = {*self._open, *self._telling}
        pending = await self._ledger.pending(now, limit, Stage.PARSED if full else Stage.NONE)
        before |= self._telling
        fresh = [entry for entry in pending.entries if entry.filing.accession not in before]
        self._backlog = len(pending.entries) == limit or full
        return [self._begun(entry) for entry in fresh[:room]], pending.next_due

    def _begun(self, entry: Entry) -> Walk:
        filing, score = entry.filing, self._ranking.score(entry.filing)
        tags = _tags(filing)
        return Walk(filing, score, entry.stages, entry.version, entry.attempts, tags, entry.amends, entry.period)

    def _room(self) -> int:
        return WINDOW - len(self._open) + self._reading()

    def _reading(self) -> int:
        return sum(walk.reading for walk in self._open.values())

    async def _wait(self, due: float | None) -> None:
        """Until woken, or until the next deferred filing is due."""
        told = not self._fresh and not self._telling
        if due is None and told and not self._open and not self._backlog and not self._woken.is_set():
            self._resting.set()
        seconds = None if due is None else max(0.0, due - self._clock.now().timestamp())
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout(seconds):
                await self._woken.wait()


def _tags(filing: Filing) -> list[str]:
    tags = ["amendment"] if filing.is_amendment else []
    return tags + (["found-late"] if filing.source != "feed" else [])


def _short(error: Exception) -> str:
    return str(error)[:200] if isinstance(error, CatalystError) else f"{type(error).__name__}: {error}"[:200]
