"""`catalyst quote` as an operator runs it: a process against price vendors on loopback, and without any."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalyst.bot.quotes import Bar
from tests.app.processes import environ
from tests.fakes.quotes import FINNHUB_KEY, TIINGO_KEY, FakeMarket

pytestmark = pytest.mark.slow


@pytest.fixture
async def market() -> AsyncIterator[FakeMarket]:
    made = await FakeMarket().start()
    yield made
    await made.close()


async def quote(folder: Path, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "catalyst.app.cli", "quote", *arguments, cwd=folder, env=environ(**more),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


def keys(market: FakeMarket) -> dict[str, str]:
    return {
        "FINNHUB_API_KEY": FINNHUB_KEY, "FINNHUB_BASE_URL": market.url("finnhub"),
        "TIINGO_API_KEY": TIINGO_KEY, "TIINGO_BASE_URL": market.url("tiingo"),
    }  # fmt: skip


def now() -> datetime:
    return datetime.now(UTC)


async def test_without_a_source_it_says_what_to_set(tmp_path: Path):
    code, out, err = await quote(tmp_path, "ACME")
    assert (code, out) == (2, "")
    assert err.startswith("catalyst: no price source is configured: set FINNHUB_API_KEY")


async def test_what_is_no_ticker_is_said_before_anybody_is_asked(tmp_path: Path, market: FakeMarket):
    code, _, err = await quote(tmp_path, "ACME", "../etc", **keys(market))
    assert code == 2
    assert "'../etc' is no ticker" in err
    assert market.asked == []


async def test_prices_come_as_a_table_and_as_json_with_what_one_must_know(tmp_path: Path, market: FakeMarket):
    market.set("ACME", 12.34, 12.0, now())
    market.set("BRK.B", 500.0, 490.0, now(), vendor="tiingo")
    code, out, err = await quote(tmp_path, "acme", "BRK-B", "NOPE", **keys(market))
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()[1:]]
    assert [(row[0], row[1]) for row in rows] == [("acme", "12.34"), ("BRK-B", "500.0"), ("NOPE", "no")]
    assert [row[-1] for row in rows[:2]] == ["finnhub", "tiingo"]
    code, out, _ = await quote(tmp_path, "--json", "ACME", "NOPE", **keys(market))
    told = [json.loads(line) for line in out.splitlines()]
    assert (told[0]["price"], told[0]["prev_close"], told[0]["provider"]) == ("12.34", "12.0", "finnhub")
    assert told[1] == {"symbol": "NOPE", "price": None}
    assert code == 0


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "finnhub refuses our key (401): check it"),
        (429, "finnhub: too many requests"),
        (500, "finnhub answered 500"),
    ],
)
async def test_no_price_at_all_is_an_error_that_tells_the_vendors_word(
    tmp_path: Path, market: FakeMarket, status: int, why: str
):
    market.fails("finnhub", status)
    code, out, err = await quote(tmp_path, "--provider", "finnhub", "ACME", **keys(market))
    assert code == 1
    assert "no price" in err
    assert why in err
    assert FINNHUB_KEY not in out + err
    assert "Traceback" not in err


async def test_a_days_bars_make_a_recording_and_a_chart(tmp_path: Path, market: FakeMarket):
    begin = now() - timedelta(minutes=60)
    bars = [Bar(begin + number * timedelta(minutes=5), 12, 12.5, 11.5, 12.2, 900) for number in range(10)]
    market.set("ACME", 12.3, 12.0, now(), bars=bars)
    code, out, err = await quote(tmp_path, "--bars", "ACME", **keys(market))
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 10
    (tmp_path / "day.jsonl").write_text(out)
    recorded = {"QUOTE_PROVIDERS": "recorded", "QUOTE_RECORDING": "day.jsonl"}
    code, out, err = await quote(tmp_path, "--json", "--chart", "acme.png", "ACME", **recorded)
    assert (code, err, json.loads(out)["provider"]) == (0, "", "recorded")
    assert (tmp_path / "acme.png").read_bytes().startswith(b"\x89PNG")
    code, _, err = await quote(tmp_path, "--chart", "none/acme.png", "ACME", **recorded)
    assert (code, "cannot be written" in err) == (2, True)
