"""One deal's dates, from facts to distributions: facts, overrides, learned delays, constants, notes. Pure arithmetic.

`Predictor.predict` is the order of precedence, top to bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from catalyst.cashflow.delays import Delays
from catalyst.cashflow.effects import Spell
from catalyst.cashflow.evidence import Verdict
from catalyst.cashflow.mass import Mass, on
from catalyst.cashflow.rules import TERMS_DAYS, DeterministicRules, Precheck, prior_days, terms_mass
from catalyst.cashflow.types import DealForPrediction, DealPrediction, Interval, InvoiceRecord, Source, StageEvent

SHARE = 0.8
"""Of an interval: P10 to P90."""
NEAR_DAYS = 14
"""A date's confidence is the probability of lying this near."""
OVERRIDE_CONFIDENCE = 0.9
AT_RISK = 0.9
"""A chance of ever being paid below this is warned of."""
FEW = 10
"""Past spells below which a stage's constant is used instead."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the past taught, up to a day."""

    payments: Delays | None
    stages: Delays | None
    paid: int
    """Invoices that were seen paid."""
    known_stages: frozenset[str] = frozenset()

    @classmethod
    def learn(
        cls,
        invoices: Sequence[InvoiceRecord],
        deals: Sequence[DealForPrediction],
        events: Sequence[StageEvent],
        today: date,
    ) -> Knowledge:
        """From what was known at the end of `today`."""
        day = today.toordinal()
        payments = [*map(payment_spell, invoices), *_paid_deals(deals, invoices)]
        stages = [spell for spell in _stage_spells(deals, events) if spell.start <= day]
        ended = [spell.groups[0] for spell in stages if spell.known(day).end is not None]
        return cls(
            cls.of_payments(payments, day),
            Delays.learn(stages, day) if len(ended) >= FEW else None,
            sum(spell.known(day).end is not None for spell in payments if spell.start <= day),
            frozenset(stage for stage in set(ended) if ended.count(stage) >= FEW),
        )

    @staticmethod
    def of_payments(spells: Sequence[Spell], day: int) -> Delays | None:
        """Payment delays as known at the end of `day`; None where nothing was paid yet. Thin history leans on terms."""
        known = [spell.known(day) for spell in spells if spell.start <= day]
        if all(spell.end is None for spell in known):
            return None
        promised = sorted(spell.promised for spell in known)
        return Delays.learn(known, day, prior=_prior(promised[len(promised) // 2]))


def predict_open(delays: Delays | None, spell: Spell, day: int) -> Mass:
    """Days after `day` until an open invoice is paid; by its terms alone where nothing was learned."""
    if delays is not None:
        return delays.mass(spell, day)
    mass, age = terms_mass(spell.promised)[0], day - spell.start
    return mass.later(-age) if age < 0 else mass.given_after(age).later(-age)


@dataclass(slots=True)
class _Draft:
    """A prediction in the making."""

    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    source: Source = "history"
    invoice: Mass | None = None
    payment: Mass | None = None
    invoiced: date | None = None
    ends: float = 1.0
    """The probability that it is paid at all."""


class Predictor:
    """Dates deals as on one day."""

    def __init__(self, knowledge: Knowledge, today: date) -> None:
        self._known = knowledge
        self._today = today
        self._rules = DeterministicRules(today)

    def predict(self, deal: DealForPrediction, verdict: Verdict | None = None) -> DealPrediction:
        """Facts, then overrides, then what was learned (constants where nothing was), then what notes say."""
        check = self._rules.precheck_deal(deal)
        if check.status in ("paid", "void"):
            return self._settled(deal, check)
        draft = _Draft([*check.reasons], [*check.warnings])
        invoice, payment, warnings = self._rules.apply_overrides(deal)
        draft.warnings += warnings
        self._invoice(deal, check, invoice, draft)
        if payment is not None:
            draft.payment = on((payment - self._today).days)
            draft.source = "override"
            draft.reasons.append(f"The payment date {payment} was set by hand.")
        else:
            self._payment(deal, draft)
        if verdict is not None:
            self._notes(verdict, draft)
        return self._rules.validate_prediction(self._told(deal, draft, verdict))

    def _settled(self, deal: DealForPrediction, check: Precheck) -> DealPrediction:
        paid = deal.payment_date if check.status == "paid" else None
        return DealPrediction(
            **_named(deal),
            as_of=self._today,
            invoice=_point(deal.invoice_date),
            payment=_point(paid),
            source="fact" if paid else "void",
            confidence=1.0,
            reasoning=list(check.reasons),
            warnings=list(check.warnings),
        )

    def _invoice(self, deal: DealForPrediction, check: Precheck, override: date | None, draft: _Draft) -> None:
        if check.status == "invoiced":
            draft.invoiced = deal.invoice_date
        elif override is not None:
            draft.invoice = on((override - self._today).days)
            draft.reasons.append(f"The invoice date {override} was set by hand.")
        else:
            draft.invoice = self._stage(deal, draft)

    def _stage(self, deal: DealForPrediction, draft: _Draft) -> Mass:
        days = _days_in_stage(deal, self._today)
        stage = _stage_name(deal.stage)
        if self._known.stages is not None and stage in self._known.known_stages:
            spell = Spell(self._today.toordinal() - days, None, 0, (stage, deal.customer, deal.segment))
            mass = self._known.stages.mass(spell, self._today.toordinal())
            draft.reasons.append(
                f"From the stage {deal.stage!r}, {days} days old, the invoice follows in {mass.median()} days "
                f"(learned from {self._known.stages.finished} past stages)."
            )
            return mass
        estimate = self._rules.get_stage_estimate(deal.stage, days)
        draft.source = "constants"
        draft.reasons.append(estimate.reason)
        return estimate.mass

    def _payment(self, deal: DealForPrediction, draft: _Draft) -> None:
        terms = _terms(deal)
        delays = self._known.payments
        if delays is None:
            self._payment_by_constant(deal, terms, draft)
            return
        promised = TERMS_DAYS if terms is None else terms
        groups = _groups(deal.customer, deal.segment, promised, deal.channel)
        today = self._today.toordinal()
        if draft.invoiced is not None:
            spell = Spell(draft.invoiced.toordinal(), None, promised, groups)
            draft.payment, draft.ends = delays.mass(spell, today), delays.ends(spell, today)
            draft.reasons.append(_age_reason(delays, deal, (self._today - draft.invoiced).days))
            return
        fresh = delays.mass(Spell(today + 1, None, promised, groups), today).later(-1)
        assert draft.invoice is not None
        draft.payment = draft.invoice.plus(fresh)
        draft.reasons.append(f"Payment follows {fresh.median()} days after the invoice ({_taught(delays, deal)}).")

    def _payment_by_constant(self, deal: DealForPrediction, terms: int | None, draft: _Draft) -> None:
        mass, reason = terms_mass(terms)
        draft.source = "constants"
        draft.reasons.append(reason)
        if draft.invoiced is None:
            assert draft.invoice is not None
            draft.payment = draft.invoice.plus(mass)
            return
        age = (self._today - draft.invoiced).days
        left = mass.given_after(age).later(-age)
        if len(mass.parts) <= age + 1:
            left = terms_mass(TERMS_DAYS)[0]
            draft.warnings.append(f"It has been open for {age} days, longer than anything assumed: it may be at risk.")
        draft.payment = left

    def _notes(self, verdict: Verdict, draft: _Draft) -> None:
        draft.warnings += verdict.warnings
        assert draft.payment is not None
        if verdict.promised is not None:
            draft.ends = max(draft.ends, verdict.weight)
        if draft.source == "override" or not (verdict.promised or verdict.disputed):
            return
        if verdict.promised is not None:
            day = (verdict.promised - self._today).days
            draft.payment = draft.payment.mixed(on(day), verdict.weight)
            draft.reasons.append(f"A note promises payment on {verdict.promised}: {verdict.quote!r}.")
        else:
            draft.payment = draft.payment.given_after(draft.payment.median())
            draft.reasons.append(f"A note tells of a dispute, so only the later half counts: {verdict.quote!r}.")
        draft.source = "constants and notes" if draft.source == "constants" else "history and notes"

    def _told(self, deal: DealForPrediction, draft: _Draft, verdict: Verdict | None) -> DealPrediction:
        assert draft.payment is not None
        payment = _interval(draft.payment, self._today)
        invoice = _interval(draft.invoice, self._today) if draft.invoice is not None else _point(draft.invoiced)
        near = draft.payment.near((payment.p50 - self._today).days, NEAR_DAYS)
        confidence = OVERRIDE_CONFIDENCE if draft.source == "override" else round(min(near * draft.ends, 0.99), 3)
        if draft.ends < AT_RISK:
            draft.warnings.append(f"The chance that it is ever paid is {draft.ends:.0%}: only that share is forecast.")
        draft.reasons.append(
            f"So it is paid about {payment.p50}, in 8 of 10 cases from {payment.p10} to {payment.p90}."
        )
        return DealPrediction(
            **_named(deal),
            as_of=self._today,
            invoice=invoice,
            payment=payment,
            source=draft.source,
            confidence=confidence,
            reasoning=draft.reasons,
            evidence=list(verdict.cited) if verdict else [],
            warnings=draft.warnings,
            invoice_mass=draft.invoice.parts if draft.invoice else (),
            payment_mass=draft.payment.times(draft.ends).parts,
        )


def _named(deal: DealForPrediction) -> dict[str, object]:
    return {
        "deal_id": deal.deal_id, "customer": deal.customer, "pipeline": deal.pipeline, "stage": deal.stage,
        "value": deal.value, "currency": deal.currency,
    }  # fmt: skip


def _interval(mass: Mass, today: date) -> Interval:
    first, last = mass.interval(SHARE)
    low, middle, high = (today + timedelta(day) for day in (first, mass.median(), last))
    return Interval(p10=min(low, middle), p50=middle, p90=max(high, middle))


def _point(day: date | None) -> Interval | None:
    return None if day is None else Interval(p10=day, p50=day, p90=day)


def _age_reason(delays: Delays, deal: DealForPrediction, age: int) -> str:
    return f"It has been open for {age} days, and what is open so long is paid as follows ({_taught(delays, deal)})."


def _taught(delays: Delays, deal: DealForPrediction) -> str:
    who = "this customer's own history counts" if delays.seen(deal.customer) else "nothing is known of this customer"
    if delays.mae_days is None:
        return f"only {delays.finished} paid invoices are known, so the span is wide"
    missed = f"such forecasts missed by {delays.mae_days:.1f} days on average"
    return f"learned from {delays.finished} paid invoices by {delays.way.title}; {who}; {missed}"


def _days_in_stage(deal: DealForPrediction, today: date) -> int:
    if deal.stage_entered is not None:
        return max(0, (today - deal.stage_entered).days)
    return deal.days_in_stage or 0


def _terms(deal: DealForPrediction) -> int | None:
    if deal.terms_days is not None:
        return deal.terms_days
    if deal.due_date is not None and deal.invoice_date is not None and deal.due_date >= deal.invoice_date:
        return (deal.due_date - deal.invoice_date).days
    return None


def _groups(customer: str, segment: str, promised: int, channel: str) -> tuple[str, ...]:
    return (customer, segment, str(promised), channel)


def _stage_name(stage: str) -> str:
    return stage.strip().lower()


def _prior(usual: int) -> list[tuple[int, float]]:
    """The constant, counting as two invoices beside a thin history."""
    days = prior_days(usual or TERMS_DAYS)
    total = sum(weight for _, weight in days)
    return [(day, 2.0 * weight / total) for day, weight in days]


def payment_spell(invoice: InvoiceRecord) -> Spell:
    promised = TERMS_DAYS if invoice.due is None else max(0, (invoice.due - invoice.issued).days)
    paid = None if invoice.paid is None else max(invoice.paid, invoice.issued).toordinal()
    groups = _groups(invoice.customer, invoice.segment, promised, invoice.channel)
    return Spell(invoice.issued.toordinal(), paid, promised, groups)


def _paid_deals(deals: Sequence[DealForPrediction], invoices: Sequence[InvoiceRecord]) -> list[Spell]:
    """Deals whose invoice and payment are facts teach as invoices do, unless the invoice is among those."""
    listed = {invoice.invoice_id for invoice in invoices}
    return [
        payment_spell(
            InvoiceRecord(
                invoice_id=deal.deal_id,
                customer=deal.customer,
                segment=deal.segment,
                channel=deal.channel,
                issued=deal.invoice_date,
                due=_due(deal, deal.invoice_date),
                paid=deal.payment_date,
            )
        )
        for deal in deals
        if deal.invoice_date and deal.payment_date and deal.deal_id not in listed
    ]


def _due(deal: DealForPrediction, issued: date) -> date | None:
    terms = _terms(deal)
    return None if terms is None else issued + timedelta(terms)


def _stage_spells(deals: Sequence[DealForPrediction], events: Sequence[StageEvent]) -> list[Spell]:
    """From entering a stage to the invoice."""
    by_id = {deal.deal_id: deal for deal in deals}
    entered = [(event.deal_id, event.stage, event.entered) for event in events if event.deal_id in by_id]
    told = {(deal_id, _stage_name(stage)) for deal_id, stage, _ in entered}
    entered += [
        (deal.deal_id, deal.stage, deal.stage_entered)
        for deal in deals
        if deal.stage_entered and deal.stage and (deal.deal_id, _stage_name(deal.stage)) not in told
    ]
    return [
        Spell(day.toordinal(), _end(by_id[deal_id], day), 0, _stage_groups(by_id[deal_id], stage))
        for deal_id, stage, day in entered
        if by_id[deal_id].invoice_date is None or (by_id[deal_id].invoice_date or day) >= day
    ]


def _end(deal: DealForPrediction, begun: date) -> int | None:
    return None if deal.invoice_date is None else max(deal.invoice_date, begun).toordinal()


def _stage_groups(deal: DealForPrediction, stage: str) -> tuple[str, ...]:
    return (_stage_name(stage), deal.customer, deal.segment)
