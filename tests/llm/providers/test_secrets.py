"""A key stands in no error, no traceback, no log and no repr."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from catalyst.errors import (
    LLMAuthenticationError,
)
from catalyst.http import Http
from catalyst.llm.providers import PROVIDERS, make_provider
from tests.fakes.plugin import Wire
from tests.llm.providers.conftest import DIALECTS, broken, call, failed

CANARY = "sk-canary-5e1f0c9d7a3b"
LEAKS: list[dict[str, Any]] = [
    {"status": 401, "message": f"Incorrect API key provided: {CANARY}"},
    {"status": 429, "message": f"Bearer {CANARY} is over its limit"},
    {"status": 500, "raw": f"<html>{CANARY}</html>".encode()},
    {"status": 400, "message": "x" * 290 + CANARY},
    {"json": {"error": {"message": f"{CANARY} failed"}}},
    {"raw": f'{{"broken {CANARY}'.encode()},
    {"reset": True},
    {"status": 302, "headers": {"location": f"http://127.0.0.1:1/?key={CANARY}"}},
    {"raw": f"data: {{{CANARY}\n\n".encode(), "headers": {"content-type": "text/event-stream"}},
]


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("leak", LEAKS, ids=[str(number) for number in range(len(LEAKS))])
async def test_the_key_stands_in_no_error_no_traceback_and_no_repr(
    name: str, leak: dict[str, Any], wire: Wire, http: Http, caplog: pytest.LogCaptureFixture
):
    wire[name].vendor.key = CANARY
    wire[name].answers(**{"status": 200, "times": 2, **leak})
    provider = make_provider(PROVIDERS[name], http, CANARY, wire[name].url)
    seen = [repr(provider), str(provider), str(vars(provider))]
    errors = [await failed(provider, call(name)), (await broken(provider, call(name)))[1]]
    for error in errors:
        seen += [str(error), repr(error), *traceback.format_exception(error), str(vars(error))]
    assert wire[name].requests
    assert "canary" not in "".join(seen) + caplog.text
    assert all(len(str(error)) < 600 for error in errors)


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_wrong_key_is_an_authentication_error_that_does_not_repeat_it(name: str, wire: Wire, http: Http):
    provider = make_provider(PROVIDERS[name], http, CANARY, wire[name].url)
    error = await failed(provider, call(name))  # every fake repeats the key it was given, as some vendors do
    assert type(error) is LLMAuthenticationError
    assert "canary" not in str(error)
