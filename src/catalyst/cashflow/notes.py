"""Have a model read a deal's notes for what they say about dates. It finds evidence; `evidence.py` judges it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

import structlog
from pydantic import ValidationError

from catalyst.cashflow.evidence import NotesReading, Verdict, weigh
from catalyst.cashflow.types import DealForPrediction
from catalyst.errors import LLMServiceError
from catalyst.llm.prompts import PromptRegistry
from catalyst.llm.structured import Mismatch, find_json
from catalyst.llm.types import LLMRequest, LLMResponse

PROMPT = "cashflow.predict_dates"
MOST_CHARS = 24_000
"""Of a deal's notes, the latest ones."""
UNREAD = "No model could read the notes: the estimate stands without them."
log = structlog.get_logger()


class Hub(Protocol):
    """What answers requests; `LLMService` does. Raises LLMServiceError."""

    async def query(self, request: LLMRequest) -> LLMResponse: ...


@dataclass(frozen=True, slots=True)
class Read:
    """What came of asking a model about one deal."""

    verdict: Verdict
    cost_usd: Decimal = Decimal(0)
    answered: bool = True


class NotesReader:
    """Asks the hub about notes; a failure is a warning, never an error: the estimate stands."""

    def __init__(self, hub: Hub, prompts: PromptRegistry, *, timeout_seconds: float = 30.0) -> None:
        self._hub = hub
        self._prompts = prompts
        self._timeout = timeout_seconds

    async def read(self, deal: DealForPrediction, today: date, tenant: str = "default") -> Read:
        """What the notes of a deal carry, grounded; `tenant` pays for the reading."""
        shown, first = _shown(deal)
        try:
            response = await self._hub.query(self._request(deal, shown, today, tenant))
            reading = NotesReading.model_validate(response.parsed_output or find_json(response.text))
        except (LLMServiceError, ValidationError, Mismatch) as error:
            log.warning("cashflow.notes_unread", deal=deal.deal_id, error=type(error).__name__)
            return Read(
                Verdict(warnings=("No model could read the notes: the estimate stands without them.",)), answered=False
            )
        verdict = weigh(reading, deal.notes[first:], today)
        return Read(verdict, response.cost_usd)

    def _request(self, deal: DealForPrediction, notes: list[dict[str, str]], today: date, tenant: str) -> LLMRequest:
        told = deal.model_dump(
            mode="json", include={"deal_id", "name", "customer", "stage", "invoice_date", "due_date"}
        )
        prompt = self._prompts.render(PROMPT, deal=told, notes=notes, today=today.isoformat())
        return prompt.request(feature_name="cashflow", tenant=tenant, timeout_seconds=self._timeout)


def _shown(deal: DealForPrediction) -> tuple[list[dict[str, str]], int]:
    """The latest notes that fit, and the place of the first of them."""
    first, left = len(deal.notes), MOST_CHARS
    while first > 0 and len(deal.notes[first - 1].text) <= left:
        first -= 1
        left -= len(deal.notes[first].text)
    shown = [
        {"date": note.date.isoformat() if note.date else "", "author": note.author, "text": note.text}
        for note in deal.notes[first:]
    ]
    return shown, first
