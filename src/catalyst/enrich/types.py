"""What goes in and comes out: `Artifact`, `FieldSpec`, `FieldResult`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["date", "total", "currency", "company", "address", "text"]
Decision = Literal["auto_apply", "review", "reject"]
Status = Literal["found", "missing", "failed"]

KINDS: dict[str, Kind] = {
    "date": "date",
    "invoice_date": "date",
    "total": "total",
    "amount": "total",
    "currency": "currency",
    "company": "company",
    "vendor": "company",
    "address": "address",
}
"""What a field's name means where the caller does not say."""

MAX_TEXT = 4_000_000
"""Characters of one artifact."""


class Artifact(BaseModel):
    """One record whose fields are wanted, as text."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(max_length=MAX_TEXT)
    id: str = Field(default="", max_length=500)
    raw_payload_hash: str = Field(default="", max_length=200)
    """Where the record's source is known by a hash of its own; else the text's hash stands for it."""
    tenant: str = Field(default="default", max_length=200)
    """Whose quota the model's calls count against."""
    locale: str = Field(default="", max_length=20)
    """How dates and numbers are written, `en-US`; empty where the text must tell."""

    @property
    def key(self) -> str:
        """What the artifact is known by."""
        return self.raw_payload_hash or hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @classmethod
    def of(cls, record: Mapping[str, Any], *, tenant_field: str = "", text_field: str = "text") -> Artifact:
        """A record of a pipeline: its text, or where it has none, all its fields as lines.

        Raises pydantic's ValidationError for a text that is too long.
        """
        text = record.get(text_field)
        if not isinstance(text, str):
            text = "\n".join(f"{name}: {_shown(value)}" for name, value in record.items() if value not in (None, ""))
        return cls(
            text=text,
            id=str(record.get("id", "")),
            raw_payload_hash=str(record.get("raw_payload_hash") or ""),
            tenant=str(record.get(tenant_field) or "default") if tenant_field else "default",
            locale=str(record.get("locale") or ""),
        )


class FieldSpec(BaseModel):
    """A field that is wanted. `prompt` says in words what it means, for the model."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=100)
    kind: Kind | None = None
    """Which rules read it; unset, by its name; `text` has none."""
    prompt: str = Field(default="", max_length=4_000)

    @property
    def rules(self) -> Kind:
        return self.kind or KINDS.get(self.name.lower(), "text")


class Evidence(BaseModel):
    """Where in the artifact's text a value stands: characters from `start` to `end`."""

    model_config = ConfigDict(frozen=True)

    start: int
    end: int
    text: str


class Usage(BaseModel):
    """What a value cost; zeros for rules and cached answers."""

    model_config = ConfigDict(frozen=True)

    tokens_input: int = 0
    tokens_output: int = 0
    cost_usd: Decimal = Decimal(0)


class FieldResult(BaseModel):
    """One field of one artifact: always there, whatever happened."""

    model_config = ConfigDict(frozen=True)

    field: str
    artifact_id: str = ""
    status: Status
    value: str | None = None
    confidence: float = 0.0
    """How likely the value is right, where `calibrated`; else only a rank."""
    calibrated: bool = False
    calibration: Literal["calibrated", "uncalibrated"] = "uncalibrated"
    decision: Decision = "reject"
    reason: str = ""
    """Why this decision, or what failed."""
    provider: str = "rules"
    model: str = ""
    """The model, or the rule's name."""
    cached: bool = False
    usage: Usage = Usage()
    evidence: Evidence | None = None
    created_at: datetime


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
