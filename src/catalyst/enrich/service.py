"""Fill fields of records: rules first, then the hub. Start with `Enricher.enrich_field`, which is an item's whole life.

Every item comes back with a status and a decision. What a model says is applied only where the artifact says it too,
and, before its confidence is calibrated, only after somebody looked.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from catalyst.clock import Clock
from catalyst.enrich import question
from catalyst.enrich.calibrate import Calibrations
from catalyst.enrich.rules import RULES, Candidate
from catalyst.enrich.settings import EnrichSettings
from catalyst.enrich.types import Artifact, Decision, Evidence, FieldResult, FieldSpec, Usage
from catalyst.errors import LLMServiceError, QuotaExceeded
from catalyst.llm.prompts import PromptRegistry
from catalyst.llm.types import LLMRequest, LLMResponse

UNCALIBRATED_MOST = 0.9
"""A model's own confidence, before it is calibrated, counts for no more."""

MAX_RULED = 200_000
"""Characters; a longer text is no bill, and only the model reads it."""

log = structlog.get_logger()

Fields = Sequence[FieldSpec | str]


class Hub(Protocol):
    """What answers requests; `LLMService` does. Raises LLMServiceError."""

    async def query(self, request: LLMRequest) -> LLMResponse: ...


@dataclass(slots=True)
class _Asked:
    """What the model's side of an item came to."""

    reading: question.Reading | None = None
    provider: str = ""
    model: str = ""
    cached: bool = True
    usage: Usage = field(default_factory=Usage)
    note: str = ""
    failure: str = ""

    def add(self, response: LLMResponse) -> None:
        self.provider, self.model = response.provider, response.model
        self.cached = self.cached and response.cached
        if not response.cached:
            self.usage = Usage(
                tokens_input=self.usage.tokens_input + response.tokens_input,
                tokens_output=self.usage.tokens_output + response.tokens_output,
                cost_usd=self.usage.cost_usd + response.cost_usd,
            )


class Enricher:
    """Fills fields. Without a hub only rules speak."""

    def __init__(
        self,
        hub: Hub | None,
        prompts: PromptRegistry,
        clock: Clock,
        calibrations: Calibrations | None = None,
        settings: EnrichSettings | None = None,
    ) -> None:
        self._hub = hub
        self._prompts = prompts
        self._clock = clock
        self._calibrations = calibrations or Calibrations()
        self.settings = settings or EnrichSettings()

    def get_confidence_threshold(self, field: str) -> float:
        """From which confidence on a field's value is applied without review."""
        return self.settings.thresholds.get(field, self.settings.auto)

    async def enrich_field(
        self, artifact: Artifact | Mapping[str, Any] | str, field: FieldSpec | str, prompt: str = ""
    ) -> FieldResult:
        """One field of one artifact; `prompt` says what it means. A failure is a result too, never an exception."""
        known, wanted = self._artifact(artifact), _field(field, prompt)
        rule = self._by_rules(known, wanted)
        if self._hub is None or (rule is not None and rule.decision == "auto_apply"):
            long = len(known.text) > MAX_RULED
            why = f"longer than the {MAX_RULED} characters that rules read" if long else "no rule finds it"
            return rule or self._result(known, wanted, reason=f"{why}, and no model is configured")
        asked = await self._ask(self._hub, known, wanted)
        return self._settled(known, wanted, rule, asked)

    async def read_by_model(self, artifact: Artifact, field: FieldSpec) -> question.Reading | None:
        """What the model alone reads, with its own confidence, held against the artifact; None where it finds nothing.

        For calibration. Raises LLMServiceError where no model answers.
        """
        if self._hub is None:
            raise LLMServiceError("no model is configured: nothing can be asked")
        asked = await self._ask(self._hub, artifact, field)
        if asked.reading is None and asked.failure:
            raise LLMServiceError(asked.failure)
        return asked.reading

    async def batch_enrich(
        self, artifacts: Sequence[Artifact | Mapping[str, Any] | str], fields: Fields, *, max_concurrent: int = 0
    ) -> list[list[FieldResult]]:
        """The fields of each artifact, in the order given; one item that fails never spoils the rest."""
        results: list[list[Any]] = [[None] * len(fields) for _ in artifacts]
        items: Iterator[tuple[int, int]] = itertools.product(range(len(artifacts)), range(len(fields)))

        async def work() -> None:
            for row, column in items:
                results[row][column] = await self._isolated(artifacts[row], fields[column])

        async with asyncio.TaskGroup() as group:
            for _ in range(min(max_concurrent or self.settings.max_concurrent, len(artifacts) * len(fields))):
                group.create_task(work())
        return results

    async def _isolated(self, artifact: Artifact | Mapping[str, Any] | str, field: FieldSpec | str) -> FieldResult:
        try:
            return await self.enrich_field(artifact, field)
        except Exception as error:  # noqa: BLE001 (one item of a batch: the others go on)
            log.error("enrich.item.failed", error=f"{type(error).__name__}: {error}")
            ident = artifact.id if isinstance(artifact, Artifact) else ""
            return FieldResult(
                field=field if isinstance(field, str) else field.name,
                artifact_id=ident,
                status="failed",
                reason=f"{type(error).__name__}: {error}"[:300],
                created_at=self._clock.now(),
            )

    def _artifact(self, given: Artifact | Mapping[str, Any] | str) -> Artifact:
        if isinstance(given, Artifact):
            return given
        if isinstance(given, str):
            return Artifact(text=given)
        return Artifact.of(given, tenant_field=self.settings.tenant_field)

    def _by_rules(self, artifact: Artifact, field: FieldSpec) -> FieldResult | None:
        """What the rules say; None where they find nothing or the field has none."""
        if field.rules not in RULES or len(artifact.text) > MAX_RULED:
            return None
        found: Sequence[Candidate] = RULES[field.rules](artifact.text, artifact.locale)
        if not found:
            return None
        best = found[0]
        curve = self._calibrations.of(field.name, "rules")
        confidence = curve.of(best.score) if curve is not None else best.score
        stands = Evidence(start=best.start, end=best.end, text=artifact.text[best.start : best.end])
        return self._result(
            artifact,
            field,
            status="found",
            value=best.value,
            confidence=confidence,
            calibrated=curve is not None,
            decision=self._decision(field, confidence),
            reason=best.why,
            model=f"rule:{field.rules}",
            evidence=stands,
        )

    async def _ask(self, hub: Hub, artifact: Artifact, field: FieldSpec) -> _Asked:
        """Ask about the artifact, part by part, until one holds the field."""
        texts, note = question.parts(artifact.text, self.settings)
        asked = _Asked(note=note)
        for text in texts:
            if not text.strip():
                continue
            try:
                response = await self._queued(
                    hub, question.request(self._prompts, artifact, field, text, self.settings)
                )
                asked.add(response)
                reading = question.read(response.parsed_output, artifact, field)
            except (LLMServiceError, ValueError) as error:
                asked.failure = str(error)
                continue
            if reading is not None and (asked.reading is None or _better(reading, asked.reading)):
                asked.reading = reading
            if reading is not None and not reading.doubt and reading.confidence >= self.settings.review:
                break
        return asked

    async def _queued(self, hub: Hub, request: LLMRequest) -> LLMResponse:
        """Ask, and where the tenant's quota is used up wait for it. Raises QuotaExceeded when patience ends."""
        until = self._clock.monotonic() + self.settings.patience_seconds
        while True:
            try:
                return await hub.query(request)
            except QuotaExceeded as error:
                wait = max(error.retry_after, 0.05)
                if self._clock.monotonic() + wait > until:
                    raise
                await self._clock.sleep(wait)

    def _settled(self, artifact: Artifact, field: FieldSpec, rule: FieldResult | None, asked: _Asked) -> FieldResult:
        """Rules and model together: the model's value where it is proven, else the rules' for review."""
        reading = asked.reading
        took = {"provider": asked.provider, "model": asked.model, "cached": asked.cached, "usage": asked.usage}
        if reading is None:
            why = asked.failure or "; ".join(
                filter(None, ("the model says that the artifact does not hold it", asked.note))
            )
            if rule is not None:
                return rule.model_copy(update={"usage": asked.usage, "reason": f"{rule.reason}; {why}"})
            return self._result(
                artifact, field, status="failed" if asked.failure else "missing", reason=why,
                decision="review" if asked.note else "reject", **(took if asked.provider else {}),
            )  # fmt: skip
        curve = self._calibrations.of(field.name, "model")
        confidence = curve.of(reading.confidence) if curve is not None else min(reading.confidence, UNCALIBRATED_MOST)
        decision = self._decision(field, confidence)
        reasons = [reading.doubt, asked.note]
        if (reading.doubt or curve is None) and decision == "auto_apply":
            decision = "review"
            reasons.append("" if reading.doubt else "the model's confidence is not calibrated")
        if rule is not None and rule.value != reading.value and decision == "auto_apply":
            decision = "review"
            reasons.append(f"rules read {rule.value}")
        return self._result(
            artifact, field, status="found", value=reading.value, confidence=confidence, calibrated=curve is not None,
            decision=decision, reason="; ".join(filter(None, reasons)) or "found in the artifact",
            evidence=reading.evidence, **took,
        )  # fmt: skip

    def _decision(self, field: FieldSpec, confidence: float) -> Decision:
        if confidence >= self.get_confidence_threshold(field.name):
            return "auto_apply"
        return "review" if confidence >= self.settings.review else "reject"

    def _result(self, artifact: Artifact, field: FieldSpec, **said: Any) -> FieldResult:
        said.setdefault("status", "missing")
        said["calibration"] = "calibrated" if said.get("calibrated") else "uncalibrated"
        return FieldResult(field=field.name, artifact_id=artifact.id, created_at=self._clock.now(), **said)


def _better(one: question.Reading, other: question.Reading) -> bool:
    """Proven before doubted, then the surer."""
    return (not one.doubt, one.confidence) > (not other.doubt, other.confidence)


def _field(given: FieldSpec | str, prompt: str) -> FieldSpec:
    found = FieldSpec(name=given) if isinstance(given, str) else given
    return found.model_copy(update={"prompt": prompt}) if prompt else found
