"""Headlines as a part of the service: what judges them, and the desk that follows NEWS_FEEDS where it names any.

Feeds live in real time whatever is replayed, so the desk runs on the machine's clock.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from catalyst.app.build.prompts import prompts
from catalyst.app.settings import Settings
from catalyst.clock import SystemClock
from catalyst.companies import Companies
from catalyst.db import Database
from catalyst.http import Http
from catalyst.llm import LLMService
from catalyst.news.classify import Classifier
from catalyst.news.desk import NewsDesk, Watched
from catalyst.news.source import Feed, JsonLines, Source
from catalyst.news.stories import Stories
from catalyst.news.telemetry import NewsCollector
from catalyst.news.tickers import TickerFinder
from catalyst.sentiment import Scorer
from catalyst.stream.log import Log


def classifier(settings: Settings, llm: LLMService | None) -> Classifier:
    """Judges headlines, by rules alone where there is no hub or FEATURE_LLM_CLASSIFIER is off."""
    return Classifier(Scorer(), SystemClock(), settings.news, llm, prompts(settings) if llm else None)


@contextlib.asynccontextmanager
async def news_desk(
    settings: Settings,
    folder: Path,
    log: Log,
    companies: Companies,
    judge: Classifier,
    watchlist: Watched,
    registry: CollectorRegistry,
) -> AsyncIterator[NewsDesk | None]:
    """The desk over `folder`/news.db, or None where NEWS_FEEDS is empty."""
    if not settings.news.feeds:
        yield None
        return
    clock = SystemClock()
    with contextlib.closing(Database(folder / "news.db", synchronous="FULL")) as db:
        async with Http(clock) as http:
            sources = _sources(settings.news.feeds, http, clock)
            finder = TickerFinder(companies)
            desk = NewsDesk(sources, Stories(db), log, judge, finder, clock, settings.news, watchlist)
            registry.register(NewsCollector(desk))
            yield desk


def _sources(feeds: Sequence[str], http: Http, clock: SystemClock) -> list[Source]:
    return [Feed(feed, http, clock) if "://" in feed else JsonLines(Path(feed)) for feed in feeds]
