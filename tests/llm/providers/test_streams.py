"""Streams that stall, break, lie or are left early, in every dialect."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from catalyst.clock import SimClock
from catalyst.errors import (
    LLMBadResponseError,
    LLMRateLimitError,
    LLMServerError,
    LLMTimeoutError,
)
from catalyst.http import Http
from catalyst.llm.providers import PROVIDERS, make_provider
from catalyst.llm.types import Completion, Delta, Usage
from tests.fakes.plugin import Wire
from tests.llm.providers.conftest import DIALECTS, LONG, VENDORS, Bound, broken, call


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_stream_that_stalls_times_out_and_keeps_what_came(name: str, wire: Wire):
    wire[name].says(LONG, stall_after=5)
    async with Http(SimClock(datetime(2025, 12, 12, tzinfo=UTC), speed=100)) as http:
        provider = make_provider(PROVIDERS[name], http, wire[name].key, wire[name].url)
        text, error = await broken(provider, call(name, timeout_seconds=20))
    assert type(error) is LLMTimeoutError
    assert text.startswith("One two ")
    assert not text.endswith("eight.")


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_slow_consumer_is_not_cancelled_by_the_deadline(name: str, wire: Wire):
    wire[name].says(LONG, stall_after=3)
    async with Http(SimClock(datetime(2025, 12, 12, tzinfo=UTC), speed=100)) as http:
        provider = make_provider(PROVIDERS[name], http, wire[name].key, wire[name].url)
        with pytest.raises(LLMTimeoutError):
            async for _ in provider.stream(call(name, timeout_seconds=5)):
                await asyncio.sleep(0.1)  # twice the deadline: the wait must end by itself


@pytest.mark.parametrize("name", VENDORS)
async def test_a_stream_cut_inside_a_chunk_says_how_much_came(name: str, wire: Wire, provider: Bound):
    wire[name].says(LONG, cut_after=5)
    text, error = await broken(provider(name), call(name))
    assert type(error) is LLMServerError
    assert text.startswith("One ")
    assert "eight" not in text


@pytest.mark.parametrize("name", VENDORS)
async def test_a_stream_that_ends_early_without_a_word_is_broken(name: str, wire: Wire, provider: Bound):
    head = b'data: {"choices":[{"delta":{"content":"Hal"}}],"candidates":[{"content":{"parts":[{"text":"Hal"}]}}],'
    head += b'"type":"content_block_delta","delta":{"type":"text_delta","text":"Hal"}}\n\n'
    wire[name].answers(raw=head, headers={"content-type": "text/event-stream"})
    text, error = await broken(provider(name), call(name))
    assert (text, type(error)) == ("Hal", LLMServerError)
    assert "after 3 characters" in str(error)


@pytest.mark.parametrize("name", VENDORS)
async def test_an_error_event_in_a_stream_is_an_error(name: str, wire: Wire, provider: Bound):
    wire[name].says(LONG, error_after=4)
    text, error = await broken(provider(name), call(name))
    assert text.startswith("One")
    assert error.retryable
    assert type(error) is (LLMRateLimitError if name == "anthropic" else LLMServerError)


@pytest.mark.parametrize("name", VENDORS)
async def test_an_end_mark_that_is_missing_does_no_harm(name: str, wire: Wire, provider: Bound):
    wire[name].says("Whole.", done=False)
    deltas = [delta async for delta in provider(name).stream(call(name))]
    assert deltas[-1] == Delta("", Usage(12, 5), "stop")


async def test_a_stream_that_breaks_after_its_end_is_whole(wire: Wire, provider: Bound):
    wire.openai.says("Whole.", cut_after=3)  # after the finish reason, before the usage
    deltas = [delta async for delta in provider("openai").stream(call("openai"))]
    assert "".join(delta.text for delta in deltas) == "Whole."
    assert deltas[-1] == Delta("", None, "stop")


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("raw", [b"data: {nonsense\n\n", b"data: [1]\n\n", b"data: " + b"x" * (5 << 20) + b"\n\n"])
async def test_an_event_that_is_no_json_object_is_a_bad_response(name: str, raw: bytes, wire: Wire, provider: Bound):
    wire[name].answers(raw=raw, headers={"content-type": "text/event-stream"})
    assert type((await broken(provider(name), call(name)))[1]) is LLMBadResponseError


async def test_a_server_that_does_not_stream_is_read_whole(wire: Wire, provider: Bound):
    message = {"role": "assistant", "content": "All at once."}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    wire.openai.answers(json=body)
    deltas = [delta async for delta in provider("openai").stream(call("openai"))]
    assert deltas == [Delta("All at once."), Delta("", Usage(3), "stop")]


@pytest.mark.parametrize("name", DIALECTS)
async def test_closing_the_iterator_closes_the_connection_at_once(name: str, wire: Wire, provider: Bound):
    wire[name].says(LONG, stall_after=4)
    stream: Any = provider(name).stream(call(name))
    assert (await anext(stream)).text
    began = time.monotonic()
    await stream.aclose()
    while not wire[name].hung_up and time.monotonic() < began + 5:
        await asyncio.sleep(0.002)
    assert time.monotonic() - began < 2  # the server stalls for good


@pytest.mark.parametrize("name", VENDORS)
async def test_a_stream_read_to_its_end_leaves_its_connection_for_the_next(name: str, wire: Wire, provider: Bound):
    for _ in range(3):
        assert [delta async for delta in provider(name).stream(call(name))]
    assert isinstance(await provider(name).complete(call(name)), Completion)
    assert len(wire[name].connections) == 1
