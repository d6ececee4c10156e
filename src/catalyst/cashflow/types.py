"""What crosses the room's border: deals in, predictions, tables, explanations out. Money is Decimal, days are dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST_DEALS = 20_000
"""In one forecast."""
MOST_NOTES = 50
MOST_DAYS = 1_098
"""The longest horizon: three years."""

Granularity = Literal["week", "month"]
Source = Literal["fact", "override", "history", "history and notes", "constants", "constants and notes", "void"]
"""What a date stands on."""


def _sane(value: Decimal) -> Decimal:
    """A bounded amount, without the zeros that a database's type adds."""
    if not value.is_finite():
        raise ValueError("an amount must be a number")
    bare = value
    if int(value.as_tuple().exponent) < -2:
        bare = value.normalize()
        bare = bare.quantize(Decimal("0.01")) if int(bare.as_tuple().exponent) > -2 and bare.adjusted() <= 17 else bare
    if bare and (bare.adjusted() > 17 or int(bare.as_tuple().exponent) < -6):
        raise ValueError("an amount has at most 18 digits before and 6 after the point")
    return bare


Amount = Annotated[Decimal, AfterValidator(_sane)]
Currency = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{3}$")]
Day: TypeAlias = date
"""A field may be called date."""
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


def repeated(ids: Iterable[str]) -> list[str]:
    """Those that are there more than once."""
    return [name for name, count in Counter(ids).items() if count > 1]


class Note(BaseModel):
    """What somebody wrote about a deal, and when."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(max_length=4_000)
    date: Day | None = None
    author: Name = ""


class DealForPrediction(BaseModel):
    """A deal, or an open invoice: whatever money is expected from. Unknown dates stay None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deal_id: Annotated[Name, Field(min_length=1)]
    customer: Name = ""
    name: Name = ""
    pipeline: Name = ""
    segment: Name = ""
    channel: Name = ""
    """How the bill reaches the customer, or anything else that tells invoices of one customer apart."""
    stage: Name = ""
    stage_entered: date | None = None
    days_in_stage: int | None = Field(default=None, ge=0, le=36_500)
    """Used where `stage_entered` is not known."""
    value: Amount = Decimal(0)
    currency: Currency = "SAR"
    terms_days: int | None = Field(default=None, ge=0, le=1_000)
    invoice_date: date | None = None
    """A fact: it was invoiced that day."""
    due_date: date | None = None
    payment_date: date | None = None
    """A fact: it was paid that day."""
    expected_invoice_date: date | None = None
    """An override: somebody who knows says so."""
    expected_payment_date: date | None = None
    notes: list[Note] = Field(default=[], max_length=MOST_NOTES)


class InvoiceRecord(BaseModel):
    """An invoice of the past, or one still open: what delays are learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invoice_id: Annotated[Name, Field(min_length=1)]
    customer: Name = ""
    segment: Name = ""
    channel: Name = ""
    issued: date
    due: date | None = None
    paid: date | None = None
    amount: Amount = Decimal(0)
    open_amount: Amount | None = None
    """What is left to pay, where part of it was; the whole amount where None."""
    currency: Currency = "SAR"
    notes: list[Note] = Field(default=[], max_length=MOST_NOTES)


class StageEvent(BaseModel):
    """A deal entered a stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deal_id: Annotated[Name, Field(min_length=1)]
    stage: Name
    entered: date


class CashflowPredictionInput(BaseModel):
    """What to forecast. Deals and invoices given here are added to those the service was opened over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline_name: Name = ""
    """Only deals of this pipeline; empty for all."""
    horizon_days: int = Field(default=90, ge=1, le=MOST_DAYS)
    granularity: Granularity = "week"
    as_of: date | None = None
    """Forecast as on this day, with what was known at its end; today where it is not given."""
    week_starts: Literal["monday", "sunday", "saturday"] = "monday"
    min_confidence: float = Field(default=0.0, ge=0, le=1)
    """Deals below are left out of the table, and named in a warning."""
    read_notes: bool = True
    """Whether a model may read notes, where one is configured."""
    deals: list[DealForPrediction] = Field(default=[], max_length=MOST_DEALS)
    invoices: list[InvoiceRecord] = Field(default=[], max_length=MOST_DEALS)
    stage_events: list[StageEvent] = Field(default=[], max_length=MOST_DEALS)

    @model_validator(mode="after")
    def _each_once(self) -> CashflowPredictionInput:
        for what, ids in (
            ("deal_id", [deal.deal_id for deal in self.deals]),
            ("invoice_id", [invoice.invoice_id for invoice in self.invoices]),
        ):
            if twice := repeated(ids):
                raise ValueError(f"{what} must be given once: {', '.join(twice[:5])} is there more often")
        return self


class Interval(BaseModel):
    """A day and the span that holds it in eight of ten cases."""

    model_config = ConfigDict(frozen=True)

    p10: date
    p50: date
    p90: date


class Cited(BaseModel):
    """Words of a note that say something about a date, exactly as they stand there."""

    model_config = ConfigDict(frozen=True)

    kind: str
    quote: str
    date: Day | None = None
    moved: bool = False
    """Whether the forecast moved because of it."""


class DealPrediction(BaseModel):
    """When one deal is invoiced and paid, how sure that is, and why."""

    model_config = ConfigDict(frozen=True)

    deal_id: str
    customer: str = ""
    pipeline: str = ""
    stage: str = ""
    value: Decimal = Decimal(0)
    currency: str = "SAR"
    as_of: date
    invoice: Interval | None = None
    payment: Interval | None = None
    """None where no payment is expected."""
    source: Source
    confidence: float = Field(ge=0, le=1)
    """The probability that it is paid within 14 days of `payment.p50`; 1 for a fact."""
    reasoning: list[str] = []
    evidence: list[Cited] = []
    warnings: list[str] = []
    invoice_mass: Sequence[float] = Field(default=(), exclude=True, repr=False)
    """Probability by day from `as_of` on; empty where the invoice is a fact."""
    payment_mass: Sequence[float] = Field(default=(), exclude=True, repr=False)


class ForecastPeriod(BaseModel):
    """One currency's money in one week or month, the last day included. Values are sums of probability times amount."""

    model_config = ConfigDict(frozen=True)

    start: date
    end: date
    currency: str
    invoice_value: Decimal
    payment_value: Decimal
    payment_low: Decimal
    payment_high: Decimal
    """Eight of ten cases lie between, taking invoices as independent of each other."""
    deal_count: int
    """Deals whose payment's middle day lies here."""


class ForecastTotals(BaseModel):
    """One currency's sums over all periods, exactly; `beyond` is what is expected after the last one."""

    model_config = ConfigDict(frozen=True)

    currency: str
    invoice_value: Decimal
    payment_value: Decimal
    deal_count: int
    beyond_invoice_value: Decimal
    beyond_payment_value: Decimal
    beyond_deal_count: int


class ForecastTable(BaseModel):
    """Periods by currency, and their totals. Two currencies are never added."""

    model_config = ConfigDict(frozen=True)

    start: date
    end: date
    granularity: Granularity
    periods: list[ForecastPeriod]
    totals: list[ForecastTotals]
    left_out: list[str] = []
    """Deals under the asked confidence."""


class RunMetadata(BaseModel):
    """What a forecast took."""

    model_config = ConfigDict(frozen=True)

    deals_analysed: int
    by_fact: int
    by_override: int
    by_history: int
    by_constants: int
    by_model: int
    """Deals whose notes a model read."""
    moved_by_notes: int
    cost_usd: Decimal
    history: int
    """Paid invoices that taught the delays."""
    warnings: list[str]


class CashflowForecast(BaseModel):
    """A whole forecast; `forecast_id` brings its explanation back later."""

    model_config = ConfigDict(frozen=True)

    forecast_id: str
    pipeline_name: str
    as_of: date
    horizon_days: int
    deals: list[DealPrediction]
    table: ForecastTable
    run: RunMetadata
    assumptions: list[str]


class Explanation(BaseModel):
    """Why a forecast says what it says."""

    model_config = ConfigDict(frozen=True)

    forecast_id: str
    as_of: date
    assumptions: list[str]
    deals: list[DealPrediction]
    run: RunMetadata
