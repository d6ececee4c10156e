"""REST of what the stream carried: recent filings, a company's, one. Each filing once, by its newest message."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel

from catalyst.stream.log import Archive, Cursor, Page
from catalyst.stream.log import Query as LogQuery
from catalyst.stream.types import Alert, Record
from catalyst.web.errors import refusals
from catalyst.web.frames import item

MOST = 500
_CURSOR = re.compile(r"(\d{1,18})\.(\d{1,18})")


class Filing(Alert):
    """An alert with its place in the log."""

    seq: int


class FilingPage(BaseModel):
    """Newest first. `next`, where it isn't null, is the `cursor` of the following page."""

    filings: list[Filing]
    count: int
    next: str | None


class FilingHistory(BaseModel):
    """One filing: its newest message, and all that are held, oldest first."""

    filing: Filing
    messages: list[Filing]


Limit = Annotated[int, Query(ge=1, le=MOST, description="At most this many filings.")]
Form = Annotated[str, Query(max_length=32, description="Exactly this form, `8-K`; empty: all.")]
MinPriority = Annotated[float, Query(ge=0, le=1, allow_inf_nan=False, description="At least this priority score.")]
Since = Annotated[datetime | None, Query(description="Committed at this time or later; UTC where it names no offset.")]
From = Annotated[str, Query(max_length=40, description="`next` of the page before.")]
Ticker = Annotated[str, Path(min_length=1, max_length=32)]
FilingId = Annotated[str, Path(min_length=1, max_length=64)]

_SAME: dict[int | str, dict[str, Any]] = {304: {"description": "As the ETag in If-None-Match says."}}
_PAGE: dict[int | str, dict[str, Any]] = {200: {"model": FilingPage}, **_SAME}
_UNKNOWN = refusals(e404="No such filing is held.")


def filings_router(log: Archive) -> APIRouter:
    """The routes under `/api/filings`."""
    router = APIRouter(prefix="/api/filings", tags=["filings"])

    @router.get("/recent", responses=_PAGE)
    async def recent(
        request: Request,
        limit: Limit = 50,
        form: Form = "",
        min_priority: MinPriority = 0.0,
        since: Since = None,
        cursor: From = "",
    ) -> Response:
        """The newest filings; a filing that got an update stands where its update stands."""
        query = LogQuery(limit, "", form, min_priority, _nanoseconds(since), _cursor(cursor))
        return _answer(request, _page(await log.query(query)))

    @router.get("/by-id/{filing_id}", responses={**_SAME, 200: {"model": FilingHistory}, **_UNKNOWN})
    async def by_id(request: Request, filing_id: FilingId) -> Response:
        """One filing by its accession number."""
        records = await log.filing(filing_id)
        if not records:
            raise HTTPException(404, f"no filing {filing_id!r} is held: it is unknown, or older than the log keeps")
        newest = item(records[-1])
        return _answer(request, b'{"filing":%b,"messages":%b}' % (newest, _array(records)))

    @router.get("/{ticker}", responses=_PAGE)
    async def by_ticker(
        request: Request,
        ticker: Ticker,
        limit: Limit = 20,
        form: Form = "",
        min_priority: MinPriority = 0.0,
        since: Since = None,
        cursor: From = "",
    ) -> Response:
        """The newest filings of one company, by any of its tickers; an unknown ticker has none."""
        query = LogQuery(limit, ticker, form, min_priority, _nanoseconds(since), _cursor(cursor))
        return _answer(request, _page(await log.query(query)))

    return router


def _page(page: Page) -> bytes:
    following = b'"%d.%d"' % (page.next.before, page.next.as_of) if page.next else b"null"
    return b'{"filings":%b,"count":%d,"next":%b}' % (_array(page.records), len(page.records), following)


def _array(records: list[Record] | tuple[Record, ...]) -> bytes:
    return b"[" + b",".join(item(record) for record in records) + b"]"


def _answer(request: Request, body: bytes) -> Response:
    """The body with its ETag, or 304 where the client has it already."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _cursor(text: str) -> Cursor | None:
    if not text:
        return None
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise HTTPException(422, "cursor is not one of ours: use `next` of the page before, unchanged")
    return Cursor(int(match[1]), int(match[2]))


def _nanoseconds(moment: datetime | None) -> int:
    """POSIX nanoseconds, 0 for none and for what lies before 1970."""
    if moment is None:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, min(int(aware.timestamp() * 1_000_000) * 1000, (1 << 62)))
