"""What the stream cannot replay any more, from REST: each filing once, by its newest message, oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import structlog

from catalyst.bot.address import Address
from catalyst.errors import Unreachable
from catalyst.http import Http

log = structlog.get_logger()

PAGE = 200
MOST = 20_000
"""Filings that one catch-up brings at most; about a week of all of EDGAR."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A subscription's filter; empty means no constraint."""

    tickers: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    min_priority: float = 0.0

    def fields(self) -> dict[str, Any]:
        """As `subscribe` takes them."""
        return {"tickers": list(self.tickers), "forms": list(self.forms), "min_priority": self.min_priority}

    def shown(self) -> dict[str, Any]:
        """As `subscribed` repeats them."""
        tickers, forms = self._plain()
        return {"tickers": sorted(tickers), "forms": sorted(forms), "min_priority": self.min_priority}

    def matches(self, raw: Mapping[str, Any]) -> bool:
        """Whether a message's newest state is wanted."""
        tickers, forms = self._plain()
        return (
            (not tickers or not tickers.isdisjoint(raw["tickers"]))
            and (not forms or raw["filing_type"].upper() in forms)
            and raw["analysis"]["priority_score"] >= self.min_priority
        )

    def _plain(self) -> tuple[set[str], set[str]]:
        """Tickers and forms as the service compares them."""
        tickers = {ticker.strip().lstrip("$").upper().replace(".", "-") for ticker in self.tickers}
        return tickers, {form.strip().upper() for form in self.forms}


class Past:
    """REST's side of a client."""

    def __init__(self, http: Http, address: Address, headers: Mapping[str, str], wanted: Wanted) -> None:
        self._http = http
        self._base = f"{address.rest}/api/filings/recent"
        self._headers = headers
        self._wanted = wanted

    async def since(self, since_ns: int, cursor: str) -> list[dict[str, Any]]:
        """Wanted filings committed at `since_ns` or later, up to `cursor`, oldest first. Raises TransportError."""
        moment = datetime.fromtimestamp(since_ns / 1e9, UTC).isoformat()
        found: list[dict[str, Any]] = []
        following: str | None = cursor
        while following is not None and len(found) < MOST:
            page = await self._page(moment, following)
            found += [raw for raw in page["filings"] if self._wanted.matches(raw)]
            following = page["next"]
        if following is not None:
            log.warning("client.past_cut", filings=len(found))
        return found[::-1]

    async def _page(self, moment: str, cursor: str) -> dict[str, Any]:
        query = urlencode({"limit": PAGE, "since": moment, "cursor": cursor})
        answer = await self._http.get(f"{self._base}?{query}", headers=self._headers)
        try:
            page = orjson.loads(answer.body)
            return {"filings": page["filings"], "next": page["next"]}
        except (orjson.JSONDecodeError, TypeError, KeyError):
            raise Unreachable(f"{self._base} answers with something else than filings: check the address") from None
