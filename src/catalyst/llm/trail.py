"""What one request has been through, and what that means: outcomes, blame, billing, the final error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from catalyst.errors import (
    AllProvidersFailed,
    BudgetExceeded,
    LLMAuthenticationError,
    LLMBadResponseError,
    LLMContextError,
    LLMModelError,
    LLMRateLimitError,
    LLMRefusedError,
    LLMServiceError,
    LLMTimeoutError,
    LLMValidationError,
    ProviderError,
)
from catalyst.llm.job import Job
from catalyst.llm.types import Attempt, Outcome

_OUTCOMES: tuple[tuple[type[LLMServiceError], Outcome], ...] = (
    (LLMRateLimitError, Outcome.RATE_LIMITED),
    (LLMAuthenticationError, Outcome.AUTH),
    (LLMTimeoutError, Outcome.TIMEOUT),
    (LLMContextError, Outcome.CONTEXT),
    (LLMRefusedError, Outcome.REFUSED),
    (LLMBadResponseError, Outcome.BAD_RESPONSE),
    (LLMModelError, Outcome.MODEL),
    (LLMValidationError, Outcome.INVALID),
)

BLAMED = frozenset({Outcome.SERVER, Outcome.TIMEOUT, Outcome.BAD_RESPONSE, Outcome.AUTH, Outcome.MODEL})
"""Outcomes that count as failures of the target."""


class CircuitBusy(LLMServiceError):
    """While the call waited for its slot or its money, the circuit closed its door; nothing was sent."""


@dataclass(slots=True)
class Trail:
    """Grows with each attempt of one request. `cost` in nano-dollars."""

    job: Job
    records: list[Attempt] = field(default_factory=list)
    route: str = ""
    cost: int = 0
    calls: int = 0
    errors: list[LLMServiceError] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    """Targets that this request is done with."""

    @property
    def retries(self) -> int:
        """Calls after the first."""
        return max(0, self.calls - 1)

    def reject(self) -> None:
        """The last answer was no valid output: its record says so."""
        self.records[-1] = replace(self.records[-1], outcome=Outcome.INVALID, detail="not of the schema")

    def verdict(self) -> LLMServiceError:
        """The error of a request that no target answered."""
        if self.errors and all(isinstance(error, BudgetExceeded) for error in self.errors):
            return self.errors[0]
        alone = bool(self.job.request.model) or not self.job.request.fallback_on_error
        if self.errors and (alone or all(isinstance(error, LLMValidationError) for error in self.errors)):
            return self.errors[-1]
        if not self.route and not self.records:
            return AllProvidersFailed("no model was asked, for no time was left: give the request more timeout_seconds")
        tried = "; ".join(map(_shown, self.records))
        if not tried:
            return AllProvidersFailed("no model answered, for no target serves this request: set a provider's key")
        return AllProvidersFailed(
            f"no model answered: {tried}; mend one of these providers, or add another", attempts=tuple(self.records)
        )


def outcome_of(error: BaseException) -> Outcome:
    """How the ledger files an error."""
    for kind, outcome in _OUTCOMES:
        if isinstance(error, kind):
            return outcome
    return Outcome.SERVER if isinstance(error, ProviderError) else Outcome.CANCELLED


def may_be_billed(error: BaseException) -> bool:
    """Whether the provider may bill an attempt that ended so, without having said what it used.

    An error status is not billed; a timeout, a cut answer and our own cancellation may be.
    """
    if isinstance(error, LLMValidationError):
        return False
    return not isinstance(error, ProviderError) or error.status < 400


def _shown(record: Attempt) -> str:
    return f"{record.provider}/{record.model}: {record.outcome.value}" + (
        f" ({record.detail})" if record.detail else ""
    )
