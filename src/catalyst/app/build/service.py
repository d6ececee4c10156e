"""The service that `up` and `serve` run: settings and an opened source in, running parts out."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from catalyst.app.build.cashflow import cashflow
from catalyst.app.build.enrich import enricher
from catalyst.app.build.gateway import KEYS
from catalyst.app.build.hub import hub
from catalyst.app.build.news import classifier, news_desk
from catalyst.app.build.prompts import prompts
from catalyst.app.build.stores import KEPT_SECONDS, Stores, stores
from catalyst.app.build.writer import writer
from catalyst.app.settings import Settings
from catalyst.app.source import Source
from catalyst.app.traces import tracing
from catalyst.companies import Companies
from catalyst.errors import Unavailable
from catalyst.filings.analyze import Analyst
from catalyst.filings.fetch import Fetcher
from catalyst.filings.ledger import Ledger
from catalyst.filings.limiter import NEXT_PAGE, RateLimiter
from catalyst.filings.pipeline import Pipeline
from catalyst.filings.reconcile import Reconciler
from catalyst.filings.stops import StopFile
from catalyst.filings.telemetry import FilingsCollector
from catalyst.filings.watch import Poller
from catalyst.filings.withdrawals import Withdrawals
from catalyst.http import Http
from catalyst.llm import LLMService
from catalyst.news.desk import NewsDesk
from catalyst.stream.log import Archive
from catalyst.web.app import Parts, create_app
from catalyst.web.cashflow import cashflow_router
from catalyst.web.classify import classify_router
from catalyst.web.documents import documents_router
from catalyst.web.enrich import enrich_router
from catalyst.web.keybook import KeyBook
from catalyst.web.server import Server
from catalyst.web.writer import writer_router

REFRESH_SECONDS = 24 * 3600.0
"""Between two fetches of the SEC's company list."""

FIRST_REFRESH_SECONDS = 5.0
"""The first filings wait so long at most for the company list; the shipped or cached one serves after that."""

SWITCH_SECONDS = 0.001
"""How long a parse in a thread keeps the event loop waiting at each of its steps; Python's default is 0.005."""

RETAIN_SECONDS = 3600.0
KNOWN = timedelta(days=120)
"""Accessions leave the ledger later than their alerts leave the log, by more than any list of EDGAR's looks back."""


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that runs, put together. `run` until cancelled."""

    source: Source
    stores: Stores
    poller: Poller
    reconciler: Reconciler
    withdrawals: Withdrawals
    pipeline: Pipeline
    server: Server
    companies: Companies
    model: str
    """What reads the filings, in words."""
    _http: Http
    _limiter: RateLimiter
    news: NewsDesk | None = None
    """None where NEWS_FEEDS is empty."""

    @property
    def log(self) -> Archive:
        return self.stores.log

    @property
    def ledger(self) -> Ledger:
        return self.stores.ledger

    async def run(self) -> None:
        """Serve, and watch where that is ours to do, until cancelled; the first thing that fails ends all of it."""
        sys.setswitchinterval(SWITCH_SECONDS)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.server.run())
            await self._refresh_companies(FIRST_REFRESH_SECONDS)
            group.create_task(self._keep_companies())
            group.create_task(self.stores.watch(self._watch))

    async def _watch(self) -> None:
        """What exactly one process does: everything that writes to the log and the ledger."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.pipeline.run())
            group.create_task(self.poller.run())
            group.create_task(self.reconciler.run())
            group.create_task(self.withdrawals.run())
            group.create_task(self._keep_log())
            if self.news is not None:
                group.create_task(self.news.run())

    async def ended(self) -> bool:
        """Whether a recording has brought everything and nothing is pending; never while live."""
        if self.stores.standby():
            return False
        if self.source.ends_at is None or self.source.clock.now() <= self.source.ends_at:
            return False
        try:
            counts = await self.ledger.count()
        except Unavailable:
            return False
        return counts["pending"] == 0 and counts["seen"] > 0

    async def _keep_companies(self) -> None:
        while True:
            await self.source.clock.sleep(REFRESH_SECONDS)
            await self._refresh_companies(30.0)

    async def _refresh_companies(self, seconds: float) -> None:
        if self._limiter.stopped_for:
            return  # the shipped or cached list serves; the next turn asks again
        url = f"{self.source.base_url}/files/company_tickers_exchange.json"
        async with self._limiter.slot(NEXT_PAGE):
            with self.source.clock.working():
                await self.companies.refresh(self._http, url, timeout_seconds=seconds)

    async def _keep_log(self) -> None:
        while True:
            await asyncio.sleep(RETAIN_SECONDS)
            await self.log.retain(seconds=KEPT_SECONDS)
            await self.stores.texts.trim(self._is_held)
            while await self.ledger.trim(self.source.clock.now() - KNOWN):
                pass

    async def _is_held(self, accession: str) -> bool:
        return bool(await self.log.filing(accession))


@contextlib.asynccontextmanager
async def service(
    settings: Settings, source: Source, folder: Path, name: str = "", *, watches: bool = True
) -> AsyncIterator[Service]:
    """Put the service together over the databases in `folder`, which the caller has locked; close them at the end.

    `name` is the source's name in a shared Redis (the folder's where it is empty); with `watches` False this process
    leaves watching to others.
    """
    async with contextlib.AsyncExitStack() as stack:
        tracer = stack.enter_context(tracing(settings.traces))
        companies = Companies.load(folder / "companies.json")
        kept = await stack.enter_async_context(
            stores(
                folder,
                name or folder.name,
                companies,
                settings.filings.watchlist,
                settings.hub.redis_url,
                watches=watches,
            )
        )
        log, ledger, watchlist = kept.log, kept.ledger, kept.watchlist
        http = await stack.enter_async_context(Http(source.clock, source.user_agent))
        registry = CollectorRegistry()
        llm = await stack.enter_async_context(hub(settings, folder.parent, registry, tracer=tracer))
        limiter = RateLimiter(
            source.clock,
            settings.filings.requests_per_second,
            settings.filings.workers * 2,
            StopFile(folder / "edgar-stop"),
        )
        fetcher = Fetcher(http, limiter, source.clock, source.base_url, timeout_seconds=settings.filings.fetch_seconds)
        pipeline = Pipeline(
            ledger,
            fetcher,
            log,
            companies,
            source.clock,
            Analyst(llm, prompts(settings)) if llm else None,
            watchlist,
            kept.texts,
            model_workers=settings.filings.model_workers,
            min_score=settings.filings.min_score,
            tracer=tracer,
        )
        withdrawals = Withdrawals(ledger, fetcher, pipeline, source.clock)
        poller = Poller(
            http,
            limiter,
            ledger,
            source.clock,
            base_url=source.base_url,
            on_new=pipeline.wake,
            poll_seconds=settings.filings.poll_seconds,
            since=source.since,
            withdrawals=withdrawals,
        )
        reconciler = Reconciler(
            http,
            limiter,
            ledger,
            source.clock,
            base_url=source.base_url,
            search_url=source.search_url,
            ready=poller.walked,
            on_new=pipeline.wake,
            since=source.since,
        )
        judge = classifier(settings, llm)
        news = await stack.enter_async_context(news_desk(settings, folder, log, companies, judge, watchlist, registry))
        status = _Status(source, kept, poller, reconciler, pipeline, llm, news)
        registry.register(FilingsCollector(poller, pipeline, reconciler, limiter))
        keys = stack.enter_context(contextlib.closing(KeyBook(folder.parent / KEYS)))
        app = create_app(
            Parts(
                log,
                settings.web,
                watchlist,
                status,
                status.problems,
                registry,
                keys=keys,
                hub=llm,
                gateway=settings.gateway,
                routers=[
                    documents_router(kept.texts),
                    classify_router(judge),
                    enrich_router(enricher(settings, folder.parent, llm)),
                    writer_router(writer(settings, llm)),
                    cashflow_router(stack.enter_context(cashflow(settings, folder.parent, llm))),
                ],
            )
        )
        server = Server(app, settings.web.host, settings.web.port)
        yield Service(
            source,
            kept,
            poller,
            reconciler,
            withdrawals,
            pipeline,
            server,
            companies,
            _model(llm),
            http,
            limiter,
            news,
        )


def _model(llm: LLMService | None) -> str:
    if llm is None:
        return "rules only (no model key is set, and no local server)"
    return "models of " + ", ".join(llm.providers)


class _Status:
    """What `/api/status` says of the rooms, and why the service might not be ready."""

    def __init__(
        self,
        source: Source,
        kept: Stores,
        poller: Poller,
        reconciler: Reconciler,
        pipeline: Pipeline,
        llm: LLMService | None,
        news: NewsDesk | None,
    ) -> None:
        self._news = news
        self._source = source
        self._stores = kept
        self._poller = poller
        self._reconciler = reconciler
        self._pipeline = pipeline
        self._llm = llm

    async def __call__(self) -> dict[str, Any]:
        watch, counters = self._poller.state, self._pipeline.counters
        now, ends_at = self._source.clock.now(), self._source.ends_at
        return {
            "clock": now.isoformat(),
            "source": {
                "title": self._source.title,
                "ends_at": ends_at.isoformat() if ends_at else None,
                "ended": bool(ends_at and now > ends_at),
            },
            "edgar": {
                "state": "standby" if self._stores.standby() else watch.word,
                "reason": "another process watches" if self._stores.standby() else watch.reason,
                "last_poll": watch.last_poll.isoformat() if watch.last_poll else None,
                "lag_s": watch.lag_seconds,
                "polls": watch.polls,
                "pages": watch.pages,
                "reconciled": {
                    "checks": dict(self._reconciler.state.checks),
                    "failures": dict(self._reconciler.state.failures),
                    "found": dict(self._reconciler.state.found),
                },
            },
            "filings": await self._stores.ledger.count(),
            "alerts": {
                "from_feed": counters.alerts_from_feed,
                "from_rules": counters.alerts_from_rules,
                "updates": counters.updates,
                "unparsed": counters.unparsed,
                "without_text": counters.without_text,
                "model_failures": counters.model_failures,
                "p50_s": counters.delay(0.50),
                "p95_s": counters.delay(0.95),
            },
            "model": _model(self._llm),
            **({"news": await self._news.status()} if self._news else {}),
            **await self._models(),
        }

    async def _models(self) -> dict[str, Any]:
        """Open circuits and money, where models are used; the page shows no money chip without."""
        if self._llm is None:
            return {}
        health = await self._llm.health()
        cache = self._llm.cache
        kept = cache.snapshot() if cache is not None else None
        return {"circuits": health["circuits"], "money": health["budget"], "cache": kept}

    def problems(self) -> list[str]:
        watch, found = self._poller.state, self._stores.problems()
        if watch.word in ("failing", "stopped") and not self._stores.standby():
            found.append(f"EDGAR: {watch.reason}")
        return found
