"""What needs no learning: facts, overrides, stage constants and sanity. Start with `DeterministicRules`.

The constants stand in for history, and only where there is none; whoever uses one says so in the reasoning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from catalyst.cashflow.mass import Mass, on, spread
from catalyst.cashflow.types import DealForPrediction, DealPrediction, Interval

STAGE_DAYS = {"order received": 10, "under progress": 22, "awaiting gr": 5, "production/supplying": 45}
"""Days from entering a stage to the invoice, where no history tells better."""
TERMS_DAYS = 37
"""Days from invoice to payment, where no history and no agreed terms tell better."""
STUCK_AFTER, STUCK_ADDS = 60, 14
"""Days in one stage after which it counts as stuck, and what that adds."""
LOW_CONFIDENCE = 0.4
"""A model less sure than this moves nothing."""
FAR_DAYS = 365
_DOUBT = ((0.5, 1.0), (0.75, 2.0), (1.0, 4.0), (1.5, 2.0), (2.0, 1.0))
"""How far a constant may be off: factors with weights. Wide, because nothing was measured."""
_ALIASES = {
    "production": "production/supplying",
    "supplying": "production/supplying",
    "awaiting goods receipt": "awaiting gr",
}
_ENDED = ("lost", "cancelled", "canceled", "closed lost", "rejected", "void")


@dataclass(frozen=True, slots=True)
class Precheck:
    """What the facts alone decide."""

    status: Literal["paid", "invoiced", "open", "void"]
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """Days still to go until the invoice, from constants."""

    days: int
    mass: Mass
    stuck: bool
    reason: str


class DeterministicRules:
    """The rules as on one day."""

    def __init__(self, today: date) -> None:
        self.today = today

    def precheck_deal(self, deal: DealForPrediction) -> Precheck:
        """Whether facts settle it, and what is odd about them."""
        warnings = self._oddities(deal)
        if deal.payment_date is not None and deal.payment_date <= self.today:
            return Precheck("paid", (f"It was paid on {deal.payment_date}: a fact.",), warnings)
        if deal.stage.strip().lower() in _ENDED:
            return Precheck("void", (f"Its stage is {deal.stage!r}: nothing is expected of it.",), warnings)
        if deal.invoice_date is not None and deal.invoice_date <= self.today:
            return Precheck("invoiced", (f"It was invoiced on {deal.invoice_date}: a fact.",), warnings)
        return Precheck("open", (), warnings)

    def apply_overrides(self, deal: DealForPrediction) -> tuple[date | None, date | None, tuple[str, ...]]:
        """The invoice and payment dates that somebody set, and warnings about those that cannot be followed."""
        invoice = deal.expected_invoice_date or self._ahead(deal.invoice_date)
        payment = deal.expected_payment_date or self._ahead(deal.payment_date)
        warnings = []
        if invoice is not None and invoice < self.today:
            warnings.append(f"The invoice date {invoice} that was set has passed: it is not followed.")
            invoice = None
        if payment is not None and payment < self.today:
            warnings.append(f"The payment date {payment} that was set has passed unpaid: it is not followed.")
            payment = None
        if payment is not None and invoice is not None and payment < invoice:
            warnings.append(f"The payment date {payment} that was set lies before the invoice's: not followed.")
            payment = None
        return invoice, payment, tuple(warnings)

    def get_stage_estimate(self, stage: str, days_in_stage: int = 0) -> StageEstimate:
        """Days to the invoice from the stage's constant; what is stuck for more than 60 days gets 14 more."""
        known = stage.strip().lower()
        known = _ALIASES.get(known, known)
        whole = STAGE_DAYS.get(known, max(STAGE_DAYS.values()))
        stuck = days_in_stage > STUCK_AFTER
        left = max(0, whole - days_in_stage) + (STUCK_ADDS if stuck else 0)
        named = f"The stage {stage!r} usually takes {whole} days to the invoice"
        if known not in STAGE_DAYS:
            named = f"The stage {stage or 'unknown'!r} has no constant: the longest, {whole} days, is assumed"
        reason = f"{named} (a constant: there is no history of it); {days_in_stage} days of it have passed."
        if stuck:
            reason += f" More than {STUCK_AFTER} days in one stage: {STUCK_ADDS} days are added."
        return StageEstimate(left, spread([(round(left * factor), weight) for factor, weight in _DOUBT]), stuck, reason)

    def validate_prediction(self, prediction: DealPrediction) -> DealPrediction:
        """Invoice not before today, payment not before the invoice; a date more than a year away warns."""
        if prediction.source in ("fact", "void") or prediction.payment is None:
            return prediction
        warnings = list(prediction.warnings)
        invoice, payment = prediction.invoice, prediction.payment
        if prediction.invoice_mass and invoice is not None:
            invoice = self._not_before(invoice, self.today, "invoice", warnings)
        floor = invoice.p50 if invoice is not None and prediction.invoice_mass else self.today
        payment = self._not_before(payment, floor, "payment", warnings)
        if payment.p50 - self.today > timedelta(FAR_DAYS):
            warnings.append(f"The payment is expected on {payment.p50}, more than a year from now: check the deal.")
        return prediction.model_copy(update={"invoice": invoice, "payment": payment, "warnings": warnings})

    def _not_before(self, interval: Interval, floor: date, what: str, warnings: list[str]) -> Interval:
        if interval.p50 < floor:
            warnings.append(f"The {what} was put on {interval.p50}, which cannot be: moved to {floor}.")
        middle = max(interval.p50, floor)
        return Interval(p10=min(middle, max(interval.p10, self.today)), p50=middle, p90=max(interval.p90, middle))

    def _ahead(self, day: date | None) -> date | None:
        return day if day is not None and day > self.today else None

    def _oddities(self, deal: DealForPrediction) -> tuple[str, ...]:
        found = []
        if deal.value == 0:
            found.append("The amount is zero: it adds nothing to any total.")
        if deal.value < 0:
            found.append("The amount is negative: it is counted as a credit, which lowers the totals.")
        if deal.value.adjusted() > 11:
            found.append(f"The amount {deal.value:,f} is huge: check the unit.")
        if deal.payment_date and deal.invoice_date and deal.payment_date < deal.invoice_date:
            found.append("It was paid before it was invoiced: check the dates.")
        return tuple(found)


def terms_mass(terms_days: int | None) -> tuple[Mass, str]:
    """Days from invoice to payment where nothing was learned, and how to say so."""
    base = TERMS_DAYS if terms_days is None else terms_days
    told = f"payment terms of {base} days" if terms_days is None else f"its agreed terms of {base} days"
    prior = prior_days(base)
    return (spread(prior) if base else on(0)), f"No payment history: {told} are assumed (a constant)."


def prior_days(base: int) -> list[tuple[int, float]]:
    """A constant as a spread of days with weights."""
    return [(round(base * factor), weight) for factor, weight in _DOUBT]
