"""`/api/watchlists/{owner}`: the tickers that someone wants alerted from the feed row, whatever the form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import BaseModel, Field, StringConstraints

from catalyst.errors import UsageError

Owner = Annotated[str, Path(min_length=1, max_length=64)]
Ticker = Annotated[str, StringConstraints(min_length=1, max_length=32)]


class Watchlists(Protocol):
    """Where the lists are kept: `filings.watchlist.Watchlist` is one. Both raise UsageError for what makes no sense."""

    def owner(self, owner: str) -> tuple[str, ...]: ...

    async def put(self, owner: str, tickers: Iterable[str]) -> tuple[str, ...]: ...


class Tickers(BaseModel):
    """What a client puts."""

    tickers: list[Ticker] = Field(max_length=1000)


class Watched(BaseModel):
    """An owner's list as kept: upper case, each ticker once."""

    owner: str
    tickers: list[str]


def watchlists_router(lists: Watchlists, reader: Any, writer: Any) -> APIRouter:
    """The routes; `reader` and `writer` are dependencies that check the caller's key."""
    router = APIRouter(prefix="/api/watchlists", tags=["watchlists"])

    @router.get("/{owner}", dependencies=[Depends(reader)])
    async def read(owner: Owner) -> Watched:
        """An owner's list; empty where there is none."""
        try:
            return Watched(owner=owner, tickers=list(lists.owner(owner)))
        except UsageError as error:
            raise HTTPException(422, str(error)) from error

    @router.put("/{owner}", dependencies=[Depends(writer)])
    async def replace(owner: Owner, body: Tickers) -> Watched:
        """Replace an owner's list; an empty one removes it."""
        try:
            return Watched(owner=owner, tickers=list(await lists.put(owner, body.tickers)))
        except UsageError as error:
            raise HTTPException(422, str(error)) from error

    return router
