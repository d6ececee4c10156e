"""What the writer is asked and what it answers. Free text is bounded; nothing is sent by Catalyst itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from catalyst.writer.language import LANGUAGES

Day: TypeAlias = date
"""A field may be called date."""
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Line = Annotated[str, StringConstraints(max_length=4_000)]
Language = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=f"^({'|'.join(LANGUAGES)})$")]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recipient(_Asked):
    """Whom it is for."""

    name: Short = ""
    role: Short = ""
    company: Short = ""
    email: Short = ""


class NoteEntry(_Asked):
    """What somebody wrote, and when. It is material, never an instruction."""

    text: Line
    date: Day | None = None
    author: Short = ""


class DealContext(_Asked):
    """A deal, an invoice or a task as far as it is known."""

    deal_id: Short = ""
    name: Short = ""
    customer: Short = ""
    stage: Short = ""
    owner: Short = ""
    days_in_stage: int | None = Field(default=None, ge=0, le=36_500)
    value: Decimal | None = Field(default=None, max_digits=24, decimal_places=6)
    currency: Short = "SAR"
    due_date: Day | None = None
    expected_close: Day | None = None
    notes: list[NoteEntry] = Field(default=[], max_length=100)


class _Context(_Asked):
    language: Language = "en"
    tenant: str = Field(default="default", max_length=200)
    use_cache: bool = False
    """Drafts are made anew unless asked otherwise."""


class EmailDraftContext(_Context):
    """A follow-up e-mail."""

    intent: Short = "follow up"
    sender: Short = ""
    recipients: list[Recipient] = Field(default=[], max_length=20)
    deals: list[DealContext] = Field(default=[], max_length=20)
    notes: list[NoteEntry] = Field(default=[], max_length=100)
    tone: Short = "friendly"


class ReminderDraftContext(_Context):
    """A reminder: short for a messenger, long for e-mail."""

    channel: Literal["whatsapp", "email"] = "whatsapp"
    intent: Short = "a friendly reminder"
    sender: Short = ""
    recipients: list[Recipient] = Field(default=[], max_length=20)
    deals: list[DealContext] = Field(default=[], max_length=20)
    notes: list[NoteEntry] = Field(default=[], max_length=100)
    tone: Short = "friendly"


class DealSummaryContext(_Context):
    """One deal to sum up."""

    deal: DealContext


class ComplianceContext(_Context):
    """A deal against what it needs."""

    deal: DealContext
    requirements: list[Short] = Field(min_length=1, max_length=40)


class OrderReceivedContext(_Context):
    """An order that came in."""

    deal: DealContext
    order_text: str = Field(default="", max_length=40_000)


class NoteSummaryContext(_Context):
    """Notes to sum up, oldest first."""

    notes: list[NoteEntry] = Field(default=[], max_length=500)


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)

    language: str = "en"
    html: str = ""
    confidence: float = Field(default=0.0, ge=0, le=1)
    """The model's own; 0 where no model answered. It is not calibrated."""
    warnings: list[str] = []
    model: str = ""
    """Empty where no model answered."""
    cost_usd: Decimal = Decimal(0)


class _Draft(_Result):
    subject: str = ""
    body: str = ""
    suggestions: list[str] = []
    next_action: str = ""
    missing_info: list[str] = []


class DraftEmailResult(_Draft):
    """A mail for a person to read and send."""


class DraftReminderResult(_Draft):
    """A reminder for a person to read and send."""

    channel: Literal["whatsapp", "email"] = "whatsapp"


class DealSummaryResult(_Result):
    """A deal in a few sentences."""

    deal_id: str = ""
    summary: str = ""
    next_action: str = ""
    blockers: list[str] = []
    recommendations: list[str] = []
    missing_info: list[str] = []


class ComplianceItem(BaseModel):
    """One requirement; met is yes only with evidence that stands in the material."""

    model_config = ConfigDict(frozen=True)

    requirement: str
    met: Literal["yes", "no", "unclear"]
    evidence: str = ""


class ComplianceResult(_Result):
    """What is there and what is missing."""

    status: Literal["compliant", "incomplete", "non_compliant", "unknown"] = "unknown"
    items: list[ComplianceItem] = []
    missing_items: list[str] = []


class OrderReceivedResult(_Result):
    """What an order says; the end user only with the words that name it."""

    end_user: str = ""
    end_user_evidence: str = ""
    project: str = ""
    delivery: str = ""
    payment_terms: str = ""
    summary: str = ""
    missing_info: list[str] = []


class ActionItem(BaseModel):
    """Who does what by when, and where that stands."""

    model_config = ConfigDict(frozen=True)

    action: str
    owner: str = ""
    due: str = ""
    evidence: str = ""


class NoteSummaryResult(_Result):
    """Notes in a few sentences."""

    summary: str = ""
    action_items: list[ActionItem] = []
    decisions: list[str] = []
    contradictions: list[str] = []
    tags: list[str] = []
