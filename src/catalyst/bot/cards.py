"""What an alert looks like on Discord: first a card at once, later the same card with the model's checked word.

Fields by key: form, price, sentiment, keywords, ai, facts, risks. Pure: what is known comes in, an `Embed` goes out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from catalyst.bot.embeds import DESCRIPTION, Embed, Field, clip, fitted, length, number, plain
from catalyst.bot.quotes import Quote
from catalyst.stream.types import Alert, AlertType, Fact

CHART = "chart.png"
_COLORS = {"bullish": 0x2E9E5B, "bearish": 0xC93C37, "neutral": 0x6B7785}
_SIGNS = {"bullish": "▲", "bearish": "▼", "neutral": "■"}
_FACTS, _RISKS = 6, 3
_LINE = 180


class Word(StrEnum):
    """Where the model's word stands."""

    PROCESSING = "processing"
    DONE = "done"
    LATE = "late"
    """None came in time; it may still come."""
    STOPPED = "stopped"
    """We stop; it comes after the next start."""


@dataclass(frozen=True, slots=True)
class Known:
    """What stands beside the alert when its card is drawn."""

    word: Word
    now: datetime
    quote: Quote | None = None
    chart: bool = False
    late_after_s: float = 10.0
    due: datetime | None = None
    """When the model's word comes at the latest, or the note that none came."""


def card(alert: Alert, known: Known) -> Embed:
    """The alert's card, fitted: any alert gives one that Discord accepts."""
    analysis = alert.analysis
    fields = (
        Field("form", _source_name(alert), _form(alert)),
        Field("price", "Price", price(known.quote, known.now)),
        Field("sentiment", "Sentiment", _sentiment(alert)),
        Field("keywords", "Keywords", plain(", ".join(analysis.keywords[:8])), inline=False),
        Field("facts", "Verified facts", _facts(alert) if known.word is Word.DONE else "", inline=False),
        Field("risks", "Risks", _risks(alert) if known.word is Word.DONE else "", inline=False),
        Field("ai", "AI analysis", _word(alert, known), inline=False),
    )
    return fitted(
        Embed(
            title=_title(alert),
            description=_text(alert, known.word),
            url=alert.url,
            color=_COLORS[analysis.label],
            fields=fields,
            footer=_footer(alert),
            timestamp=alert.accepted_at or alert.timestamp,
            image=f"attachment://{CHART}" if known.chart else "",
        )
    )


def bare(alert: Alert) -> Embed:
    """The least that is worth telling, for when the whole card could not be drawn or was refused."""
    status = Field("ai", "AI analysis", "could not be shown: read the filing")
    return fitted(Embed(title=_title(alert), url=alert.url, fields=(status,), footer=_footer(alert)))


def unreadable(subject: str) -> Embed:
    """For an alert of which nothing but its id is left."""
    status = Field("ai", "AI analysis", "none: another version of the bot wrote this, and we cannot read it")
    return fitted(Embed(title=plain(subject), fields=(status,), footer=plain(subject)))


def digest(alerts: Sequence[Alert], now: datetime, reference: str) -> Embed:
    """Several alerts of low priority in one message, one line each, newest last."""
    lines, room = [], DESCRIPTION - 60
    for alert in alerts:
        line = clip(_line(alert), _LINE)
        room -= length(line) + 1
        if room < 0:
            break
        lines.append(line)
    title = f"{len(alerts)} more alerts" if len(alerts) != 1 else "1 more alert"
    return fitted(
        Embed(
            title=title,
            description="\n".join(lines),
            color=_COLORS["neutral"],
            footer=f"digest {reference}",
            timestamp=now,
        )
    )


def fits_digest(alerts: Sequence[Alert]) -> int:
    """How many of the alerts, from the first, a digest shows whole."""
    room = DESCRIPTION - 60
    for count, alert in enumerate(alerts):
        room -= length(clip(_line(alert), _LINE)) + 1
        if room < 0:
            return count
    return len(alerts)


def price(quote: Quote | None, now: datetime) -> str:
    """`$12.34 (+3.2 %), 15 min delayed`, or that there is none."""
    if quote is None or quote.stale(now):
        return "price unavailable"
    digits = 4 if quote.price < 1 else 2
    said = f"${quote.price:,.{digits}f}"
    if (change := quote.change) is not None and math.isfinite(float(change)):
        said += f" ({change:+.1f} %)"
    if quote.doubtful:
        said += ", sources disagree"
    if quote.delay_s >= 60:
        said += f", {quote.delay_s / 60:.0f} min delayed"
    if quote.session != "regular":
        said += {"pre": ", pre-market", "post": ", after hours", "closed": ", market closed"}[quote.session]
    return said


def _headline(alert: Alert) -> bool:
    return alert.type in (AlertType.HEADLINE_ALERT, AlertType.HEADLINE_UPDATE)


def _source_name(alert: Alert) -> str:
    return "Source" if _headline(alert) else "Filing"


def _title(alert: Alert) -> str:
    company, ticker = plain(alert.company), plain(alert.ticker)
    who = " · ".join(part for part in (ticker, company) if part)
    if _headline(alert):
        return " · ".join(part for part in (ticker, plain(alert.headline)) if part) or "Headline"
    return who or plain(alert.headline) or f"{plain(alert.filing_type) or 'Filing'} {plain(alert.filing_id)}"


def _form(alert: Alert) -> str:
    items = ", ".join(plain(item) for item in alert.items[:6])
    form = plain(alert.filing_type)
    if _headline(alert):
        return form or "headline"
    said = f"{form}: item {items}" if items else form
    return said + (" (withdrawn)" if "withdrawn" in alert.tags else "") if said else "unknown form"


def _sentiment(alert: Alert) -> str:
    analysis = alert.analysis
    shown = number(analysis.sentiment)
    if not shown:
        return "not scored yet"
    sure = number(analysis.confidence, ".0%")
    said = f"{_SIGNS[analysis.label]} {analysis.label} {shown}"
    return f"{said} ({analysis.source}{f', {sure} sure' if sure else ''})"


def _text(alert: Alert, word: Word) -> str:
    """The headline and, once there is one, the summary."""
    first = "" if _headline(alert) else plain(alert.headline)
    summary = plain(alert.analysis.summary)
    if word is Word.PROCESSING or not summary or summary in first:
        return first or summary
    return "\n".join(part for part in (f"**{clip(first, 300)}**" if first else "", clip(summary, 2000)) if part)


def _facts(alert: Alert) -> str:
    """Only what was found in the filing; how many were not is said, they are not shown."""
    verified = [fact for fact in alert.analysis.facts if fact.verified]
    lines = [line for fact in verified[:_FACTS] if (line := _fact(fact))]
    left = len(alert.analysis.facts) - len(verified)
    if left:
        lines.append(f"{left} not found in the text and left out")
    return "\n".join(lines)


def _fact(fact: Fact) -> str:
    value = amount(fact.value, fact.unit)
    if not value:
        return ""
    about = ", ".join(part for part in (plain(fact.period), "" if fact.scope == "current" else fact.scope) if part)
    return clip(f"{plain(fact.name.replace('_', ' '))}: {value}{f' ({about})' if about else ''}", _LINE)


def amount(value: Decimal | str, unit: str) -> str:
    """`$1.25 billion`, `12.5 %`, `3,000,000 shares`; nothing for what is no number though it should be one."""
    if isinstance(value, str):
        return plain(value)[:120]
    if not value.is_finite():
        return ""
    if unit == "%":
        return f"{value.normalize():f} %"
    money, each = unit.startswith("USD"), "/" in unit
    for size, name in ((10**9, " billion"), (10**6, " million")):
        if money and not each and abs(value) >= size:
            return f"{'-' if value < 0 else ''}${abs(value) / size:,.2f}{name}"
    shown = f"{value:,f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:,}"
    if money:
        return f"${value:,.2f}" + (" a share" if unit == "USD/share" else "")
    return f"{shown} {plain(unit)}".strip()


def _risks(alert: Alert) -> str:
    return "\n".join(clip(plain(risk), _LINE) for risk in alert.analysis.risks[:_RISKS] if plain(risk))


def _word(alert: Alert, known: Known) -> str:
    analysis = alert.analysis
    if known.word is Word.PROCESSING:
        # Discord counts the time on: a copy that a crash left behind says "due 3 hours ago", not that it still comes.
        return "AI analysis: processing" + (f"; due <t:{math.ceil(known.due.timestamp())}:R>" if known.due else "")
    if known.word is Word.LATE:
        return f"none within {known.late_after_s:g} s; this message changes if it still comes"
    if known.word is Word.STOPPED:
        return "interrupted: the bot is restarting; this message changes when it comes"
    if analysis.source != "llm":
        return "none: what stands here comes from rules"
    share = number(analysis.grounded_share, ".0%")
    said = plain(analysis.model) or "done"
    return f"{said}; {share} of its figures found in the filing" if share else said


def _footer(alert: Alert) -> str:
    tags = [tag for tag in alert.tags if tag in ("amendment", "withdrawn", "stand-in", "synthesised")]
    return " · ".join(plain(part) for part in (alert.filing_id, alert.analysis.priority, *tags) if part)


def _line(alert: Alert) -> str:
    sign = _SIGNS[alert.analysis.label] if number(alert.analysis.sentiment) else "·"
    said = plain(alert.headline) or _title(alert)
    return f"{sign} {said}"
