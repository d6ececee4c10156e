"""What a model answers, within the bounds of the prompts' schemas; anything else is refused. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from catalyst.writer.types import ActionItem, ComplianceItem

_Point = Annotated[str, Field(max_length=300)]
_Points = Annotated[list[_Point], Field(max_length=20)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)

    confidence: float = Field(ge=0, le=1)


class DraftAnswer(_Answer):
    """A mail or a reminder."""

    subject: str = Field(default="", max_length=150)
    body: str = Field(min_length=1, max_length=4_000)
    suggestions: _Points = []
    next_action: _Point = ""
    missing_info: _Points = []


class SummaryAnswer(_Answer):
    """A deal summed up."""

    summary: str = Field(min_length=1, max_length=1_200)
    next_action: _Point = ""
    blockers: _Points = []
    recommendations: _Points = []
    missing_info: _Points = []


class ComplianceAnswer(_Answer):
    """Requirements checked."""

    status: str = Field(default="unknown", pattern="^(compliant|incomplete|non_compliant|unknown)$")
    items: list[ComplianceItem] = Field(default=[], max_length=40)
    missing_items: list[_Point] = Field(default=[], max_length=40)
    warnings: _Points = []


class OrderAnswer(_Answer):
    """An order read."""

    end_user: str = Field(default="", max_length=200)
    end_user_evidence: str = Field(default="", max_length=300)
    project: str = Field(default="", max_length=200)
    delivery: str = Field(default="", max_length=200)
    payment_terms: str = Field(default="", max_length=200)
    summary: str = Field(default="", max_length=800)
    missing_info: _Points = []
    warnings: _Points = []


class NotesAnswer(_Answer):
    """Notes summed up."""

    summary: str = Field(min_length=1, max_length=1_200)
    action_items: list[ActionItem] = Field(default=[], max_length=20)
    decisions: _Points = []
    contradictions: _Points = []
    tags: list[Annotated[str, Field(max_length=40)]] = Field(default=[], max_length=8)
