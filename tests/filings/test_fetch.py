from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from catalyst.emulator import EmulatorServer, Fault
from catalyst.errors import NotFound, ParseError, Refused, TimedOut, TooLarge, Unreachable
from catalyst.filings.fetch import RETRIES_404, Fetcher
from catalyst.filings.limiter import RateLimiter
from catalyst.filings.types import Filing, Party
from catalyst.http import Http
from tests.filings.rig import AGENT, acc, day, entry

NOON = "2025-06-10T12:00:00-04:00"


def filing(number: int = 1, form: str = "8-K") -> Filing:
    moment = datetime.fromisoformat(NOON)
    return Filing(acc(number), form, (Party("filer", "0009000001", "Elm"),), moment, None, (), "", moment)


@pytest.fixture
def recording(tmp_path):
    return day(tmp_path / "edgar", entry(1, "8-K", "12:00:00", items=("2.02",)), entry(2, "4", "11:00:00"))


@pytest.fixture
async def edgar(recording, clock):
    clock = type(clock)(datetime.fromisoformat(NOON).astimezone(UTC), float("inf"))
    async with EmulatorServer(recording, clock) as server, Http(clock, AGENT) as http:
        limiter = RateLimiter(clock)
        server.fetcher = Fetcher(http, limiter, clock, server.url, timeout_seconds=0.4)  # type: ignore[attr-defined]
        server.limiter = limiter  # type: ignore[attr-defined]
        yield server


async def test_a_submission_comes_whole(edgar):
    found = await edgar.fetcher.fetch(filing(), 0.9)
    assert found.header.accession == acc(1)
    assert found.documents[0].type == "8-K"
    assert found.problems == ()


async def test_a_text_that_is_late_is_waited_for(edgar):
    edgar.faults.add(Fault(kind="missing", seconds=1.0))
    began = edgar.clock.now()
    found = await edgar.fetcher.fetch(filing(), 0.9)
    assert found.header.accession == acc(1)
    assert timedelta(seconds=0.7) <= edgar.clock.now() - began <= timedelta(seconds=4)


async def test_a_text_that_never_comes_is_given_up_after_five_tries(edgar):
    before = edgar.requests
    began = edgar.clock.now()
    with pytest.raises(NotFound):
        await edgar.fetcher.fetch(filing(99), 0.9)
    assert edgar.requests - before == 1 + len(RETRIES_404)
    assert (edgar.clock.now() - began).total_seconds() >= sum(RETRIES_404)


async def test_what_breaks_off_once_is_fetched_again(edgar):
    edgar.faults.add(Fault(kind="truncated", url="/Archives/*", count=1, after_bytes=900))
    found = await edgar.fetcher.fetch(filing(), 0.9)
    assert found.problems == ()
    assert edgar.requests == 2


async def test_what_breaks_off_twice_is_kept_and_says_so(edgar):
    edgar.faults.add(Fault(kind="truncated", url="/Archives/*", after_bytes=900))
    found = await edgar.fetcher.fetch(filing(), 0.9)
    assert found.header.accession == acc(1)
    assert any("truncated" in problem for problem in found.problems)


async def test_garbage_is_never_taken_for_the_filing(edgar):
    edgar.faults.add(Fault(kind="garbage", url="/Archives/*"))
    with pytest.raises(ParseError):
        await edgar.fetcher.fetch(filing(), 0.9)


async def test_another_filing_under_this_address_is_refused(edgar, monkeypatch):
    monkeypatch.setattr(edgar.fetcher, "url", lambda _: Fetcher.url(edgar.fetcher, filing(2, "4")))
    with pytest.raises(ParseError, match="not that filing"):
        await edgar.fetcher.fetch(filing(1), 0.9)


async def test_a_slow_server_is_bounded_by_the_timeout(edgar):
    edgar.faults.add(Fault(kind="slow", url="/Archives/*", seconds=60))
    began = time.monotonic()
    with pytest.raises(TimedOut):
        await edgar.fetcher.fetch(filing(), 0.9)
    assert time.monotonic() - began < 5


async def test_a_dripping_server_gives_what_came_within_the_timeout(edgar):
    edgar.faults.add(Fault(kind="slow", url="/Archives/*", seconds=0, bytes_per_second=1800))
    found = await edgar.fetcher.fetch(filing(), 0.9)
    assert any("truncated" in problem for problem in found.problems)


async def test_a_gzip_bomb_is_bounded(edgar):
    edgar.faults.add(Fault(kind="bomb", url="/Archives/*", size=64 << 20))
    edgar.fetcher._max_bytes = 1 << 20
    with pytest.raises((ParseError, TooLarge)):
        await edgar.fetcher.fetch(filing(), 0.9)


async def test_a_reset_is_an_error_of_transport(edgar):
    edgar.faults.add(Fault(kind="down", url="/Archives/*"))
    with pytest.raises(Unreachable):
        await edgar.fetcher.fetch(filing(), 0.9)
    assert not edgar.fetcher.answered_since(0.0)


async def test_a_refusal_stops_the_limiter(edgar):
    edgar.faults.add(Fault(kind="refused", url="/Archives/*", status=429, count=1))
    with pytest.raises(Refused):
        await edgar.fetcher.fetch(filing(), 0.9)
    assert edgar.limiter.stopped_for > 590


async def test_cancelled_fetches_give_their_turns_back(edgar):
    edgar.faults.add(Fault(kind="slow", url="/Archives/*", seconds=60, count=7))
    tasks = [asyncio.create_task(edgar.fetcher.fetch(filing(), 0.9)) for _ in range(20)]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert edgar.limiter.waiting == 0
    edgar.faults.clear()
    assert (await edgar.fetcher.fetch(filing(), 0.9)).header.accession == acc(1)
