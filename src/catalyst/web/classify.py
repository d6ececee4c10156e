"""POST /classify: what headlines mean, by rules at once and by a model where one is configured and it is worth it."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from catalyst.news.classify import Classification
from catalyst.web.auth import payer

MOST_TEXTS = 100
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class Judge(Protocol):
    """What judges headlines: `news.classify.Classifier` does."""

    async def classify_batch(
        self, texts: list[str], *, priority: Literal["high", "normal", "low"] = "normal", tenant: str = "default"
    ) -> list[Classification]: ...


class ClassifyRequest(BaseModel):
    """Headlines to judge. Only the first 2 kB of each are read."""

    model_config = ConfigDict(extra="forbid")

    texts: list[Text] = Field(min_length=1, max_length=MOST_TEXTS)
    priority: Literal["high", "normal", "low"] = "normal"
    """`high` waits between no batches."""


class ClassifyAnswer(BaseModel):
    """One result a text, in their order."""

    results: list[Classification]


def classify_router(judge: Judge) -> APIRouter:
    """The route; keys are checked by whoever mounts it."""
    router = APIRouter(tags=["headlines"])

    @router.post("/classify")
    async def classify(body: ClassifyRequest, request: Request) -> ClassifyAnswer:
        """Label, sentiment and relevance of each text, with the rules' score and the model's."""
        found = await judge.classify_batch(body.texts, priority=body.priority, tenant=payer(request))
        return ClassifyAnswer(results=found)

    return router
