"""EDGAR's rules for programs, in simulated time."""

from __future__ import annotations

import pytest

from catalyst.emulator.limits import RateLimit, declared

from .conftest import AGENT, Opens, new_york

PAGE = "/cgi-bin/browse-edgar?action=getcurrent&output=atom"


async def test_more_than_ten_requests_a_second_are_refused_until_ten_quiet_minutes(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00"), limit=10) as sec:
        assert [(await sec.get(PAGE)).status for _ in range(11)] == [200] * 10 + [403]
        await sec.clock.sleep(599)
        refused = await sec.get(PAGE)
        assert refused.status == 403
        assert b"Request Rate Threshold Exceeded" in refused.body
        await sec.clock.sleep(599)
        assert (await sec.get(PAGE)).status == 403, "the request at 599 s broke the quiet"
        await sec.clock.sleep(600)
        assert (await sec.get(PAGE)).status == 200
        assert sec.server.limit.refused == 3


async def test_ten_requests_a_second_are_answered_for_ever(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00"), limit=10) as sec:
        for _ in range(40):
            assert (await sec.get(PAGE)).status == 200
            await sec.clock.sleep(0.1)


async def test_the_limit_can_be_switched_off(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00"), limit=None) as sec:
        assert {(await sec.get(PAGE)).status for _ in range(30)} == {200}


def test_peers_are_counted_apart_and_bounded():
    limit = RateLimit(1)
    assert limit.allows("a", 0.0)
    assert limit.allows("b", 0.0)
    assert not limit.allows("a", 0.5)
    assert limit.allows("b", 1.0)
    for number in range(3000):
        limit.allows(str(number), 2.0)
    assert len(limit._peers) <= 1024


@pytest.mark.parametrize(
    ("agent", "named"),
    [("Jane Roe jane@example.com", True), ("python-requests/2.32", False), ("", False), ("me@", False)],
)
def test_a_user_agent_must_name_a_contact(agent, named):
    assert declared(agent) is named


async def test_an_undeclared_program_gets_the_page_that_says_so(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00")) as sec:
        answer = await sec.get(PAGE, **{"User-Agent": "curl/8.5"})
    assert answer.status == 403
    assert b"Undeclared Automated Tool" in answer.body
    assert answer.headers["Content-Type"] == "text/html"


async def test_only_get_and_head_are_answered(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00")) as sec:
        async with sec.session.post(sec.server.url + PAGE, headers=AGENT, data=b"x") as answer:
            assert answer.status == 405
        async with sec.session.head(sec.server.url + PAGE, headers=AGENT) as answer:
            assert (answer.status, int(answer.headers["Content-Length"]) > 500) == (200, True)


async def test_control_addresses_are_not_for_web_pages(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00")) as sec:
        assert (await sec.get("/_emulator/status")).status == 200
        assert (await sec.get("/_emulator/status", Origin="https://evil.example")).status == 403


async def test_a_request_body_is_bounded(recording, edgar: Opens):
    async with (
        edgar(recording, new_york("12:00:00")) as sec,
        sec.session.post(sec.server.url + "/_emulator/faults", data=b"x" * 300_000) as answer,
    ):
        assert answer.status == 413
