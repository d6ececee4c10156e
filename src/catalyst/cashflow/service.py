"""Forecast a pipeline's cash: `predict_cashflow` is a forecast's whole life, in order.

The arithmetic is in `predictor.py` (one deal) and `buckets.py` (the table); a model is asked about notes only.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, tzinfo
from decimal import Decimal

import structlog

from catalyst.cashflow import buckets
from catalyst.cashflow.mapping import Book, as_deal
from catalyst.cashflow.notes import Hub, NotesReader, Read
from catalyst.cashflow.predictor import Knowledge, Predictor
from catalyst.cashflow.rules import STAGE_DAYS, STUCK_ADDS, STUCK_AFTER, TERMS_DAYS
from catalyst.cashflow.store import Forecasts
from catalyst.cashflow.types import (
    CashflowForecast,
    CashflowPredictionInput,
    DealForPrediction,
    DealPrediction,
    Explanation,
    ForecastTable,
    Granularity,
    RunMetadata,
)
from catalyst.clock import Clock
from catalyst.errors import NotFound
from catalyst.llm.prompts import PromptRegistry

READERS = 5
"""Notes that are read at a time."""
MOST_READ = 500
"""Deals whose notes are read in one forecast, the largest amounts first."""
log = structlog.get_logger()


class CashflowPredictionService:
    """Forecasts over a book of records, what a caller adds, or both."""

    def __init__(
        self,
        clock: Clock,
        *,
        book: Book | None = None,
        hub: Hub | None = None,
        prompts: PromptRegistry | None = None,
        forecasts: Forecasts | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._clock = clock
        self._book = book or Book()
        self._reader = NotesReader(hub, prompts) if hub and prompts else None
        self._forecasts = forecasts
        self._zone = zone

    def today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()

    async def predict_cashflow(
        self,
        asked: CashflowPredictionInput,
        progress: Callable[[int, int], None] = lambda done, of: None,
        *,
        tenant: str = "default",
    ) -> CashflowForecast:
        """Predict every deal, sum the money by period, and keep the explanation. Raises StorageError.

        `tenant` pays for the notes that a model reads.
        """
        today = asked.as_of or self.today()
        known = _together(self._book, asked)
        standing = _to_date(known, today) if today < self.today() else [*known.deals, *_open_bills(known, today)]
        deals = [deal for deal in standing if _is_of(deal, asked.pipeline_name)]
        knowledge = await asyncio.to_thread(Knowledge.learn, known.invoices, known.deals, known.stage_events, today)
        reads = await self._read(deals, today, tenant) if asked.read_notes else {}
        predictor = Predictor(knowledge, today)
        predictions = await asyncio.to_thread(_predicted, predictor, deals, reads, progress)
        table = self.generate_forecast_table(
            predictions,
            start=today,
            horizon_days=asked.horizon_days,
            granularity=asked.granularity,
            week_starts=asked.week_starts,
            min_confidence=asked.min_confidence,
        )
        run = _run(predictions, reads, knowledge, table, self._unread(deals, asked.read_notes, reads))
        forecast = CashflowForecast(
            forecast_id=secrets.token_hex(8),
            pipeline_name=asked.pipeline_name,
            as_of=today,
            horizon_days=asked.horizon_days,
            deals=predictions,
            table=table,
            run=run,
            assumptions=assumptions(knowledge, predictions),
        )
        await self._keep(forecast)
        return forecast

    async def predict_deal_dates(
        self,
        deals: Sequence[DealForPrediction],
        *,
        as_of: date | None = None,
        read_notes: bool = True,
        min_confidence: float = 0.0,
        horizon_days: int | None = None,
    ) -> list[DealPrediction]:
        """Dates of these deals, in their order. The filters leave out the unsure, and those paid later than asked."""
        today = as_of or self.today()
        known = _together(self._book, CashflowPredictionInput(deals=list(deals)))
        knowledge = await asyncio.to_thread(Knowledge.learn, known.invoices, known.deals, known.stage_events, today)
        reads = await self._read(deals, today) if read_notes else {}
        predictions = await asyncio.to_thread(
            _predicted, Predictor(knowledge, today), deals, reads, lambda done, of: None
        )
        return [p for p in predictions if p.confidence >= min_confidence and _is_within(p, today, horizon_days)]

    def generate_forecast_table(
        self,
        predictions: Sequence[DealPrediction],
        *,
        start: date | None = None,
        horizon_days: int = 90,
        granularity: Granularity = "week",
        week_starts: str = "monday",
        min_confidence: float = 0.0,
    ) -> ForecastTable:
        """Money by period and currency; totals are the exact sums of the periods."""
        first = start or (predictions[0].as_of if predictions else self.today())
        return buckets.table(
            predictions, first, horizon_days, granularity, week_starts=week_starts, min_confidence=min_confidence
        )

    async def explain_assumptions(self, forecast_id: str) -> Explanation:
        """Why a forecast said what it said. Raises NotFound for one that was never made here or has left."""
        found = await self._forecasts.get(forecast_id) if self._forecasts is not None else None
        if found is None:
            raise NotFound(f"no forecast {forecast_id[:40]!r}: it was not made here, or newer ones have replaced it")
        return found

    async def _keep(self, forecast: CashflowForecast) -> None:
        if self._forecasts is None:
            return
        await self._forecasts.put(
            Explanation(
                forecast_id=forecast.forecast_id,
                as_of=forecast.as_of,
                assumptions=forecast.assumptions,
                deals=forecast.deals,
                run=forecast.run,
            )
        )

    async def _read(self, deals: Sequence[DealForPrediction], today: date, tenant: str = "default") -> dict[str, Read]:
        """What a model found in the notes of deals that are still open, by deal."""
        if self._reader is None:
            return {}
        reader, slots = self._reader, asyncio.Semaphore(READERS)
        told = sorted((deal for deal in deals if _has_notes(deal)), key=lambda deal: -abs(deal.value))[:MOST_READ]

        async def read(deal: DealForPrediction) -> Read:
            async with slots:
                return await reader.read(deal, today, tenant)

        return dict(zip((deal.deal_id for deal in told), await asyncio.gather(*map(read, told)), strict=True))

    def _unread(self, deals: Sequence[DealForPrediction], wanted: bool, reads: Mapping[str, Read]) -> list[str]:
        missed = sum(_has_notes(deal) for deal in deals) - len(reads)
        if not wanted or missed <= 0:
            return []
        why = "no model is configured" if self._reader is None else f"at most {MOST_READ} are read in a forecast"
        return [f"The notes of {missed} deals were not read: {why}."]


def assumptions(knowledge: Knowledge, predictions: Sequence[DealPrediction]) -> list[str]:
    """What the whole forecast stands on, in words."""
    told = []
    delays = knowledge.payments
    if delays is None:
        told.append(f"No payment history: agreed terms, else {TERMS_DAYS} days, with a wide span. These are constants.")
    elif delays.mae_days is None:
        told.append(f"Only {delays.finished} paid invoices are known: spans are wide, customers are not told apart.")
    else:
        told.append(
            f"Delays were learned from {delays.finished} paid invoices by {delays.way.title}; in trials on the past, "
            f"with what was known then, the middle missed by {delays.mae_days:.1f} days on average."
        )
    if any("constant" in reason for p in predictions for reason in p.reasoning):
        stages = ", ".join(f"{stage} {days}" for stage, days in STAGE_DAYS.items())
        told.append(f"Where there is no history of a stage, constants stand in (days to the invoice: {stages}).")
        told.append(f"A deal stuck for more than {STUCK_AFTER} days in a stage gets {STUCK_ADDS} days more.")
    told.append("Each amount is spread over the days by probability; bands take invoices as independent of each other.")
    told.append("What is open far longer than nearly anything ever was counts as lost, and newer ones may be as often.")
    told.append("Currencies are never converted or added.")
    return told


def _together(book: Book, asked: CashflowPredictionInput) -> Book:
    """What the service holds and what the caller gave; the caller's record of an id wins."""
    return Book(
        tuple(_last_of([*book.invoices, *asked.invoices], lambda invoice: invoice.invoice_id)),
        tuple(_last_of([*book.deals, *asked.deals], lambda deal: deal.deal_id)),
        (*book.stage_events, *asked.stage_events),
    )


def _last_of(records: Iterable, key: Callable) -> list:  # type: ignore[type-arg]
    return list({key(record): record for record in records}.values())


def _to_date(book: Book, today: date) -> list[DealForPrediction]:
    """Deals as they stood at the end of `today`, and an open invoice as one more deal each."""
    dated = [_as_known(deal, today) for deal in book.deals]
    return [*(deal for deal in dated if deal is not None), *_open_bills(book, today)]


def _open_bills(book: Book, today: date) -> list[DealForPrediction]:
    known = {deal.deal_id for deal in book.deals}
    bills = (invoice for invoice in book.invoices if invoice.invoice_id not in known and invoice.issued <= today)
    return [as_deal(invoice) for invoice in bills if invoice.paid is None or invoice.paid > today]


def _as_known(deal: DealForPrediction, today: date) -> DealForPrediction | None:
    """Without what happened later; None where the deal itself is of later."""
    later = {
        name: None
        for name in ("invoice_date", "payment_date", "stage_entered")
        if (day := getattr(deal, name)) is not None and day > today
    }
    if later.keys() == {"invoice_date", "payment_date"} and deal.stage_entered is None:
        return None
    notes = [note for note in deal.notes if note.date is None or note.date <= today]
    return deal.model_copy(update={**later, "notes": notes})


def _is_of(deal: DealForPrediction, pipeline: str) -> bool:
    return not pipeline or deal.pipeline.casefold() == pipeline.casefold()


def _has_notes(deal: DealForPrediction) -> bool:
    return bool(deal.notes) and deal.payment_date is None


def _is_within(prediction: DealPrediction, today: date, days: int | None) -> bool:
    return days is None or (prediction.payment is not None and (prediction.payment.p50 - today).days <= days)


def _predicted(
    predictor: Predictor,
    deals: Sequence[DealForPrediction],
    reads: Mapping[str, Read],
    progress: Callable[[int, int], None],
) -> list[DealPrediction]:
    made = []
    for number, deal in enumerate(deals, 1):
        read = reads.get(deal.deal_id)
        made.append(predictor.predict(deal, read.verdict if read else None))
        if number % 100 == 0 or number == len(deals):
            progress(number, len(deals))
    return made


def _run(
    predictions: Sequence[DealPrediction],
    reads: Mapping[str, Read],
    knowledge: Knowledge,
    table: ForecastTable,
    warnings: Sequence[str],
) -> RunMetadata:
    by = Counter(prediction.source for prediction in predictions)
    warned = [f"{p.deal_id}: {warning}" for p in predictions for warning in p.warnings]
    if table.left_out:
        warned.insert(0, f"{len(table.left_out)} deals under the asked confidence are not in the table.")
    if len(table.totals) > 1:
        warned.insert(0, "There are several currencies: each has its own totals, and they are not added.")
    return RunMetadata(
        deals_analysed=len(predictions),
        by_fact=by["fact"] + by["void"],
        by_override=by["override"],
        by_history=by["history"] + by["history and notes"],
        by_constants=by["constants"] + by["constants and notes"],
        by_model=sum(read.answered for read in reads.values()),
        moved_by_notes=by["history and notes"] + by["constants and notes"],
        cost_usd=sum((read.cost_usd for read in reads.values()), Decimal(0)),
        history=knowledge.paid,
        warnings=[*warnings, *warned[:1_000]],
    )
