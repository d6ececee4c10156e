"""When will open deals and invoices be paid, and how much comes in each week? Start with `CashflowPredictionService`.

Dates come from facts, overrides and learned delays, with an interval each; a model reads notes for evidence only.
"""

from catalyst.cashflow.rules import DeterministicRules
from catalyst.cashflow.service import CashflowPredictionService
from catalyst.cashflow.types import (
    CashflowForecast,
    CashflowPredictionInput,
    DealForPrediction,
    DealPrediction,
    Explanation,
    ForecastPeriod,
    ForecastTable,
    ForecastTotals,
    InvoiceRecord,
    Note,
    RunMetadata,
    StageEvent,
)

__all__ = [
    "CashflowForecast",
    "CashflowPredictionInput",
    "CashflowPredictionService",
    "DealForPrediction",
    "DealPrediction",
    "DeterministicRules",
    "Explanation",
    "ForecastPeriod",
    "ForecastTable",
    "ForecastTotals",
    "InvoiceRecord",
    "Note",
    "RunMetadata",
    "StageEvent",
]
