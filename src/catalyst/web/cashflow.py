"""POST /cashflow/predict and GET /cashflow/explain: forecasts over what is sent, beside what the service holds."""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Query, Request

from catalyst.cashflow.types import CashflowForecast, CashflowPredictionInput, Explanation
from catalyst.errors import NotFound
from catalyst.web.auth import payer

ForecastId = Annotated[str, Query(min_length=1, max_length=64)]


class Forecasting(Protocol):
    """What forecasts: `cashflow.CashflowPredictionService` does."""

    async def predict_cashflow(
        self, asked: CashflowPredictionInput, *, tenant: str = "default"
    ) -> CashflowForecast: ...

    async def explain_assumptions(self, forecast_id: str) -> Explanation:
        """Raises NotFound."""
        ...


def cashflow_router(cashflow: Forecasting) -> APIRouter:
    """The routes; `create_app` puts them behind the key."""
    router = APIRouter(prefix="/cashflow", tags=["cashflow"])

    @router.post("/predict")
    async def predict(asked: CashflowPredictionInput, request: Request) -> CashflowForecast:
        """When each deal is invoiced and paid, and the money by week or month; it is kept under its `forecast_id`."""
        return await cashflow.predict_cashflow(asked, tenant=payer(request))

    @router.get("/explain")
    async def explain(forecast_id: ForecastId) -> Explanation:
        """What a forecast stood on: its assumptions, and the reasoning and evidence of each date."""
        try:
            return await cashflow.explain_assumptions(forecast_id)
        except NotFound as error:
            raise HTTPException(404, str(error)) from error

    return router
