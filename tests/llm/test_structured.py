"""JSON is found where models put it, and checked against what was asked."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.errors import LLMValidationError
from catalyst.llm import LLMRequest
from catalyst.llm.structured import Mismatch, find_json, parse, schema_of

SCHEMA = {
    "type": "object",
    "properties": {
        "label": {"type": "string", "enum": ["up", "down"]},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
        "count": {"type": "integer"},
    },
    "required": ["label"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '\ufeff {"a": 1}\n',
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}',
        'Here you are:\n```JSON\n{"a": 1}\n```\nAnything else?',
        'The set {x | x > 0} is open; the answer is {"a": 1}, I think.',
        '<think>{not json}</think>{"a": 1}',
    ],
)
def test_json_is_found_alone_in_a_fence_and_in_prose(text):
    assert find_json(text) == {"a": 1}


@pytest.mark.parametrize("text", ["", "no", "{", '{"a": NaN}', "```json\n```", "{'a': 1}"])
def test_what_is_no_json_is_a_mismatch(text):
    with pytest.raises(Mismatch):
        find_json(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"facts": [{"name": "a"}, {"name": "b"',
        '```json\n{"facts": [{"name": "a"}, {"name": "b"',
        'Here: {"a": {"b": 1}, "c": oops, "d": {"e": 2}}',
        '[{"a": 1}, {"a": 2',
        "[[1], [2",
    ],
)
def test_a_part_of_an_answer_that_broke_off_is_not_the_answer(text):
    with pytest.raises(Mismatch):
        find_json(text)


def test_a_number_beyond_every_number_is_no_json():
    with pytest.raises(Mismatch):
        find_json('{"amount": 1e999}')


def test_hostile_text_takes_no_time():
    began = time.process_time()
    for text in ("{" * 200_000, "[" * 200_000, '{"a":' * 50_000, "```" * 100_000):
        with pytest.raises(Mismatch):
            find_json(text)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"label": "up", "score": 0.5, "tags": ["a"], "count": 3.0}', ""),
        ("{}", "label is missing"),
        ('{"label": "sideways"}', "none of"),
        ('{"label": "up", "score": 2}', "out of bounds"),
        ('{"label": "up", "score": "high"}', "not of type number"),
        ('{"label": "up", "count": true}', "not of type integer"),
        ('{"label": "up", "tags": ["long"]}', "wrong length"),
        ('{"label": "up", "more": 1}', "not in the schema"),
        ("[1]", "not of type object"),
    ],
)
def test_a_plain_schema_is_checked(text, fault):
    request = LLMRequest(prompt="x", output_format="json", output_schema=SCHEMA)
    if not fault:
        assert parse(request, SCHEMA, text)["label"] == "up"
        return
    with pytest.raises(Mismatch, match=fault):
        parse(request, SCHEMA, text)


def test_a_schema_of_the_wrong_kind_is_the_callers_fault():
    with pytest.raises(LLMValidationError):
        schema_of(LLMRequest(prompt="x", output_format="json", output_schema="nonsense"))
    assert schema_of(LLMRequest(prompt="x")) is None
    assert schema_of(LLMRequest(prompt="x", output_format="json")) == {}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=9))
def test_any_json_list_survives_a_fence(value):
    import json

    assert find_json(f"Sure.\n```json\n{json.dumps([value])}\n```") == [value]
