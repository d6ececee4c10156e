"""A headline as a message on the stream. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from catalyst.news.classify import Classification
from catalyst.news.types import Headline
from catalyst.stream.types import AlertType, Analysis, HeadlineAlert, Priority

PRIORITY_TIERS: dict[Priority, float] = {"high": 0.8, "medium": 0.6, "low": 0.4}
_UNTOLD = 0.35
"""Most that a headline about no ticker we know can reach: it is somebody's news, we don't know whose."""


def priority_of(found: Classification, *, watched: bool) -> float:
    """0 to 1: how relevant and how one-sided, and whether someone watches its company."""
    score = 0.5 * found.relevance + 0.5 * abs(found.sentiment) + (0.2 if watched else 0.0)
    return round(min(1.0, score), 4)


def tier_of(score: float) -> Priority:
    """As for filings."""
    return next((tier for tier, least in PRIORITY_TIERS.items() if score >= least), "none")


def compose(
    headline: Headline,
    found: Classification,
    *,
    sources: Sequence[str],
    version: int,
    final: bool,
    priority_score: float,
    now: datetime,
    tags: Sequence[str] = (),
) -> HeadlineAlert:
    """Version 1 is the alert, 2 the update; both bear both scores as far as known."""
    tickers = [mention.ticker for mention in headline.mentions]
    score = priority_score if tickers else min(_UNTOLD, priority_score)
    return HeadlineAlert(
        type=AlertType.HEADLINE_ALERT if version == 1 else AlertType.HEADLINE_UPDATE,
        filing_id=headline.id,
        headline_id=headline.id,
        ticker=tickers[0] if tickers else "",
        tickers=tickers,
        relevances={mention.ticker: mention.relevance for mention in headline.mentions},
        timestamp=now,
        accepted_at=headline.published,
        seen_at=headline.seen_at,
        version=version,
        final=final,
        headline=headline.title,
        title=headline.title,
        source=headline.source,
        sources=list(sources),
        url=headline.url,
        tags=list(tags),
        scores=found.scores,
        analysis=Analysis(
            sentiment=found.sentiment,
            label=found.label,
            confidence=found.confidence,
            keywords=found.keywords,
            event_types=[found.event_type] if found.event_type else [],
            summary=found.reason,
            priority=tier_of(score),
            priority_score=score,
            rules=_rules(found),
            source="llm" if found.source == "llm" else "rules",
            model=found.model,
            cost_usd=found.cost_usd,
        ),
    )


def _rules(found: Classification) -> list[str]:
    """Why it scored as it did, in words, for `/why`."""
    told = [f"words: {', '.join(found.keywords)}"] if found.keywords else ["no word of the lexicon"]
    told.append(
        f"relevance {found.scores.relevance:.2f}, lean {found.scores.value:+.2f}, rules {found.scores.rule:+.2f}"
    )
    if found.scores.model is not None:
        told.append(f"model {found.scores.model:+.2f}")
    elif found.error:
        told.append("the model did not answer: the rules' judgement stands")
    return told
