"""What the gateway refuses, what a leaving client costs, and what reaches headers, logs and the ledger."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from catalyst.web.gateway import GatewaySettings
from tests.llm.hub import clean, rows
from tests.web.gateway.conftest import gateway_of

BODY = {"model": "cheap", "messages": [{"role": "user", "content": "Say hello."}]}


async def test_auto_names_leave_the_choice_to_the_hub(gateway):
    for name, model in (("catalyst/simple", "cheap"), ("catalyst/critical", "dear"), ("catalyst/auto", "cheap")):
        status, answer, headers = await gateway.chat(model=name)
        assert (status, answer["model"], headers["x-catalyst-model"]) == (200, model, model)
    status, answer, _ = await gateway.chat(model="catalyst/best")
    assert (status, answer["error"]["code"]) == (400, "model_not_found")


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []},
        {"messages": "hello"},
        {"messages": [7]},
        {"messages": [{"role": "user", "content": 7}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]}]},
        {"messages": [{"role": "nobody", "content": "x"}]},
        {"n": 2},
        {"temperature": 9},
        {"temperature": "warm"},
        {"max_tokens": 10**9},
        {"max_tokens": -1},
        {"tools": [{"type": "web_search"}]},
        {"tools": "all"},
        {"response_format": {"type": "xml"}},
        {"response_format": {"type": "json_schema"}},
        {"stop": 7},
        {"frequency_penalty": 1.5},
        {"unheard_of": True},
        {"model": None},
        {"model": 7},
    ],
)
async def test_what_cannot_be_honoured_is_refused_by_name_and_asks_no_model(gateway, fields):
    status, answer, _ = await gateway.chat(**fields)
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert answer["error"]["message"]
    assert gateway.wire.openai.requests == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(gateway, body):
    async with gateway.post("/v1/chat/completions", data=body, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400


async def test_a_page_elsewhere_cannot_spend_money(gateway):
    async with gateway.post("/v1/chat/completions", data=json.dumps(BODY).encode()) as answer:
        assert (answer.status, gateway.wire.openai.requests) == (400, [])
    async with gateway.post("/v1/chat/completions", json=BODY, headers={"Origin": "https://evil.example"}) as answer:
        assert (answer.status, gateway.wire.openai.requests) == (403, [])


async def test_a_large_body_is_cut_off_declared_or_not(wire, tmp_path):
    async with gateway_of(wire, tmp_path, gateway=GatewaySettings(body_bytes=2000)) as gateway:
        large = BODY | {"messages": [{"role": "user", "content": "x" * 3000}]}
        async with gateway.post("/v1/chat/completions", json=large) as answer:
            assert answer.status == 413

        async def dripping():
            for _ in range(50):
                yield b" " * 100

        headers = {"Content-Type": "application/json"}
        async with gateway.post("/v1/chat/completions", data=dripping(), headers=headers) as answer:
            assert answer.status == 413


async def test_without_a_hub_it_says_how_to_get_one(wire, tmp_path):
    async with gateway_of(wire, tmp_path, with_hub=False) as gateway:
        status, answer, _ = await gateway.chat()
        assert status == 503
        assert "GEMINI_API_KEY" in answer["error"]["message"]


async def test_a_model_named_by_the_client_cannot_write_headers(wire, tmp_path):
    wire.openai.vendor.models = ("*",)
    async with gateway_of(wire, tmp_path, LLM_ALLOW_UNPRICED="1") as gateway:
        status, _, headers = await gateway.chat(model="openai/x\r\nSet-Cookie: a=b")
    assert (status, headers["x-catalyst-model"]) == (200, "openai/xSet-Cookie: a=b")
    assert "Set-Cookie" not in headers


async def test_the_request_id_is_the_clients_where_it_is_plain(gateway):
    _, _, headers = await gateway.chat(headers={"X-Request-Id": "trace-7"})
    assert headers["x-request-id"] == "trace-7"
    _, _, headers = await gateway.chat(headers={"X-Request-Id": "a b;" + "c" * 100})
    assert headers["x-request-id"] != "a b;"
    await gateway.hub._parts.attempts.ledger.flush()
    assert rows(gateway.folder, "request")[0] == ("trace-7",)


async def test_a_key_reads_only_where_it_may(gateway):
    _, secret = gateway.book.add("reader", scopes=("read",))
    await _known(gateway, secret)
    status, answer, _ = await gateway.chat(headers={"Authorization": f"Bearer {secret}"})
    assert (status, answer["error"]["code"]) == (403, "forbidden")


async def test_a_revoked_key_ends_within_a_second_or_two(gateway):
    assert (await gateway.chat())[0] == 200
    gateway.book.revoke("acme")
    async with asyncio.timeout(5):
        while (await gateway.chat())[0] != 401:
            await asyncio.sleep(0.05)


async def test_a_tenant_is_limited_and_told_when_to_come_back(wire, tmp_path):
    names: Any = {"LLM_TENANT_LIMITS": "acme=2/0/0", "LLM_QUEUE_SECONDS": "0"}
    async with gateway_of(wire, tmp_path, **names) as gateway:
        found = [await gateway.chat(messages=[{"role": "user", "content": f"{n}"}]) for n in range(3)]
    assert [status for status, _, _ in found] == [200, 200, 429]
    assert found[2][1]["error"]["code"] == "rate_limit_exceeded"
    assert 0 < int(found[2][2]["retry-after"]) <= 60


async def test_a_tenant_out_of_money_is_refused_before_the_call(wire, tmp_path):
    async with gateway_of(wire, tmp_path, LLM_TENANT_BUDGETS="acme=0.000001") as gateway:
        status, answer, _ = await gateway.chat()
    assert (status, answer["error"]["code"]) == (429, "insufficient_quota")
    assert wire.openai.requests == []


async def test_a_client_that_leaves_stops_the_upstream_call(gateway):
    gateway.wire.openai.answers(hang=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), gateway.post("/v1/chat/completions", json=BODY):
            pass
    await _until(lambda: gateway.wire.openai.hung_up == 1)
    await clean(gateway.hub)
    await gateway.hub._parts.attempts.ledger.flush()
    ((outcome, cost),) = rows(gateway.folder, "outcome, cost")
    assert outcome == "cancelled"
    assert cost > 0  # it may be billed


async def test_a_client_that_leaves_a_stream_stops_it_and_pays_for_what_was_used(gateway):
    gateway.wire.openai.answers(text="one two three four", stall_after=3)
    async with gateway.post("/v1/chat/completions", json=BODY | {"stream": True}) as answer:
        assert (await answer.content.readline()).startswith(b"data: ")
    await _until(lambda: gateway.wire.openai.hung_up == 1)
    await clean(gateway.hub)
    await gateway.hub._parts.attempts.ledger.flush()
    ((outcome, cost),) = rows(gateway.folder, "outcome, cost")
    assert (outcome, cost > 0) == ("cancelled", True)


async def test_a_stream_that_breaks_says_so_in_the_stream(gateway):
    gateway.wire.openai.answers(text="one two three", cut_after=2)
    async with gateway.post("/v1/chat/completions", json=BODY | {"stream": True}) as answer:
        events = [line for line in (await answer.text()).split("\n\n") if line]
    assert answer.status == 200
    assert "error" in json.loads(events[-1].removeprefix("data: "))
    assert "[DONE]" not in events[-1]


async def test_a_stream_that_never_began_has_a_status_of_its_own(gateway):
    status, answer, _ = await gateway.chat(model="no-such", stream=True)
    assert (status, answer["error"]["code"]) == (404, "model_not_found")
    body = {"model": "no-such", "max_tokens": 9, "stream": True, "messages": BODY["messages"]}
    async with gateway.post("/v1/messages", json=body) as refused:
        assert (refused.status, (await refused.json())["error"]["type"]) == (404, "not_found_error")


async def test_the_cache_is_as_strict_as_the_client_asks_for(gateway):
    """Whether it is kept at all is the cache's own business: here it is what reaches the hub."""
    seen = []
    query = gateway.hub.query

    async def noted(request, **options):
        seen.append((request.enable_cache, request.cache_match, request.feature_name))
        return await query(request, **options)

    gateway.hub.query = noted
    await gateway.chat()
    await gateway.chat(headers={"X-Catalyst-Cache": "semantic", "X-Catalyst-Feature": "desk"})
    await gateway.chat(headers={"X-Catalyst-Cache": "off"})
    await gateway.chat(headers={"Cache-Control": "no-cache"})
    assert seen == [
        (True, "exact", "gateway"),
        (True, "semantic", "gateway.desk"),
        (False, None, "gateway"),
        (False, "exact", "gateway"),
    ]
    assert (await gateway.chat(headers={"X-Catalyst-Cache": "maybe"}))[0] == 400


async def test_unknown_paths_are_404_in_the_vendors_shape(gateway):
    async with gateway.post("/v1/responses", json={}) as answer:
        assert (answer.status, (await answer.json())["error"]["type"]) == (404, "invalid_request_error")


async def test_health_is_open_and_metrics_ask_for_the_key(gateway):
    await gateway.chat()
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{gateway.url}/health/ready") as answer:
            assert answer.status == 200
        async with session.get(f"{gateway.url}/metrics") as answer:
            assert answer.status == 401
        async with session.get(f"{gateway.url}/metrics", headers={"X-API-Key": gateway.key}) as answer:
            assert 'catalyst_gateway_requests_total{status="200",surface="openai"} 1.0' in await answer.text()


async def _known(gateway, secret: str) -> None:
    """Wait until the service has seen a new key."""
    async with asyncio.timeout(5):
        while (await gateway.chat(headers={"Authorization": f"Bearer {secret}"}))[0] == 401:
            await asyncio.sleep(0.05)


async def _until(true) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)
