"""POST /enrich: fields of a few records at once; files of them go through `catalyst enrich`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints

from catalyst.enrich.types import Artifact, FieldResult, FieldSpec
from catalyst.web.auth import payer

Text = Annotated[str, StringConstraints(max_length=400_000)]


class Enriching(Protocol):
    """What fills fields: `enrich.Enricher` does, and never raises for one item."""

    async def batch_enrich(
        self, artifacts: Sequence[Any], fields: Sequence[Any], *, max_concurrent: int = 0
    ) -> list[list[FieldResult]]: ...


class Record(BaseModel):
    """One record to read."""

    text: Text
    id: str = Field(default="", max_length=500)
    raw_payload_hash: str = Field(default="", max_length=200)
    tenant: str = Field(default="", max_length=200)
    """Whom to bill, where no key is asked for or the key has the right `admin`; else the key's own tenant pays."""
    locale: str = Field(default="", max_length=20)


class Asked(BaseModel):
    """Which fields of which records."""

    artifacts: list[Record] = Field(min_length=1, max_length=100)
    fields: list[FieldSpec] = Field(min_length=1, max_length=20)


class Told(BaseModel):
    """One list of results for each record, in its order; each field is in it, whatever happened."""

    results: list[list[FieldResult]]


def enrich_router(enricher: Enriching) -> APIRouter:
    """The route; `create_app` puts it behind the key."""
    router = APIRouter(tags=["enrich"])

    @router.post("/enrich")
    async def enrich(asked: Asked, request: Request) -> Told:
        """Read fields out of records: rules first, then a model, each value with its evidence and a decision."""
        artifacts = [
            Artifact(**record.model_dump() | {"tenant": payer(request, record.tenant)}) for record in asked.artifacts
        ]
        return Told(results=await enricher.batch_enrich(artifacts, asked.fields))

    return router
