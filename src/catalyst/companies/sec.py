"""The SEC's company lists as rows: pure parsers of `company_tickers.json` and `company_tickers_exchange.json`.

Both are tolerant: a row that makes no sense is left out. What is no such list at all raises ParseError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from catalyst.errors import ParseError

_NAME_LENGTH = 200
_TICKER_LENGTH = 15


class Listing(NamedTuple):
    """One line of a list: a company under one of its tickers."""

    cik: str
    """Ten digits."""
    ticker: str
    """Upper case, classes after a hyphen: `BRK-B`."""
    exchange: str
    """As the SEC writes it (`Nasdaq`, `NYSE`, `OTC`), or empty where the list doesn't say."""
    name: str


def parse_listings(body: bytes) -> list[Listing]:
    """Read either of the two lists, whichever it is, in its own order. Raises ParseError when it is neither."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ParseError(f"the company list is no JSON ({error}): fetch it again") from error
    if not isinstance(data, dict):
        raise ParseError("the company list is no JSON object: fetch it again")
    rows = _exchange_rows(data) if isinstance(data.get("data"), list) else _plain_rows(data.values())
    found = [listing for row in rows if (listing := _listing(*row)) is not None]
    if not found:
        raise ParseError("the company list holds no company: fetch it again")
    return found


def normal_cik(cik: object) -> str:
    """A CIK as ten digits, or an empty string when it is none."""
    text = str(cik).strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        return ""
    return text.zfill(10)


def normal_ticker(ticker: str) -> str:
    """One spelling of a ticker: `BRK.B` and `brk/b` are `BRK-B`."""
    return ticker.strip().upper().replace(".", "-").replace("/", "-")


def _plain_rows(values: Iterable[Any]) -> Iterator[tuple[object, object, object, object]]:
    for row in values:
        if isinstance(row, dict):
            yield row.get("cik_str"), row.get("ticker"), "", row.get("title")


def _exchange_rows(data: dict[str, Any]) -> Iterator[tuple[object, object, object, object]]:
    fields = data.get("fields")
    if not isinstance(fields, list) or not {"cik", "ticker"} <= {str(field) for field in fields}:
        raise ParseError("the company list with exchanges names no cik and ticker columns: fetch it again")
    columns = [fields.index(name) if name in fields else -1 for name in ("cik", "ticker", "exchange", "name")]
    for row in data["data"]:
        if isinstance(row, list) and len(row) == len(fields):
            cik, ticker, exchange, name = (row[column] if column >= 0 else "" for column in columns)
            yield cik, ticker, exchange, name


def _listing(cik: object, ticker: object, exchange: object, name: object) -> Listing | None:
    number = normal_cik(cik)
    if not number or not isinstance(ticker, str) or not isinstance(name, str):
        return None
    symbol = normal_ticker(ticker)
    if not symbol or len(symbol) > _TICKER_LENGTH or not symbol.isascii():
        return None
    return Listing(number, symbol, exchange if isinstance(exchange, str) else "", name.strip()[:_NAME_LENGTH])
