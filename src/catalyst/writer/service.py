"""Draft and sum up: `WriterService`. A model writes, its draft is checked against the input, a person sends it.

Each kind is one method: ask (`_ask`), keep what holds, else the minimal draft of `minimal.py` with confidence 0.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from catalyst.clock import Clock
from catalyst.errors import LLMServiceError
from catalyst.llm.prompts import PromptRegistry
from catalyst.llm.structured import Mismatch, find_json
from catalyst.llm.types import LLMRequest, LLMResponse
from catalyst.writer import given, minimal
from catalyst.writer.answers import ComplianceAnswer, DraftAnswer, NotesAnswer, OrderAnswer, SummaryAnswer
from catalyst.writer.ground import material, quotes, unfounded
from catalyst.writer.language import LANGUAGES, is_in
from catalyst.writer.render import html
from catalyst.writer.types import (
    ActionItem,
    ComplianceContext,
    ComplianceItem,
    ComplianceResult,
    DealSummaryContext,
    DealSummaryResult,
    DraftEmailResult,
    DraftReminderResult,
    EmailDraftContext,
    NoteSummaryContext,
    NoteSummaryResult,
    OrderReceivedContext,
    OrderReceivedResult,
    ReminderDraftContext,
)

UNWRITTEN = "No model answered: this is a minimal draft from the input alone."
Answer = TypeVar("Answer", bound=BaseModel)
log = structlog.get_logger()


class Hub(Protocol):
    """What answers requests; `LLMService` does. Raises LLMServiceError."""

    async def query(self, request: LLMRequest) -> LLMResponse: ...


class WriterService:
    """Writes over a hub, or minimally without one. No method raises because a model failed."""

    def __init__(
        self,
        hub: Hub | None,
        prompts: PromptRegistry,
        clock: Clock,
        *,
        zone: tzinfo = UTC,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._hub = hub
        self._prompts = prompts
        self._clock = clock
        self._zone = zone
        self._timeout = timeout_seconds

    async def draft_email(self, asked: EmailDraftContext) -> DraftEmailResult:
        """A follow-up mail."""
        parts = {"deals": given.deals(asked.deals), **given.mail(asked)}
        answer, response = await self._ask("email.followup", asked, DraftAnswer, **parts)
        if answer is None or response is None:
            subject, body = minimal.email(asked)
            return DraftEmailResult(**self._minimal(asked, body), subject=subject, body=body)
        said = f"{answer.subject}\n{answer.body}"
        return DraftEmailResult(**self._draft(asked, answer), **self._checked(said, asked, response))

    async def draft_reminder(self, asked: ReminderDraftContext) -> DraftReminderResult:
        """A reminder, as short or long as its channel wants it."""
        parts = {"items": given.deals(asked.deals), **given.mail(asked)}
        answer, response = await self._ask(f"reminder.{asked.channel}", asked, DraftAnswer, **parts)
        short = asked.channel == "whatsapp"
        if answer is None or response is None:
            subject, body = ("", minimal.message(asked)) if short else minimal.email(asked)
            return DraftReminderResult(**self._minimal(asked, body), subject=subject, body=body, channel=asked.channel)
        if short:
            answer = answer.model_copy(update={"subject": ""})
        said = f"{answer.subject}\n{answer.body}"
        return DraftReminderResult(
            **self._draft(asked, answer), **self._checked(said, asked, response), channel=asked.channel
        )

    async def summarize_deal(self, asked: DealSummaryContext) -> DealSummaryResult:
        """A deal in a few sentences, with what comes next."""
        answer, response = await self._ask("deal.summarize", asked, SummaryAnswer, **given.deal(asked.deal))
        if answer is None or response is None:
            text = minimal.summary(asked.deal, asked.language)
            return DealSummaryResult(
                **self._minimal(asked, text),
                deal_id=asked.deal.deal_id,
                summary=text,
                missing_info=minimal.missing(asked.deal),
            )
        points = [*answer.blockers, *answer.recommendations, answer.next_action]
        said = "\n".join([answer.summary, *points])
        return DealSummaryResult(
            **self._checked(said, asked, response),
            **answer.model_dump(exclude={"confidence"}),
            confidence=answer.confidence,
            deal_id=asked.deal.deal_id,
            html=html(
                answer.summary,
                asked.language,
                [
                    ("blockers", answer.blockers),
                    ("advice", answer.recommendations),
                    ("next", [answer.next_action]),
                    ("lacking", answer.missing_info),
                ],
            ),
        )

    async def batch_summarize_deals(
        self, asked: Sequence[DealSummaryContext], max_concurrent: int = 5
    ) -> list[DealSummaryResult]:
        """Each deal's summary, in their order; one that fails is minimal and spoils no other."""
        slots = asyncio.Semaphore(max(1, max_concurrent))

        async def one(context: DealSummaryContext) -> DealSummaryResult:
            async with slots:
                return await self.summarize_deal(context)

        return list(await asyncio.gather(*map(one, asked)))

    async def analyze_compliance(self, asked: ComplianceContext) -> ComplianceResult:
        """Which requirements are met. What has no evidence in the material is not met, whatever a model says."""
        parts = {"requirements": list(asked.requirements), **given.deal(asked.deal)}
        answer, response = await self._ask("deal.compliance_check", asked, ComplianceAnswer, **parts)
        if answer is None or response is None:
            items = [ComplianceItem(requirement=name, met="unclear") for name in asked.requirements]
            lines = [item.requirement for item in items]
            return ComplianceResult(**self._minimal(asked, "", lines), items=items, missing_items=lines)
        warnings = list(answer.warnings)
        items = _checked_items(asked, answer, warnings)
        missing = [item.requirement for item in items if item.met != "yes"]
        lines = [f"{item.requirement}: {item.met}" for item in items]
        status = "compliant" if not missing else "incomplete" if answer.status == "compliant" else answer.status
        return ComplianceResult.model_validate(
            self._checked("\n".join(answer.warnings), asked, response, warnings)
            | {"status": status, "items": items, "missing_items": missing, "confidence": answer.confidence}
            | {"html": html("", asked.language, [("requirements", lines)])}
        )

    async def analyze_order_received(self, asked: OrderReceivedContext) -> OrderReceivedResult:
        """What an order says. An end user without words that name it is dropped, with a warning."""
        answer, response = await self._ask("deal.order_received_analysis", asked, OrderAnswer, **given.order(asked))
        if answer is None or response is None:
            text = minimal.order(asked)
            return OrderReceivedResult(
                **self._minimal(asked, text), summary=text, missing_info=["end_user", *minimal.missing(asked.deal)]
            )
        warnings = list(answer.warnings)
        source = material(asked.model_dump())
        if answer.end_user and not (quotes(answer.end_user_evidence, source) and quotes(answer.end_user, source)):
            warnings.append(f"The end user {answer.end_user[:80]!r} has no words of the order behind it: left out.")
            answer = answer.model_copy(update={"end_user": "", "end_user_evidence": ""})
        said = "\n".join([answer.summary, answer.project, answer.delivery, answer.payment_terms])
        return OrderReceivedResult(
            **self._checked(said, asked, response, warnings),
            **answer.model_dump(exclude={"confidence", "warnings"}),
            confidence=answer.confidence,
            html=html(
                answer.summary,
                asked.language,
                [
                    ("end_user", [answer.end_user]),
                    ("project", [answer.project]),
                    ("delivery", [answer.delivery]),
                    ("terms", [answer.payment_terms]),
                    ("lacking", answer.missing_info),
                ],
            ),
        )

    async def summarize_notes(self, asked: NoteSummaryContext) -> NoteSummaryResult:
        """Notes in a few sentences. An action item whose evidence is nowhere is dropped, with a warning."""
        answer, response = await self._ask("notes.summarize", asked, NotesAnswer, notes=given.notes(asked.notes))
        if answer is None or response is None:
            text = minimal.notes(asked.notes, asked.language)
            return NoteSummaryResult(**self._minimal(asked, text), summary=text)
        warnings: list[str] = []
        items = _grounded_actions(answer.action_items, material(asked.model_dump()), warnings)
        points = [f"{item.action} ({item.owner or '?'}, {item.due or '?'})" for item in items]
        said = "\n".join([answer.summary, *answer.decisions, *answer.contradictions, *points])
        return NoteSummaryResult(
            **self._checked(said, asked, response, warnings),
            **answer.model_dump(exclude={"confidence", "action_items"}),
            action_items=items,
            confidence=answer.confidence,
            html=html(
                answer.summary,
                asked.language,
                [("actions", points), ("decided", answer.decisions), ("against", answer.contradictions)],
            ),
        )

    async def _ask(
        self, prompt: str, asked: Any, kind: type[Answer], **variables: Any
    ) -> tuple[Answer | None, LLMResponse | None]:
        """The model's answer, or None with the reason in the log: then the minimal draft is used."""
        if self._hub is None:
            return None, None
        known = self._prompts.get(prompt).variables
        common = {"today": self._today().isoformat(), "language": LANGUAGES[asked.language].name}
        rendered = self._prompts.render(prompt, **variables, **{k: v for k, v in common.items() if k in known})
        request = rendered.request(
            feature_name="writer",
            tenant=asked.tenant,
            enable_cache=asked.use_cache,
            timeout_seconds=self._timeout,
        )
        try:
            response = await self._hub.query(request)
            said = response.parsed_output if response.parsed_output is not None else find_json(response.text)
            return kind.model_validate(said), response
        except (LLMServiceError, ValidationError, Mismatch) as error:
            log.warning("writer.unwritten", prompt=prompt, error=type(error).__name__)
            return None, None

    def _today(self) -> Any:
        return self._clock.now().astimezone(self._zone).date()

    def _draft(self, asked: EmailDraftContext | ReminderDraftContext, answer: DraftAnswer) -> dict[str, Any]:
        return answer.model_dump() | {"html": html(answer.body, asked.language)}

    def _minimal(self, asked: Any, body: str, points: Sequence[str] = ()) -> dict[str, Any]:
        return {
            "language": asked.language,
            "html": html(body, asked.language, [("", points)]),
            "confidence": 0.0,
            "warnings": [UNWRITTEN],
        }

    def _checked(self, said: str, asked: Any, response: LLMResponse, warnings: Sequence[str] = ()) -> dict[str, Any]:
        """What every result of a model carries: what is unfounded in it, its language, its cost."""
        found = [*warnings, *given.left_out(asked), *unfounded(said, material(asked.model_dump()), self._today())]
        if not is_in(said, asked.language):
            found.append(f"The text is not in {LANGUAGES[asked.language].name}.")
        cost: Decimal = response.cost_usd
        return {"language": asked.language, "warnings": found, "model": response.model, "cost_usd": cost}


def _checked_items(asked: ComplianceContext, answer: ComplianceAnswer, warnings: list[str]) -> list[ComplianceItem]:
    """Every requirement once, in the order asked."""
    source = material(asked.model_dump(exclude={"requirements"}))
    by_name = {" ".join(item.requirement.casefold().split()): item for item in answer.items}
    kept = []
    for name in asked.requirements:
        item = by_name.get(" ".join(name.casefold().split()))
        if item is None:
            item = ComplianceItem(requirement=name, met="unclear")
        elif item.met == "yes" and not quotes(item.evidence, source):
            warnings.append(f"{name!r} was called met without words that show it: unclear.")
            item = ComplianceItem(requirement=name, met="unclear")
        kept.append(item.model_copy(update={"requirement": name}))
    return kept


def _grounded_actions(items: Sequence[ActionItem], source: str, warnings: list[str]) -> list[ActionItem]:
    kept = []
    for item in items:
        if not quotes(item.evidence, source):
            warnings.append(f"The action {item.action[:80]!r} has no words of the notes behind it: left out.")
        elif item.owner and not quotes(item.owner, source):
            warnings.append(f"The owner {item.owner[:80]!r} is named nowhere in the notes: left out.")
            kept.append(item.model_copy(update={"owner": ""}))
        else:
            kept.append(item)
    return kept
