"""How a refusal reads, `{"detail": …}`, and which refusals OpenAPI names for whom."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Refusal(BaseModel):
    """Why not, in words, and what to do."""

    detail: str | list[dict[str, Any]]
    """A sentence; or, where several fields are wrong, one entry a field."""


def refusals(**said: str) -> dict[int | str, dict[str, Any]]:
    """`refusals(e404="…")` as FastAPI's `responses`."""
    return {int(name[1:]): {"model": Refusal, "description": text} for name, text in said.items()}


ANSWERS = refusals(
    e400="The body is no JSON.",
    e401="A key is asked for, and none or an unknown one came: send one in X-API-Key.",
    e403="The key lacks the right.",
    e413="The body is too long.",
    e422="What was asked makes no sense: the detail names the field.",
    e503="The log or a database cannot be read now: try again later.",
)
"""What every route behind a key may answer."""
