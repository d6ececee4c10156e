"""Money into weeks and months by probability, exactly: what is cut from an amount adds up to it. Pure arithmetic.

An amount's part up to a day is rounded once, and a bucket gets the difference of two such parts: nothing is lost to
rounding, however many buckets there are. Sums are Decimal sums of those parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from catalyst.cashflow.mass import Mass, spread
from catalyst.cashflow.types import DealPrediction, ForecastPeriod, ForecastTable, ForecastTotals, Granularity, Interval

PRECISION = 80
_WEEKDAYS = {"monday": 0, "sunday": 6, "saturday": 5}
_MINOR = dict.fromkeys(("JPY", "KRW", "VND", "CLP", "ISK"), 0) | dict.fromkeys(
    ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3
)
"""ISO 4217: decimal places of the currencies that do not have two."""
_P90 = 1.2815515655446004


@dataclass(slots=True)
class _Bucket:
    invoice: Decimal = Decimal(0)
    payment: Decimal = Decimal(0)
    variance: float = 0.0
    most: float = 0.0
    least: float = 0.0
    deals: int = 0


@dataclass(slots=True)
class _Column:
    """One currency's buckets, with one more for what lies beyond."""

    buckets: list[_Bucket] = field(default_factory=list)


def periods(start: date, days: int, granularity: Granularity, week_starts: str = "monday") -> list[tuple[date, date]]:
    """First and last day of each bucket; the first begins on `start`, the last ends with the horizon.

    Days are calendar days: a week in which the clock changes has seven like any other.
    """
    end, found, first = start + timedelta(days - 1), [], start
    while first <= end:
        last = min(end, _last(first, granularity, _WEEKDAYS[week_starts]))
        found.append((first, last))
        first = last + timedelta(1)
    return found


def cut(value: Decimal, sums: Sequence[float], currency: str) -> list[Decimal]:
    """`value` cut by cumulative shares; the pieces and the rest, which comes last, sum to `value` exactly."""
    with localcontext() as context:
        context.prec = PRECISION
        unit = Decimal(1).scaleb(min(-_MINOR.get(currency, 2), int(value.as_tuple().exponent)))
        reached = [(value * Decimal(share)).quantize(unit, ROUND_HALF_EVEN) for share in sums]
        return [b - a for a, b in zip([Decimal(0), *reached], [*reached, value], strict=True)]


def table(
    predictions: Sequence[DealPrediction],
    start: date,
    days: int,
    granularity: Granularity,
    *,
    week_starts: str = "monday",
    min_confidence: float = 0.0,
) -> ForecastTable:
    """The forecast from `start` on for `days` days. Facts of the past are in no bucket: they are no forecast."""
    spans = periods(start, days, granularity, week_starts)
    columns: dict[str, _Column] = {}
    left_out = []
    with localcontext() as context:
        context.prec = PRECISION
        for prediction in predictions:
            if prediction.source == "void" or (prediction.source == "fact" and not prediction.payment_mass):
                continue
            if prediction.confidence < min_confidence:
                left_out.append(prediction.deal_id)
                continue
            column = columns.setdefault(prediction.currency, _Column([_Bucket() for _ in range(len(spans) + 1)]))
            _add(column.buckets, prediction, spans)
        rows = [row for index, span in enumerate(spans) for row in _rows(columns, index, span)]
        totals = [_totals(currency, columns[currency].buckets) for currency in sorted(columns)]
    return ForecastTable(
        start=start, end=spans[-1][1], granularity=granularity, periods=rows, totals=totals, left_out=left_out
    )


def _add(buckets: list[_Bucket], prediction: DealPrediction, spans: Sequence[tuple[date, date]]) -> None:
    if prediction.payment is None:
        return
    payment = _mass(prediction.payment_mass, prediction.payment, prediction.as_of)
    sums = [payment.by((last - prediction.as_of).days) for _, last in spans]
    for bucket, piece in zip(buckets, cut(prediction.value, sums, prediction.currency), strict=True):
        bucket.payment += piece
    _widen(buckets, float(prediction.value), sums)
    buckets[_place(prediction.payment.p50, spans)].deals += 1
    if prediction.invoice is not None and (prediction.invoice_mass or prediction.invoice.p50 > prediction.as_of):
        invoice = _mass(prediction.invoice_mass, prediction.invoice, prediction.as_of)
        sums = [invoice.by((last - prediction.as_of).days) for _, last in spans]
        for bucket, piece in zip(buckets, cut(prediction.value, sums, prediction.currency), strict=True):
            bucket.invoice += piece


def _widen(buckets: Sequence[_Bucket], value: float, sums: Sequence[float]) -> None:
    """Each amount falls into a bucket whole or not at all."""
    for bucket, before, reached in zip(buckets, [0.0, *sums], sums, strict=False):
        share = max(0.0, reached - before)
        bucket.variance += value * value * share * (1.0 - share)
        if share > 0:
            bucket.most += max(0.0, value)
            bucket.least += min(0.0, value)


def _rows(columns: dict[str, _Column], index: int, span: tuple[date, date]) -> Iterator[ForecastPeriod]:
    for currency in sorted(columns):
        bucket = columns[currency].buckets[index]
        reach = _P90 * math.sqrt(bucket.variance)
        middle = float(bucket.payment)
        unit = Decimal(1).scaleb(-_MINOR.get(currency, 2))
        low = Decimal(max(middle - reach, bucket.least)).quantize(unit)
        high = Decimal(min(middle + reach, bucket.most)).quantize(unit)
        yield ForecastPeriod(
            start=span[0],
            end=span[1],
            currency=currency,
            invoice_value=bucket.invoice,
            payment_value=bucket.payment,
            payment_low=min(low, bucket.payment),
            payment_high=max(high, bucket.payment),
            deal_count=bucket.deals,
        )


def _totals(currency: str, buckets: Sequence[_Bucket]) -> ForecastTotals:
    *inside, beyond = buckets
    return ForecastTotals(
        currency=currency,
        invoice_value=sum((bucket.invoice for bucket in inside), Decimal(0)),
        payment_value=sum((bucket.payment for bucket in inside), Decimal(0)),
        deal_count=sum(bucket.deals for bucket in inside),
        beyond_invoice_value=beyond.invoice,
        beyond_payment_value=beyond.payment,
        beyond_deal_count=beyond.deals,
    )


def _mass(parts: Sequence[float], interval: Interval, today: date) -> Mass:
    """The mass as predicted; where a prediction was read back without it, as much as its interval tells."""
    if parts:
        return Mass(tuple(parts))
    low, middle, high = (max(0, (day - today).days) for day in (interval.p10, interval.p50, interval.p90))
    return spread([(low, 0.2), (middle, 0.6), (high, 0.2)])


def _place(day: date, spans: Sequence[tuple[date, date]]) -> int:
    return next((index for index, (_, last) in enumerate(spans) if day <= last), len(spans))


def _last(first: date, granularity: Granularity, week_start: int) -> date:
    if granularity == "week":
        return first + timedelta((week_start - first.weekday() - 1) % 7)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return following - timedelta(1)
