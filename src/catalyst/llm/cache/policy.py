"""How far an answer may be used again: a table by template and feature. Unlisted plain questions: by meaning."""

from __future__ import annotations

from enum import StrEnum

from catalyst.llm.types import LLMRequest


class Policy(StrEnum):
    """What has to be equal for a kept answer to be served."""

    OFF = "off"
    """Nothing is kept."""
    EXACT = "exact"
    """Every byte of the request."""
    HEADLINE = "headline"
    """A reworded wire copy of the same news too: strict floor, strict guard."""
    SEMANTIC = "semantic"
    """The question may be worded otherwise; all else is equal."""


TEMPLATES: dict[str, Policy] = {
    "headline.classify": Policy.HEADLINE,
    "email": Policy.OFF,
    "reminder": Policy.OFF,
}
"""By a template's id or the part before its first dot. Others are exact: their text is more than a question."""

FEATURES: dict[str, Policy] = {
    "filings": Policy.EXACT,
    "evaluate": Policy.EXACT,
    "enrich": Policy.EXACT,
    "gateway": Policy.EXACT,
    "cashflow": Policy.EXACT,
    "classify": Policy.HEADLINE,
    "headlines": Policy.HEADLINE,
    "news": Policy.HEADLINE,
    "writer": Policy.OFF,
}
"""By a feature's name or the part before its first dot, for requests that name no template."""

LONGEST = 2_000
"""Characters of a question that may match by meaning; longer ones hold more than the embedder reads."""


def policy_of(request: LLMRequest) -> Policy:
    """What the table says, narrowed to exact where the question does not stand alone: chats, tools, long texts."""
    if not request.enable_cache:
        return Policy.OFF
    found = _listed(request)
    if request.cache_match is not None and found is not Policy.OFF:
        found = Policy(request.cache_match)
    if found in (Policy.OFF, Policy.EXACT):
        return found
    return found if alone(request) else Policy.EXACT


def alone(request: LLMRequest) -> bool:
    """Whether the request is one question of one turn, without tools, short enough to be read."""
    turns = [turn.role for turn in request.messages if turn.role != "system"]
    if request.tools or (request.messages and turns != ["user"]):
        return False
    return 0 < len(asked(request)) <= LONGEST


def asked(request: LLMRequest) -> str:
    """The user's question: the prompt, or the last user turn."""
    if request.prompt:
        return request.prompt
    return next((turn.content for turn in reversed(request.messages) if turn.role == "user"), "")


def _listed(request: LLMRequest) -> Policy:
    if request.template:
        name = request.template.partition("@")[0]
        return TEMPLATES.get(name) or TEMPLATES.get(name.partition(".")[0]) or Policy.EXACT
    name = request.feature_name
    return FEATURES.get(name) or FEATURES.get(name.partition(".")[0]) or Policy.SEMANTIC
