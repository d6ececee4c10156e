"""The pure parts: schemas, waits, rows and addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from catalyst.errors import LLMValidationError, SettingsError
from catalyst.http import Http
from catalyst.llm.providers import PROVIDERS, make_provider
from catalyst.llm.providers.schema import anthropic_native, openai_strict
from catalyst.llm.providers.waits import LONGEST, wait_asked

NOW = datetime(2025, 12, 12, 14, tzinfo=UTC)


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset", "date", "x-ratelimit-reset-tokens"]),
        st.text(max_size=30) | st.floats().map(str) | st.integers().map(str),
    ),
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "details", "retryDelay"]), inner),
    ),
)
def test_any_headers_and_body_give_a_bounded_wait_or_none(headers: dict[str, str], body: Any):
    wait = wait_asked(CIMultiDict(headers), body if isinstance(body, dict) else None, NOW)
    assert wait is None or 0 <= wait <= LONGEST


def test_an_http_date_counts_from_the_answers_own_date_or_else_from_our_clock():
    asked = CIMultiDict({"Retry-After": "Fri, 12 Dec 2025 14:01:00 GMT"})
    assert wait_asked(asked, None, NOW) == 60
    asked["Date"] = "Fri, 12 Dec 2025 14:00:50 GMT"
    assert wait_asked(asked, None, NOW) == 10


STRICT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "x", "description": "d"},
        "inner": {"$ref": "#/$defs/Inner", "description": "one"},
        "many": {"type": "array", "items": {"$ref": "#/$defs/Inner"}},
        "either": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Inner"}], "default": None},
        "all": {"allOf": [{"$ref": "#/$defs/Inner"}]},
    },
    "required": ["name"],
    "$defs": {"Inner": {"type": "object", "properties": {"n": {"type": "integer"}}}},
}


def test_a_strict_schema_closes_every_object_and_requires_all():
    schema, strict = openai_strict(STRICT)
    inner: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    inner |= {"additionalProperties": False}
    assert strict
    assert schema["required"] == ["name", "inner", "many", "either", "all"]
    assert schema["properties"]["name"] == {"type": "string", "description": "d"}
    assert schema["properties"]["inner"] == {"description": "one", **inner}
    assert schema["$defs"]["Inner"] == inner
    assert schema["properties"]["all"] == {"$ref": "#/$defs/Inner"}
    assert STRICT["required"] == ["name"], "the caller's schema is untouched"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {}},
        {"type": "object"},
        {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": True}}},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "null"}]}}},
    ],
)
def test_a_schema_that_cannot_be_closed_is_left_alone(schema: dict[str, Any]):
    assert openai_strict(schema) == (schema, False)


def test_a_reference_to_nothing_or_to_itself_is_refused():
    nowhere = {"type": "object", "properties": {"a": {"$ref": "#/$defs/No", "description": "x"}}}
    with pytest.raises(LLMValidationError, match="does not hold"):
        openai_strict(nowhere)
    looped = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A", "description": "x"}},
        "$defs": {"A": {"$ref": "#/$defs/A", "description": "y"}},
    }
    with pytest.raises(LLMValidationError, match="without end"):
        openai_strict(looped)


def test_bounds_that_claude_is_not_held_to_are_told_in_words():
    schema = {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."}
    native = anthropic_native(schema)
    assert native == {"type": "integer", "description": "How many.\n\n{minimum: 1, maximum: 9}"}
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    with pytest.raises(LLMValidationError, match="deeply"):
        anthropic_native(deep)


@pytest.mark.parametrize(
    ("name", "given", "base"),
    [
        ("openai", None, "https://api.openai.com/v1"),
        ("openai", "http://h:1/v1/chat/completions?x=1#y", "http://h:1/v1"),
        ("ollama", "http://h:11434/api/generate", "http://h:11434/v1"),
        ("ollama", "http://h:11434/", "http://h:11434/v1"),
        ("ollama", "http://h:11434/v1/", "http://h:11434/v1"),
        ("anthropic", None, "https://api.anthropic.com/v1"),
        ("anthropic", "http://h/proxy/v1/messages", "http://h/proxy/v1"),
        ("gemini", None, "https://generativelanguage.googleapis.com/v1"),
        ("gemini", "https://h/v1beta", "https://h/v1beta"),
        ("deepseek", None, "https://api.deepseek.com/"),
        ("custom", " https://h/openai ", "https://h/openai"),
    ],
)
def test_an_address_is_brought_to_its_base(name: str, given: str | None, base: str):
    assert str(PROVIDERS[name].base(given)) == base


@pytest.mark.parametrize(
    "wrong", ["", "ftp://h/v1", "h/v1", "http://", "/v1", "http://u:secret@h/v1", "http://h:port/v1", "file:///etc"]
)
def test_a_wrong_address_is_a_setting_to_correct_and_is_not_repeated(wrong: str):
    with pytest.raises(SettingsError, match="CUSTOM_BASE_URL") as caught:
        PROVIDERS["custom"].base(wrong)
    assert "secret" not in str(caught.value)


async def test_a_key_is_trimmed_needed_and_never_repeated():
    async with Http() as http:
        assert make_provider(PROVIDERS["openai"], http, " sk-good-key\n").name == "openai"
        assert make_provider(PROVIDERS["ollama"], http, "").name == "ollama"
        with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
            make_provider(PROVIDERS["openai"], http, "")
        for wrong in ("sk-bad\r\nX-Evil: 1", "sk-bäd", "sk bad"):
            with pytest.raises(SettingsError, match="ANTHROPIC_API_KEY") as caught:
                make_provider(PROVIDERS["anthropic"], http, wrong)
            assert wrong not in str(caught.value)


def test_the_table_holds_every_vendor_once_with_names_for_its_settings():
    assert list(PROVIDERS) == ["openai", "deepseek", "openrouter", "ollama", "vllm", "custom", "anthropic", "gemini"]
    for name, row in PROVIDERS.items():
        assert row.name == name
        assert f"{name.upper()}_API_KEY" in row.key_env
        assert f"{name.upper()}_BASE_URL" in row.base_url_env
    assert "LLM_ENDPOINT_URL" in PROVIDERS["ollama"].base_url_env


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("gpt-4o-mini", "max_tokens"),
        ("gpt-4.1", "max_tokens"),
        ("gpt-5-chat-latest", "max_tokens"),
        ("ft:gpt-4o:acme", "max_tokens"),
        ("gpt-5.4-mini", "max_completion_tokens"),
        ("o4-mini", "max_completion_tokens"),
        ("gpt-7-unheard-of", "max_completion_tokens"),
    ],
)
def test_openai_models_are_told_apart_by_rules(model: str, field: str):
    rule = PROVIDERS["openai"].rule(model)
    assert rule.limit_field == field
    assert (rule.sampling == "none") == (field == "max_completion_tokens")
