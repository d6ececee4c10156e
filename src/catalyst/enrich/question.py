"""Ask the hub for one field: the request, the parts of a long artifact, and what an answer is worth.

The artifact goes along as a document; a value counts only where the artifact says it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Bounded

from catalyst.enrich import evidence as proof
from catalyst.enrich.settings import EnrichSettings
from catalyst.enrich.types import Artifact, Evidence, FieldSpec, Kind
from catalyst.llm.prompts import PromptRegistry
from catalyst.llm.types import LLMRequest

PROMPT = "field.enrich"
OVERLAP = 400
"""Characters that two parts share, so that no value is cut."""

FORMS: dict[Kind, str] = {
    "date": "a day as YYYY-MM-DD",
    "total": "digits with a point and two decimals, without a currency sign",
    "currency": "the ISO 4217 code, three capital letters",
    "company": "the name as the record writes it",
    "address": "the address as the record writes it, on one line",
    "text": "as the record writes it",
}
_SHAPES: dict[Kind, re.Pattern[str]] = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "total": re.compile(r"-?\d+(?:\.\d+)?"),
    "currency": re.compile(r"[A-Z]{3}"),
}


class Answer(BaseModel):
    """What a model says, within the bounds of the prompt's schema."""

    model_config = ConfigDict(frozen=True)

    found: bool
    value: str = Bounded(max_length=500)
    evidence: str = Bounded(max_length=500)
    confidence: float = Bounded(ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer held against the artifact."""

    value: str
    confidence: float
    evidence: Evidence | None
    doubt: str
    """Why the value must not be applied unseen; empty where nothing speaks against it."""


def request(
    prompts: PromptRegistry, artifact: Artifact, field: FieldSpec, text: str, settings: EnrichSettings
) -> LLMRequest:
    """What is asked about one part of an artifact. The variant is the artifact's own."""
    prompt = prompts.assign(PROMPT, artifact.key)
    told = prompt.render({"field": field.name, "instruction": field.prompt, "form": FORMS[field.rules]})
    return told.request(
        documents=[text],
        model=settings.model or None,
        tenant=artifact.tenant,
        feature_name="enrich",
        timeout_seconds=settings.timeout_seconds,
    )


def parts(text: str, settings: EnrichSettings) -> tuple[Sequence[str], str]:
    """The pieces in which a text is asked about, and what is said of it: nothing is left out in silence."""
    if len(text) <= settings.max_chars:
        return [text], ""
    pieces, note = _cut(text, settings.max_chars), "read in parts"
    if len(pieces) > settings.max_parts:
        from catalyst.llm.compress import compress

        keep = settings.max_chars * settings.max_parts / len(text)
        made = compress(text, keep=min(0.9, keep))
        pieces = _cut(made.text, settings.max_chars)
        note = f"shortened by {made.reduction:.0%} and read in parts"
    if len(pieces) > settings.max_parts:
        share = settings.max_parts / len(pieces)
        note = f"{note}: only the first {share:.0%} could be read"
        pieces = pieces[: settings.max_parts]
    return pieces, note


def read(parsed: object, artifact: Artifact, field: FieldSpec) -> Reading | None:
    """An answer held against the artifact; None where the model says that the artifact does not hold the field.

    Raises ValueError for an answer that is not of the schema.
    """
    try:
        answer = Answer.model_validate(parsed)
    except ValidationError as error:
        raise ValueError(f"the model's answer is not of the schema: {error.errors()[0]['msg']}") from error
    value = answer.value.strip()
    if not answer.found or not value:
        return None
    stands = proof.place(artifact.text, answer.evidence)
    return Reading(value, answer.confidence, stands, _doubt(value, stands, artifact, field))


def _doubt(value: str, stands: Evidence | None, artifact: Artifact, field: FieldSpec) -> str:
    shape = _SHAPES.get(field.rules)
    if shape is not None and not shape.fullmatch(value):
        return f"the value is not {FORMS[field.rules]}"
    if stands is None:
        return "the quoted words do not stand in the artifact"
    if field.rules not in ("date", "total", "currency") and proof.foreign(artifact.text, value):
        return "the value is written in a script that the artifact does not use"
    if not proof.supports(field.rules, value, stands, artifact.locale):
        return "the quoted words do not say the value"
    return ""


def _cut(text: str, size: int) -> list[str]:
    """Pieces of at most `size` characters, ending at a line's end where there is one near."""
    pieces = []
    start = 0
    while start < len(text):
        end = min(len(text), start + size)
        if end < len(text):
            line = text.rfind("\n", start + size // 2, end)
            end = line if line > 0 else end
        pieces.append(text[start:end])
        if end == len(text):
            break
        start = max(start + 1, end - OVERLAP)
    return pieces
