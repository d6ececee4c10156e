"""The forecaster over its records, the hub and the forecasts kept: `catalyst forecast` and /cashflow use it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from catalyst.app.build.prompts import prompts
from catalyst.app.settings import Settings
from catalyst.cashflow import CashflowPredictionService
from catalyst.cashflow.mapping import Book
from catalyst.cashflow.notes import Hub
from catalyst.cashflow.store import Forecasts
from catalyst.clock import SystemClock
from catalyst.db import Database


@contextlib.contextmanager
def cashflow(
    settings: Settings, data_dir: Path, hub: Hub | None, book: Book | None = None
) -> Iterator[CashflowPredictionService]:
    """A forecaster on the machine's clock; what it made is kept in `data_dir`/cashflow.db."""
    db = Database(data_dir / "cashflow.db", synchronous="NORMAL")
    try:
        yield CashflowPredictionService(
            SystemClock(),
            book=book,
            hub=hub,
            prompts=prompts(settings),
            forecasts=Forecasts(db),
            zone=settings.hub.zone,
        )
    finally:
        db.close()
