"""Each fault as a client meets it."""

from __future__ import annotations

import json

import aiohttp
import pytest

from catalyst.emulator import Fault, Faults
from catalyst.errors import NotFound, Refused, TimedOut, TooLarge, Unreachable, UsageError
from catalyst.filings.feed import parse_feed
from catalyst.http import Http

from .conftest import AGENT, Opens, new_york

PAGE = "/cgi-bin/browse-edgar?action=getcurrent&output=atom&count=100"
ELM = "/Archives/edgar/data/9000001/0009000003-25-000003.txt"
NOON = new_york("12:00:00")


async def test_down_resets_the_connection(recording, edgar: Opens):
    async with edgar(recording, NOON, faults=Faults(Fault(kind="down"))) as sec, http(sec) as client:
        with sec.clock.working(), pytest.raises(Unreachable):
            await client.get(sec.server.url + PAGE)


async def test_down_with_a_status_answers_it(recording, edgar: Opens):
    async with edgar(recording, NOON, faults=Faults(Fault(kind="down", status=503))) as sec:
        assert (await sec.get(PAGE)).status == 503


async def test_a_fault_ends_with_its_span_and_touches_its_addresses_only(recording, edgar: Opens):
    fault = Fault.model_validate({"kind": "down", "status": 503, "url": "/cgi-bin/*", "start": "12:10", "end": "12:20"})
    async with edgar(recording, NOON, faults=Faults(fault)) as sec:
        assert (await sec.get(PAGE)).status == 200
        await sec.to(new_york("12:10:00"))
        assert (await sec.get(PAGE)).status == 503
        assert (await sec.get(ELM)).status == 200
        await sec.to(new_york("12:20:00"))
        assert (await sec.get(PAGE)).status == 200


async def test_a_fault_ends_with_its_count(recording, edgar: Opens):
    faults = Faults(Fault(kind="refused", status=429, count=2))
    async with edgar(recording, NOON, faults=faults) as sec:
        assert [(await sec.get(PAGE)).status for _ in range(3)] == [429, 429, 200]
        assert faults.listed()[0]["hits"] == 2


async def test_slow_holds_back_the_first_byte_in_simulated_time(recording, edgar: Opens):
    faults = Faults(Fault(kind="slow", seconds=200))
    async with edgar(recording, NOON, speed=2000, faults=faults) as sec, http(sec) as client:
        assert (await client.get(sec.server.url + PAGE, timeout_seconds=2000)).status == 200
        assert (sec.clock.now() - NOON).total_seconds() >= 200
        with pytest.raises(TimedOut):
            await client.get(sec.server.url + PAGE, timeout_seconds=100)


async def test_slow_drips(recording, edgar: Opens):
    faults = Faults(Fault(kind="slow", seconds=0, bytes_per_second=100))
    async with edgar(recording, NOON, faults=faults) as sec:
        body = (await sec.get(ELM)).body
        assert (sec.clock.now() - NOON).total_seconds() == pytest.approx(len(body) / 100, rel=0.05)


@pytest.mark.parametrize("after", [None, 0, 300])
async def test_truncated_breaks_off(recording, edgar: Opens, after):
    async with edgar(recording, NOON, faults=Faults(Fault(kind="truncated", after_bytes=after))) as sec:
        got = b""
        with pytest.raises(aiohttp.ClientError):
            async with sec.session.get(sec.server.url + ELM, headers=AGENT) as answer:
                assert int(answer.headers["Content-Length"]) > 600
                async for chunk in answer.content.iter_any():
                    got += chunk
        assert after is None or len(got) <= after


async def test_missing_gives_404_for_the_first_seconds_of_a_filings_life(recording, edgar: Opens):
    faults = Faults(Fault(kind="missing", seconds=5))
    async with edgar(recording, new_york("09:30:01"), faults=faults) as sec, http(sec) as client:
        with sec.clock.working(), pytest.raises(NotFound):
            await client.get(sec.server.url + ELM)
        assert (await sec.get(PAGE)).status == 200
        await sec.to(new_york("09:30:05"))
        assert (await sec.get(ELM)).status == 200


async def test_garbage_is_no_feed(recording, edgar: Opens):
    async with edgar(recording, NOON, faults=Faults(Fault(kind="garbage"))) as sec:
        body = (await sec.get(PAGE)).body
    assert b"<feed" not in body
    assert len(set(body)) > 100


async def test_a_wrong_encoding_is_not_announced(recording, edgar: Opens):
    async with edgar(recording, NOON, faults=Faults(Fault(kind="encoding"))) as sec:
        answer = await sec.get(PAGE)
    assert answer.headers["Content-Type"] == "application/atom+xml"
    assert len(parse_feed(answer.body.decode("utf-16").encode("iso-8859-1")).entries) == 6


async def test_a_filing_vanishes_at_its_time(recording, edgar: Opens):
    fault = Fault.model_validate({"kind": "vanish", "accession": "0009000003-25-000003", "start": "12:30"})
    async with edgar(recording, NOON, faults=Faults(fault)) as sec:
        assert "0009000003-25-000003" in {one.accession for one in (await sec.feed(count=100)).entries}
        await sec.to(new_york("12:30:00"))
        left = await sec.feed(count=100)
        assert "0009000003-25-000003" not in {one.accession for one in left.entries}
        assert len(left.entries) == 5
        assert (await sec.get(ELM)).status == 404


async def test_a_bomb_is_small_on_the_wire_and_stopped_by_a_bound(recording, edgar: Opens):
    async with edgar(recording, NOON, faults=Faults(Fault(kind="bomb", size=1 << 34))) as sec, http(sec) as client:
        with sec.clock.working(), pytest.raises(TooLarge):
            await client.get(sec.server.url + PAGE, max_bytes=1 << 22)


async def test_refused_carries_its_status(recording, edgar: Opens):
    async with edgar(recording, NOON, faults=Faults(Fault(kind="refused"))) as sec, http(sec) as client:
        with sec.clock.working(), pytest.raises(Refused) as caught:
            await client.get(sec.server.url + PAGE)
    assert caught.value.status == 403


async def test_faults_are_added_listed_and_cleared_over_http(recording, edgar: Opens):
    async with edgar(recording, NOON) as sec:
        place = sec.server.url + "/_emulator/faults"
        async with sec.session.post(place, data=b'{"kind": "down", "status": 500}') as answer:
            assert (answer.status, await answer.json()) == (201, {"ids": [1]})
        assert (await sec.get(PAGE)).status == 500
        assert json.loads((await sec.get("/_emulator/faults")).body) == [
            {"id": 1, "hits": 1, "kind": "down", "status": 500}
        ]
        async with sec.session.post(place, data=b'[{"kind": "explode"}]') as answer:
            assert answer.status == 400
            assert "kind" in (await answer.json())["error"]
        async with sec.session.delete(place) as answer:
            assert answer.status == 200
        assert (await sec.get(PAGE)).status == 200


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"kind": "slow", "seconds": -1}', '{"kind": "down", "wat": 1}'])
def test_malformed_faults_are_named_in_one_line(tmp_path, text):
    place = tmp_path / "faults.json"
    place.write_text(text)
    with pytest.raises(UsageError) as caught:
        Faults.read(place)
    assert str(place) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_faults_are_bounded():
    faults = Faults(*[Fault(kind="slow")] * 1000)
    with pytest.raises(UsageError):
        faults.add(Fault(kind="slow"))


def http(sec) -> Http:
    return Http(sec.clock, AGENT["User-Agent"])
