"""Judge headlines: rules at once, and a model for those worth it. Start with `Classifier.classify_batch`.

What goes to the model is decided by relevance, which has no sign, or by a mandatory word: bad news passes as readily as
good. Both scores are kept. Without a model, or where it fails, the rules' answer stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalyst.clock import Clock
from catalyst.errors import LLMServiceError
from catalyst.llm.prompts import PromptRegistry
from catalyst.llm.structured import Mismatch, find_json
from catalyst.llm.types import LLMRequest, LLMResponse
from catalyst.news.settings import NewsSettings
from catalyst.sentiment import Score, Scorer, wanted
from catalyst.stream.types import Label, Scores

PROMPT = "headline.classify"
MAX_CHARS = 1000
"""Of a headline, sent to a model."""
MOST_AT_ONCE = 25
"""A batch grows to this under backlog."""

Priority = Literal["high", "normal", "low"]


class Hub(Protocol):
    """What answers requests; `LLMService` does. A request that failed is its error, as a value."""

    async def query_batch(
        self, requests: Sequence[LLMRequest], *, max_concurrent: int = 10
    ) -> list[LLMResponse | LLMServiceError]: ...


class Reading(BaseModel):
    """A model's answer, within the bounds of the prompt's schema."""

    model_config = ConfigDict(frozen=True)

    label: Label
    sentiment: float = Field(ge=-1, le=1)
    relevance: float = Field(ge=0, le=1)
    confidence: float = Field(ge=0, le=1)
    event_type: str = Field(default="", max_length=40)
    reason: str = Field(default="", max_length=300)


class Classification(BaseModel):
    """What a headline means. `sentiment` and `label` are the model's where one answered, else the rules'."""

    model_config = ConfigDict(frozen=True)

    text: str
    label: Label
    sentiment: float = Field(ge=-1, le=1)
    relevance: float = Field(ge=0, le=1)
    scores: Scores
    keywords: list[str] = []
    event_type: str = ""
    reason: str = ""
    wanted: bool = False
    """Whether it is worth a model's look, by relevance or a mandatory word."""
    confidence: float | None = None
    source: Literal["rules", "llm"] = "rules"
    model: str = ""
    cost_usd: Decimal = Decimal(0)
    error: str = ""
    """Why the model that was asked has no part in this; empty where it has, or none was asked."""


class Classifier:
    """Scores headlines, and asks the hub about those worth it."""

    def __init__(
        self,
        scorer: Scorer,
        clock: Clock,
        settings: NewsSettings | None = None,
        hub: Hub | None = None,
        prompts: PromptRegistry | None = None,
    ) -> None:
        self._scorer = scorer
        self._clock = clock
        self._settings = settings or NewsSettings()
        self._hub = hub if self._settings.use_model else None
        self._prompts = prompts
        self._log = structlog.get_logger()

    @property
    def has_model(self) -> bool:
        return self._hub is not None and self._prompts is not None

    def score(self, text: str) -> Score:
        """The rules' and the table's score, at once."""
        return self._scorer.score(text)

    def passes(self, score: Score) -> bool:
        """Whether it is worth a model's look, by relevance without a sign or by a mandatory word."""
        return wanted(score, self._settings.min_relevance)

    def batch_size(self, waiting: int) -> int:
        """How many go to the model at once: more while many wait."""
        size = self._settings.batch_size
        return size if waiting <= 4 * size else max(size, min(MOST_AT_ONCE, waiting // 4))

    def pause(self, waiting: int, *, urgent: bool) -> float:
        """Seconds between two batches: none for an urgent one, shorter while many wait."""
        if urgent or not waiting:
            return 0.0
        return self._settings.batch_delay * min(1.0, 2.0 * self._settings.batch_size / waiting)

    async def classify(self, text: str, *, priority: Priority = "normal", tenant: str = "default") -> Classification:
        """One headline."""
        return (await self.classify_batch([text], priority=priority, tenant=tenant))[0]

    async def classify_batch(
        self, texts: Sequence[str], *, priority: Priority = "normal", tenant: str = "default"
    ) -> list[Classification]:
        """Each headline's judgement, in order; one failure spoils no other. A named tenant's limits count."""
        scores = [self.score(text) for text in texts]
        told = [by_rules(text, score, self.passes(score)) for text, score in zip(texts, scores, strict=True)]
        asked = [place for place, found in enumerate(told) if found.wanted and self.has_model]
        while asked:
            size = self.batch_size(len(asked))
            batch, asked = asked[:size], asked[size:]
            for place, found in zip(batch, await self.ask([told[p] for p in batch], priority, tenant), strict=True):
                told[place] = found
            if asked and (seconds := self.pause(len(asked), urgent=priority == "high")):
                await self._clock.sleep(seconds)
        return told

    async def ask(
        self, known: Sequence[Classification], priority: Priority = "normal", tenant: str = "default"
    ) -> list[Classification]:
        """The model's word on each, at once; what stands already where it has none."""
        if self._hub is None or self._prompts is None:
            return list(known)
        requests = [self._request(found.text, priority, tenant) for found in known]
        try:
            answers = await self._hub.query_batch(requests, max_concurrent=len(requests))
        except LLMServiceError as error:
            answers = [error] * len(requests)
        return [self._read(found, answer) for found, answer in zip(known, answers, strict=True)]

    def _request(self, text: str, priority: Priority, tenant: str) -> LLMRequest:
        assert self._prompts is not None
        prompt = self._prompts.render(PROMPT, headline=text[:MAX_CHARS] or "(empty)")
        return prompt.request(feature_name="headlines", priority=priority, tenant=tenant)

    def _read(self, found: Classification, answer: LLMResponse | LLMServiceError) -> Classification:
        if isinstance(answer, LLMServiceError):
            self._log.warning("headline.unread", error=type(answer).__name__)
            return found.model_copy(update={"error": str(answer)[:200]})
        try:
            given = answer.parsed_output if answer.parsed_output is not None else find_json(answer.text)
            return by_model(found, Reading.model_validate(given), answer)
        except (ValidationError, Mismatch):
            self._log.warning("headline.unread", error="schema")
            return found.model_copy(update={"error": "the model's answer does not meet its schema"})


def by_rules(text: str, score: Score, passed: bool = False) -> Classification:
    """What the score alone says."""
    return Classification(
        text=text,
        label=score.label,
        sentiment=score.value,
        relevance=score.relevance,
        scores=Scores(value=score.value, rule=score.rule, relevance=score.relevance),
        keywords=list(dict.fromkeys(score.hits))[:10],
        wanted=passed,
    )


def by_model(found: Classification, reading: Reading, answer: LLMResponse) -> Classification:
    """The model's word over the rules', both scores kept. A label against its own sentiment is no label."""
    signed = {"bullish": reading.sentiment > 0, "bearish": reading.sentiment < 0, "neutral": True}
    label: Label = reading.label if signed[reading.label] else "neutral"
    sentiment = reading.sentiment if label != "neutral" or abs(reading.sentiment) < 0.5 else 0.0
    return found.model_copy(
        update={
            "label": label,
            "sentiment": sentiment,
            "relevance": reading.relevance,
            "scores": found.scores.model_copy(
                update={"model": reading.sentiment, "model_relevance": reading.relevance}
            ),
            "event_type": _shown(reading.event_type),
            "reason": _shown(reading.reason),
            "confidence": reading.confidence if signed[reading.label] else 0.0,
            "source": "llm",
            "model": answer.model,
            "cost_usd": answer.cost_usd,
        }
    )


def _shown(text: str) -> str:
    """A model's words on one line; none that hold an address to follow."""
    said = " ".join(text.split())
    return "" if "://" in said or "www." in said.lower() else said
