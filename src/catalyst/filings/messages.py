"""Say something about a filing exactly once: compose the `Alert`, append it to the log, mark it on the ledger.

A process may die between append and mark. The next one appends under the same key, and what already stands there
counts: `Messages` reads it and moves the walk on by it, so no filing gets two final messages, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from catalyst.clock import Clock
from catalyst.filings.counters import Counters
from catalyst.filings.headline import headline
from catalyst.filings.ledger import Ledger, Mark, Stage
from catalyst.filings.prescore import Score, lead_item
from catalyst.filings.ranking import Ranking
from catalyst.filings.types import Filing
from catalyst.stream.log import Log
from catalyst.stream.types import Alert, AlertType, Analysis
from catalyst.tracing import NO_TRACER, Tracer, Value


@dataclass(slots=True)
class Walk:
    """One filing on its way; the ledger's entry, moved on in memory as it is moved on there."""

    filing: Filing
    score: Score
    stages: Stage
    version: int
    attempts: int = 0
    tags: list[str] = field(default_factory=list)
    amends: str = ""
    """Of an amendment: the accession that it amends, where it is known."""
    period: str = ""
    """Period of report as the header gives it."""
    reading: bool = False
    """It waits for the model or is being read by it."""

    @property
    def alerted(self) -> bool:
        return Stage.ALERTED in self.stages

    @property
    def ended(self) -> bool:
        return Stage.FINAL in self.stages


class Messages:
    """The only hand that writes filings into the log."""

    def __init__(
        self, log: Log, ledger: Ledger, ranking: Ranking, clock: Clock, counters: Counters, tracer: Tracer = NO_TRACER
    ) -> None:
        self._tracer = tracer
        self._log = log
        self._ledger = ledger
        self._ranking = ranking
        self._clock = clock
        self._counters = counters
        self._head = 0

    async def open(self) -> None:
        """Learn where the log ends: what stands before was said by an earlier process."""
        _, self._head = await self._log.bounds()

    async def first(self, walks: Sequence[Walk], analyses: Sequence[Analysis]) -> None:
        """The alerts of several filings in one append, none of them final."""
        alerts = [self._message(walk, told, final=False) for walk, told in zip(walks, analyses, strict=True)]
        offsets = await self._log.append(alerts)
        marks = [
            await self._said(walk, alert, offset) for walk, alert, offset in zip(walks, alerts, offsets, strict=True)
        ]
        await self._ledger.mark(*marks)

    async def publish(
        self,
        walk: Walk,
        analysis: Analysis,
        *,
        final: bool,
        stages: Stage = Stage.NONE,
        error: str = "",
    ) -> None:
        """One message under the next version, then its mark with `stages`. A walk that has ended says nothing more."""
        said = walk.ended
        mark = Mark(walk.filing.accession)
        while not said:
            alert = self._message(walk, analysis, final=final)
            [offset] = await self._log.append([alert])
            mark = await self._said(walk, alert, offset)
            # Where an earlier process said something that was not final, our final word needs the next version.
            said = walk.ended or not final
        walk.stages |= stages
        known = replace(mark, amends=walk.amends or None, period=walk.period or None)
        await self._ledger.mark(replace(known, stages=walk.stages, attempts=0, error=error))

    async def afterwards(self, walk: Walk, analysis: Analysis, *, withdrawn: bool) -> None:
        """One more message about a filing that has had its last: EDGAR took it away, or has it again."""
        alert = self._message(walk, analysis, final=True)
        await self._log.append([alert])
        await self._ledger.mark(Mark(walk.filing.accession, version=alert.version, withdrawn=withdrawn))
        walk.version = alert.version
        self._counters.withdrawn += withdrawn

    def _message(self, walk: Walk, analysis: Analysis, *, final: bool) -> Alert:
        tickers = self._ranking.tickers(walk.filing)
        return compose(
            walk.filing,
            analysis,
            version=walk.version + 1,
            final=final,
            tickers=tickers,
            now=self._clock.now(),
            tags=[*self._ranking.tags(tickers), *walk.tags],
            amends=walk.amends,
        )

    async def _said(self, walk: Walk, alert: Alert, offset: int) -> Mark:
        """Move the walk on by what stands at `offset`: our message, or an earlier process's."""
        final, source = alert.final, str(alert.analysis.source)
        found = [] if offset > self._head else await self._log.read(offset - 1, 1)
        self._head = max(self._head, offset)
        stood = orjson.loads(found[0].body) if found else {}
        if found and datetime.fromisoformat(stood["timestamp"]) != alert.timestamp:
            final, source = bool(stood["final"]), str(stood["analysis"]["source"])
            self._counters.repeated += 1
        else:
            self._count(alert)
            if self._tracer.on:
                self._trace(alert, offset)
        walk.version = alert.version
        walk.stages |= Stage.ALERTED | (Stage.FINAL if final else Stage.NONE)
        return Mark(walk.filing.accession, walk.stages, walk.version, source)

    def _trace(self, alert: Alert, offset: int) -> None:
        """The message as a moment of its filing's trace; the last one also ends the whole, begun when it was seen."""
        attributes: dict[str, Value] = {
            "catalyst.accession": alert.filing_id,
            "catalyst.form": alert.filing_type,
            "catalyst.seq": offset,
            "catalyst.version": alert.version,
            "catalyst.source": str(alert.analysis.source),
            "catalyst.final": alert.final,
        }
        with self._tracer.within(alert.filing_id):
            self._tracer.note("filing.alert" if alert.version == 1 else "filing.update", 0.0, attributes)
        if alert.final and alert.seen_at is not None:
            seconds = (alert.timestamp - alert.seen_at).total_seconds()
            self._tracer.note("filing", seconds, attributes, root=alert.filing_id)

    def _count(self, alert: Alert) -> None:
        counters = self._counters
        counters.finals += alert.final
        if alert.version > 1:
            counters.updates += 1
            return
        if alert.analysis.source == "feed":
            counters.alerts_from_feed += 1
        else:
            counters.alerts_from_rules += 1
        if alert.seen_at is not None:
            counters.delays.append((self._clock.now() - alert.seen_at).total_seconds())


def compose(
    filing: Filing,
    analysis: Analysis,
    *,
    version: int,
    final: bool,
    tickers: Sequence[str],
    now: datetime,
    tags: Sequence[str] = (),
    amends: str = "",
) -> Alert:
    """The flat message of spec section 5; version 1 is the alert, every later one an update. `now` is in UTC."""
    company = filing.subject
    return Alert(
        type=AlertType.FILING_ALERT if version == 1 else AlertType.FILING_UPDATE,
        filing_id=filing.accession,
        ticker=tickers[0] if tickers else "",
        tickers=list(tickers),
        company=company.name,
        cik=company.cik,
        filing_type=filing.form,
        item_code=lead_item(filing.items),
        items=list(filing.items),
        timestamp=now,
        accepted_at=filing.accepted if filing.timed else None,
        seen_at=filing.seen_at,
        version=version,
        final=final,
        headline=headline(filing, company.name, tickers, analysis),
        analysis=analysis,
        url=filing.url,
        tags=list(dict.fromkeys(tags)),
        amends=amends,
    )
