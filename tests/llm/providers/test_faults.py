"""What every dialect makes of failures: statuses, waits, bad bodies, broken connections."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from catalyst.clock import SimClock
from catalyst.errors import (
    LLMAuthenticationError,
    LLMBadResponseError,
    LLMContextError,
    LLMModelError,
    LLMRateLimitError,
    LLMRefusedError,
    LLMServerError,
    LLMTimeoutError,
    ProviderError,
)
from catalyst.http import Http
from catalyst.llm.providers import PROVIDERS, make_provider
from catalyst.llm.types import Usage
from tests.fakes.plugin import Wire
from tests.llm.providers.conftest import DIALECTS, MODELS, VENDORS, Bound, broken, call, failed


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, ProviderError, False),
        (401, LLMAuthenticationError, False),
        (402, LLMAuthenticationError, False),
        (403, LLMAuthenticationError, False),
        (404, LLMModelError, False),
        (413, LLMContextError, False),
        (422, ProviderError, False),
        (429, LLMRateLimitError, True),
        (500, LLMServerError, True),
        (502, LLMServerError, True),
        (503, LLMServerError, True),
        (504, LLMTimeoutError, True),
        (529, LLMRateLimitError, True),
    ],
)
async def test_a_status_means_the_same_everywhere(
    name: str, status: int, kind: type, retryable: bool, wire: Wire, provider: Bound
):
    wire[name].answers(status, times=2, message="Things are as they are.")
    error = await failed(provider(name), call(name))
    assert (type(error), error.status, error.retryable) == (kind, status, retryable)
    assert (error.provider, error.model) == (name, MODELS[name])
    assert "Things are as they are." in str(error)
    _, error = await broken(provider(name), call(name))
    assert (type(error), error.status) == (kind, status)


@pytest.mark.parametrize(
    ("name", "status", "body", "kind"),
    [
        ("openai", 400, {"error": {"message": "x", "code": "context_length_exceeded"}}, LLMContextError),
        ("openai", 400, {"error": {"message": "x", "code": "content_policy_violation"}}, LLMRefusedError),
        ("openai", 403, {"error": {"message": "x", "code": "model_not_found"}}, LLMModelError),
        ("deepseek", 400, {"error": {"message": "This model's maximum context length is 65536"}}, LLMContextError),
        ("deepseek", 400, {"error": {"message": "Model Not Exist"}}, LLMModelError),
        ("openrouter", 403, {"error": {"code": 403, "message": "requires moderation on X. flagged"}}, LLMRefusedError),
        ("ollama", 404, {"error": {"message": "model 'x' not found", "type": "api_error"}}, LLMModelError),
        ("ollama", 404, {"error": "model 'x' not found"}, LLMModelError),
        ("anthropic", 400, {"error": {"type": "x", "message": "prompt is too long: 9 > 8"}}, LLMContextError),
        ("anthropic", 400, {"error": {"type": "billing_error", "message": "no credit"}}, LLMAuthenticationError),
        ("gemini", 400, {"error": {"message": "The input token count (9) exceeds"}}, LLMContextError),
        ("gemini", 400, {"error": {"details": [{"reason": "API_KEY_INVALID"}]}}, LLMAuthenticationError),
        ("openai", 503, {"detail": "down"}, LLMServerError),
        ("openai", 418, ["teapot"], ProviderError),
    ],
)
async def test_the_vendors_own_words_outrank_the_status(
    name: str, status: int, body: Any, kind: type, wire: Wire, provider: Bound
):
    wire[name].answers(status, json=body)
    assert type(await failed(provider(name), call(name))) is kind


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("openai", {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}),
        ("gemini", {"error": {"details": [{"violations": [{"quotaId": "RequestsPerDayPerProject-FreeTier"}]}]}}),
    ],
)
async def test_spent_credit_is_a_limit_that_waiting_does_not_lift(name: str, body: Any, wire: Wire, provider: Bound):
    wire[name].answers(429, json=body)
    error = await failed(provider(name), call(name))
    assert type(error) is LLMRateLimitError
    assert not error.retryable


DATE = "Fri, 12 Dec 2025 14:00:00 GMT"
WAITS = [
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": "0.25"}, 0.25),
    ({"retry-after": "0"}, 0.0),
    ({"retry-after": "-3"}, 0.0),
    ({"retry-after": "1e999"}, 86_400.0),
    ({"retry-after": "nan"}, None),
    ({"retry-after": "soon"}, None),
    ({"retry-after": "Fri, 12 Dec 2025 14:00:30 GMT", "date": DATE}, 30.0),
    ({"retry-after": "Fri, 12 Dec 2025 13:59:00 GMT", "date": DATE}, 0.0),
    ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
    ({"retry-after": "6m0s"}, 360.0),
    ({"x-ratelimit-reset-requests": "1m6.5s", "x-ratelimit-remaining-requests": "0"}, 66.5),
    ({"x-ratelimit-reset-tokens": "20ms", "x-ratelimit-remaining-tokens": "0"}, 0.02),
    ({"x-ratelimit-reset-tokens": "20ms", "x-ratelimit-remaining-tokens": "900"}, None),
    ({"x-ratelimit-reset": "1765548060000", "date": DATE}, 60.0),
    ({"x-ratelimit-reset": "1765548060", "date": DATE}, 60.0),
    (
        {
            "anthropic-ratelimit-requests-reset": "2025-12-12T14:00:12Z",
            "anthropic-ratelimit-requests-remaining": "0",
            "date": DATE,
        },
        12.0,
    ),
]


@pytest.mark.parametrize(("headers", "after"), WAITS, ids=[str(headers) for headers, _ in WAITS])
async def test_429_keeps_the_delay_the_server_asked_for(
    headers: dict[str, str], after: float | None, wire: Wire, provider: Bound
):
    wire.openai.answers(429, headers=headers)
    error = await failed(provider("openai"), call("openai"))
    assert error.after == (pytest.approx(after) if after is not None else None)


async def test_the_delay_is_found_in_the_body_too(wire: Wire, provider: Bound):
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}
    wire.gemini.answers(429, json={"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [info]}})
    assert (await failed(provider("gemini"), call("gemini"))).after == pytest.approx(34.07)
    inner = {"headers": {"X-RateLimit-Reset": "5"}}
    wire.openrouter.answers(429, json={"error": {"code": 429, "message": "slow down", "metadata": inner}})
    assert (await failed(provider("openrouter"), call("openrouter"))).after == 5


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("raw", [b'{"choices": [{"mess', b"", b"<html>hi</html>", b"[]", b'"text"', b"\xff\xfe"])
async def test_an_answer_that_is_no_json_object_is_a_bad_response(name: str, raw: bytes, wire: Wire, provider: Bound):
    wire[name].answers(raw=raw)
    assert type(await failed(provider(name), call(name))) is LLMBadResponseError


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": [], "content": None, "candidates": []},
        {"choices": [{}], "content": "text", "candidates": [{}]},
        {"choices": [{"message": None}], "content": 5, "candidates": {"0": 1}},
        {"choices": [None], "candidates": [None]},
    ],
)
async def test_an_answer_without_a_choice_is_a_bad_response(name: str, body: Any, wire: Wire, provider: Bound):
    wire[name].answers(json=body)
    assert type(await failed(provider(name), call(name))) is LLMBadResponseError


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("openai", {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}),
        ("openai", {"choices": [{}], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}),
        ("anthropic", {"usage": {"input_tokens": 9, "output_tokens": 2}}),
        ("gemini", {"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 2}}),
    ],
)
async def test_a_bad_response_keeps_the_usage_it_is_billed_for(name: str, body: Any, wire: Wire, provider: Bound):
    wire[name].answers(json=body)
    assert (await failed(provider(name), call(name))).usage == Usage(9, 2)


@pytest.mark.parametrize("raw", [b"nothing to parse", b'{"error": {"message": 5, "code": {}}}', b'{"error": []}'])
@pytest.mark.parametrize("name", DIALECTS)
async def test_an_error_body_of_any_shape_leaves_the_status_to_speak(
    name: str, raw: bytes, wire: Wire, provider: Bound
):
    wire[name].answers(503, raw=raw)
    assert type(await failed(provider(name), call(name))) is LLMServerError


async def test_an_error_inside_a_good_answer_is_an_error(wire: Wire, provider: Bound):
    wire.openrouter.answers(json={"error": {"code": 429, "message": "upstream is busy"}})
    assert type(await failed(provider("openrouter"), call("openrouter"))) is LLMRateLimitError
    failed_choice = {"error": {"code": 502, "message": "upstream died"}, "message": {"content": "Hal"}}
    wire.openrouter.answers(json={"choices": [failed_choice]})
    error = await failed(provider("openrouter"), call("openrouter"))
    assert (type(error), error.status) == (LLMServerError, 502)


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_redirect_is_not_followed_with_a_key(name: str, wire: Wire, provider: Bound):
    wire[name].answers(307, headers={"location": wire.ollama.url + "/chat/completions"})
    error = await failed(provider(name), call(name))
    assert (type(error), error.status) == (ProviderError, 307)
    assert wire.ollama.requests == []


@pytest.mark.parametrize("name", VENDORS)
async def test_a_reset_connection_is_the_servers_fault(name: str, wire: Wire, provider: Bound):
    wire[name].answers(reset=True, times=2)
    assert type(await failed(provider(name), call(name))) is LLMServerError
    assert type((await broken(provider(name), call(name)))[1]) is LLMServerError


async def test_a_kept_connection_that_the_server_closed_is_replaced(wire: Wire, provider: Bound):
    wire.openai.says("One.", close_after=True)
    first = await provider("openai").complete(call("openai"))
    await asyncio.sleep(0.1)  # until its FIN is here
    second = await provider("openai").complete(call("openai"))
    assert (first.text, second.finish_reason) == ("One.", "stop")
    assert len(wire.openai.connections) == 2


@pytest.mark.parametrize("name", DIALECTS)
async def test_no_server_at_all_is_the_servers_fault(name: str, http: Http):
    provider = make_provider(PROVIDERS[name], http, "k", "http://127.0.0.1:1")
    assert type(await failed(provider, call(name))) is LLMServerError


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_server_that_never_answers_times_out_on_our_clock(name: str, wire: Wire):
    wire[name].answers(hang=True, times=2)
    async with Http(SimClock(datetime(2025, 12, 12, tzinfo=UTC), speed=100)) as http:
        provider = make_provider(PROVIDERS[name], http, wire[name].key, wire[name].url)
        assert type(await failed(provider, call(name, timeout_seconds=20))) is LLMTimeoutError
        assert type((await broken(provider, call(name, timeout_seconds=20)))[1]) is LLMTimeoutError


async def test_a_slow_first_byte_within_the_time_is_an_answer(wire: Wire, provider: Bound):
    wire.openai.says("Late.", delay=0.1)
    assert (await provider("openai").complete(call("openai", timeout_seconds=5))).text == "Late."


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_cancelled_answer_closes_its_connection(name: str, wire: Wire, provider: Bound):
    wire[name].answers(hang=True)
    task = asyncio.create_task(provider(name).complete(call(name)))
    while not wire[name].requests:
        await asyncio.sleep(0.002)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while not wire[name].hung_up:
        await asyncio.sleep(0.002)
