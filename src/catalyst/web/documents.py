"""The text of a filing, as it was read: `/api/filings/by-id/{id}/document`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol

import orjson
from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import BaseModel

from catalyst.web.errors import refusals


class DocumentPart(BaseModel):
    """One document: its type (`8-K`, `EX-99.1`) and its plain text, tables as rows of ` | ` cells."""

    type: str
    text: str


class Document(BaseModel):
    """A filing's text; quotes of its facts are found in it letter by letter."""

    filing_id: str
    cut: bool
    """Whether the filing is longer than what is kept."""
    parts: list[DocumentPart]


class Part(Protocol):
    @property
    def type(self) -> str: ...
    @property
    def text(self) -> str: ...


class Text(Protocol):
    @property
    def parts(self) -> Sequence[Part]: ...
    @property
    def cut(self) -> bool: ...


class Texts(Protocol):
    """Who keeps the texts (`filings.texts`)."""

    async def get(self, accession: str) -> Text | None: ...


_UNKNOWN = refusals(e404="No text of this filing is held.")


def documents_router(texts: Texts) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api/filings", tags=["filings"])

    @router.get("/by-id/{filing_id}/document", responses={200: {"model": Document}, **_UNKNOWN})
    async def document(filing_id: Annotated[str, Path(min_length=1, max_length=64)]) -> Response:
        """What was read of one filing, as plain text; kept as long as its alert."""
        found = await texts.get(filing_id)
        if found is None:
            raise HTTPException(404, f"no text of {filing_id!r} is held: it is unknown, unread, or older than the log")
        parts = [{"type": part.type, "text": part.text} for part in found.parts]
        body = orjson.dumps({"filing_id": filing_id, "cut": found.cut, "parts": parts})
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-cache"})

    return router
