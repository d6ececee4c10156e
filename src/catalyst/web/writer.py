"""POST /writer/…: drafts and summaries. Nothing is sent: a person reads the draft first."""

from __future__ import annotations

from typing import Protocol, TypeVar

from fastapi import APIRouter, Request

from catalyst.web.auth import payer
from catalyst.writer.types import (
    ComplianceContext,
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

Asked = TypeVar(
    "Asked",
    EmailDraftContext,
    ReminderDraftContext,
    DealSummaryContext,
    ComplianceContext,
    OrderReceivedContext,
    NoteSummaryContext,
)


class Writing(Protocol):
    """What writes: `writer.WriterService` does, and never raises because a model failed."""

    async def draft_email(self, asked: EmailDraftContext) -> DraftEmailResult: ...
    async def draft_reminder(self, asked: ReminderDraftContext) -> DraftReminderResult: ...
    async def summarize_deal(self, asked: DealSummaryContext) -> DealSummaryResult: ...
    async def analyze_compliance(self, asked: ComplianceContext) -> ComplianceResult: ...
    async def analyze_order_received(self, asked: OrderReceivedContext) -> OrderReceivedResult: ...
    async def summarize_notes(self, asked: NoteSummaryContext) -> NoteSummaryResult: ...


def writer_router(writer: Writing) -> APIRouter:
    """The routes; `create_app` puts them behind the key."""
    router = APIRouter(prefix="/writer", tags=["writer"])

    @router.post("/draft-email")
    async def draft_email(asked: EmailDraftContext, request: Request) -> DraftEmailResult:
        """A follow-up mail, in plain text and HTML."""
        return await writer.draft_email(_paid(asked, request))

    @router.post("/draft-reminder")
    async def draft_reminder(asked: ReminderDraftContext, request: Request) -> DraftReminderResult:
        """A reminder: short for WhatsApp, long for e-mail."""
        return await writer.draft_reminder(_paid(asked, request))

    @router.post("/summarize-deal")
    async def summarize_deal(asked: DealSummaryContext, request: Request) -> DealSummaryResult:
        """A deal in a few sentences, with the next action and what blocks it."""
        return await writer.summarize_deal(_paid(asked, request))

    @router.post("/compliance")
    async def compliance(asked: ComplianceContext, request: Request) -> ComplianceResult:
        """Which requirements a deal meets, each with its evidence."""
        return await writer.analyze_compliance(_paid(asked, request))

    @router.post("/order")
    async def order(asked: OrderReceivedContext, request: Request) -> OrderReceivedResult:
        """What an order says; the end user only with the words that name it."""
        return await writer.analyze_order_received(_paid(asked, request))

    @router.post("/notes")
    async def notes(asked: NoteSummaryContext, request: Request) -> NoteSummaryResult:
        """Notes in a few sentences, with action items and their owners."""
        return await writer.summarize_notes(_paid(asked, request))

    return router


def _paid(asked: Asked, request: Request) -> Asked:
    """What is asked, billed to whose key it came with."""
    return asked.model_copy(update={"tenant": payer(request, asked.tenant)})
