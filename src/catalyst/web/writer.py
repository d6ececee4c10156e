"""POST /writer/…: drafts and summaries. Nothing is sent: a person reads the draft first."""

from __future__ import annotations

from typing import Protocol

from fastapi import APIRouter

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
    async def draft_email(asked: EmailDraftContext) -> DraftEmailResult:
        """A follow-up mail, in plain text and HTML."""
        return await writer.draft_email(asked)

    @router.post("/draft-reminder")
    async def draft_reminder(asked: ReminderDraftContext) -> DraftReminderResult:
        """A reminder: short for WhatsApp, long for e-mail."""
        return await writer.draft_reminder(asked)

    @router.post("/summarize-deal")
    async def summarize_deal(asked: DealSummaryContext) -> DealSummaryResult:
        """A deal in a few sentences, with the next action and what blocks it."""
        return await writer.summarize_deal(asked)

    @router.post("/compliance")
    async def compliance(asked: ComplianceContext) -> ComplianceResult:
        """Which requirements a deal meets, each with its evidence."""
        return await writer.analyze_compliance(asked)

    @router.post("/order")
    async def order(asked: OrderReceivedContext) -> OrderReceivedResult:
        """What an order says; the end user only with the words that name it."""
        return await writer.analyze_order_received(asked)

    @router.post("/notes")
    async def notes(asked: NoteSummaryContext) -> NoteSummaryResult:
        """Notes in a few sentences, with action items and their owners."""
        return await writer.summarize_notes(asked)

    return router
