"""Drafts and summaries for people who sell and collect. Start with `WriterService` in `service`."""

from catalyst.writer.service import WriterService
from catalyst.writer.types import (
    ComplianceContext,
    ComplianceResult,
    DealContext,
    DealSummaryContext,
    DealSummaryResult,
    DraftEmailResult,
    DraftReminderResult,
    EmailDraftContext,
    NoteEntry,
    NoteSummaryContext,
    NoteSummaryResult,
    OrderReceivedContext,
    OrderReceivedResult,
    Recipient,
    ReminderDraftContext,
)

__all__ = [
    "ComplianceContext",
    "ComplianceResult",
    "DealContext",
    "DealSummaryContext",
    "DealSummaryResult",
    "DraftEmailResult",
    "DraftReminderResult",
    "EmailDraftContext",
    "NoteEntry",
    "NoteSummaryContext",
    "NoteSummaryResult",
    "OrderReceivedContext",
    "OrderReceivedResult",
    "Recipient",
    "ReminderDraftContext",
    "WriterService",
]
