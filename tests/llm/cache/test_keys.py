"""No two requests that differ in anything share a key, and the table says who may match by meaning."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from catalyst.llm.cache.keys import Plan, digest, plan
from catalyst.llm.cache.policy import Policy, policy_of
from catalyst.llm.job import Job, folded
from catalyst.llm.structured import schema_of
from catalyst.llm.types import LLMRequest, Message, Tool, ToolCall

UTC_ZONE = ZoneInfo("UTC")
CALL = ToolCall(id="1", name="a", arguments="")
NOW = datetime(2025, 12, 12, 14, tzinfo=UTC)


class Wide(BaseModel):
    value: int


class Same(BaseModel):
    value: int


def job(request: LLMRequest, *, complexity: str = "simple", now: datetime = NOW) -> Job:
    return Job(request, "1", folded(request), schema_of(request), 1, 1, 1, complexity, "", now, 1e9, 0, ())


def planned(request: LLMRequest, **about: Any) -> Plan:
    found = plan(job(request, **about), UTC_ZONE)
    assert found is not None
    return found


BASE: dict[str, Any] = {"prompt": "What was Apple's revenue in Q3 2022?", "tenant": "acme"}
CHANGES: list[dict[str, Any]] = [
    {"tenant": "globex"}, {"feature_name": "ask"}, {"system_prompt": "Be brief."}, {"template": "a.b@v1:00"},
    {"template": "a.b@v2:00"}, {"model": "cheap"}, {"model": "dear"}, {"temperature": 0.0}, {"temperature": 0.70001},
    {"max_tokens": 1023}, {"top_p": 0.5}, {"stop": ["x"]}, {"stop": ["x", "y"]}, {"stop": ["xy"]}, {"seed": 0},
    {"seed": 1}, {"documents": ["a"]}, {"documents": ["b"]}, {"documents": ["a", "b"]}, {"documents": ["ab"]},
    {"documents": ["b", "a"]}, {"output_format": "json"}, {"compress_prompt": True},
    {"output_format": "json", "output_schema": {"type": "object"}},
    {"output_format": "json", "output_schema": {"type": "array"}},
    {"output_format": "pydantic", "output_schema": Wide}, {"output_format": "pydantic", "output_schema": Same},
    {"tools": [Tool(name="a")]}, {"tools": [Tool(name="b")]}, {"tools": [Tool(name="a", description="b")]},
    {"tool_choice": "none"}, {"prompt": "What was Apple's revenue in Q3 2021?"},
    {"prompt": "", "messages": [Message(role="user", content=BASE["prompt"])]},
]  # fmt: skip


def test_whatever_shapes_the_answer_changes_the_key() -> None:
    keys = {planned(LLMRequest(**BASE | change)).key for change in [{}, *CHANGES]}
    assert len(keys) == len(CHANGES) + 1


def test_whatever_shapes_the_answer_but_the_question_changes_the_scope() -> None:
    scopes = {planned(LLMRequest(**BASE | change)).scope for change in [{}, *CHANGES] if "prompt" not in change}
    assert len(scopes) == len(CHANGES) - 1
    assert planned(LLMRequest(**BASE)).scope == planned(LLMRequest(**BASE | {"prompt": "Another?"})).scope


def test_what_does_not_shape_the_answer_changes_nothing() -> None:
    first = planned(LLMRequest(**BASE))
    for same in ({"priority": "low"}, {"request_id": "x"}, {"timeout_seconds": 5}, {"cache_ttl_seconds": 5}):
        assert planned(LLMRequest(**BASE | same)) == first


def test_the_complexity_tier_stands_for_the_model_where_none_is_pinned() -> None:
    request = LLMRequest(**BASE)
    assert planned(request).key != planned(request, complexity="complex").key
    pinned = LLMRequest(**BASE | {"model": "cheap"})
    assert planned(pinned).key == planned(pinned, complexity="complex").key
    assert planned(LLMRequest(**BASE | {"model": "simple"})).key != planned(request).key


def test_a_hundred_thousand_requests_never_share_a_key() -> None:
    """Seeded: every request is drawn anew; equal keys must come from equal requests, unequal ones never."""
    rng = random.Random(20251212)
    words = ["", "a", "b", "ab", "a\0b", "é", "1", "l1:", "n0:", "\ud800"]
    seen: dict[bytes, Any] = {}
    for _ in range(100_000):
        parts: Any = [
            rng.choice(words), rng.choice(words), [rng.choice(words) for _ in range(rng.randrange(3))],
            (rng.choice([0.0, 0.7, 1, True, None, "0.7"]), rng.choice([1, 10, 100, 1024, "1024"])),
            {rng.choice(words): rng.choice([1, "1", None, [], {}])}, rng.randrange(10**6),
        ]  # fmt: skip
        identity = repr(parts)
        assert seen.setdefault(digest(*parts), identity) == identity


_TEXTS = st.text(max_size=6)
_SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(_SHAPES, _SHAPES)
def test_two_values_share_a_hash_only_when_they_are_the_same(one: Any, two: Any) -> None:
    assert (digest(one) == digest(two)) == (repr(one) == repr(two))


@given(st.lists(_TEXTS, max_size=4), st.lists(_TEXTS, max_size=4))
def test_texts_are_never_run_together(one: list[str], two: list[str]) -> None:
    assert (digest(*one) == digest(*two)) == (one == two)


def test_what_has_no_type_to_hash_is_not_kept() -> None:
    request = LLMRequest(**BASE | {"output_format": "json", "output_schema": {"enum": [object()]}})
    assert plan(job(request), UTC_ZONE) is None


def test_a_plain_question_is_dated_for_it_may_say_today() -> None:
    tomorrow = NOW.replace(day=13)
    assert planned(LLMRequest(**BASE)).key != planned(LLMRequest(**BASE), now=tomorrow).key
    assert planned(LLMRequest(**BASE)).scope == planned(LLMRequest(**BASE), now=tomorrow).scope
    digest_of = LLMRequest(prompt="Read it.", documents=["a"], feature_name="filings")
    assert planned(digest_of).key == planned(digest_of, now=tomorrow).key


def test_two_filings_under_one_prompt_head_are_two() -> None:
    head = "Analyse this filing. " * 500
    one, two = (LLMRequest(prompt=head + tail, feature_name="filings") for tail in ("revenue 1", "revenue 2"))
    assert planned(one).key != planned(two).key
    assert not planned(one).by_meaning


@pytest.mark.parametrize(
    ("asked", "policy"),
    [
        ({}, Policy.SEMANTIC),
        ({"feature_name": "filings"}, Policy.EXACT),
        ({"feature_name": "enrich.roaster"}, Policy.EXACT),
        ({"feature_name": "headlines"}, Policy.HEADLINE),
        ({"feature_name": "writer"}, Policy.OFF),
        ({"template": "headline.classify@v1:00"}, Policy.HEADLINE),
        ({"template": "filing.analyze@v1:00"}, Policy.EXACT),
        ({"template": "email.followup@v1:00"}, Policy.OFF),
        ({"template": "reminder.email@v1:00"}, Policy.OFF),
        ({"template": "somebody.elses@v1:00"}, Policy.EXACT),
        ({"enable_cache": False}, Policy.OFF),
        ({"tools": [Tool(name="a")]}, Policy.EXACT),
        ({"prompt": "x" * 2_001}, Policy.EXACT),
    ],
)
def test_the_table_says_how_an_answer_may_be_used_again(asked: dict[str, Any], policy: Policy) -> None:
    assert policy_of(LLMRequest(**BASE | asked)) is policy


def test_chats_match_on_their_whole_history() -> None:
    def chat(*turns: tuple[Any, str]) -> LLMRequest:
        return LLMRequest(messages=[Message(role=role, content=text) for role, text in turns])

    one = chat(("user", "a"), ("assistant", "b"), ("user", "c"))
    assert policy_of(one) is Policy.EXACT
    assert policy_of(chat(("system", "s"), ("user", "c"))) is Policy.SEMANTIC
    others = [
        chat(("user", "a"), ("assistant", "B"), ("user", "c")),
        chat(("user", "a"), ("user", "b"), ("user", "c")),
        chat(("user", "ab"), ("assistant", ""), ("user", "c")),
        chat(("user", "c")),
        LLMRequest(messages=[*one.messages, Message(role="tool", tool_call_id="1")]),
        LLMRequest(messages=[*one.messages, Message(role="assistant", tool_calls=[CALL])]),
    ]  # fmt: skip
    assert len({planned(request).key for request in [one, *others]}) == 7


def test_an_empty_question_is_not_planned() -> None:
    assert plan(job(LLMRequest.model_construct(prompt="", messages=[], enable_cache=True)), UTC_ZONE) is None


@pytest.mark.slow
def test_ten_thousand_scopes_of_one_question_are_all_different() -> None:
    """Every combination of tenant, document, parameter, schema and version: no level can cross from one to another."""
    schemas = [None, {}, {"type": "object"}, {"type": "object", "properties": {"a": {}}}, {"enum": ["a", "b"]}]
    ways = itertools.product(
        [f"tenant {number}" for number in range(5)],
        [[], [""], ["a"], ["b"], ["a", "b"], ["ab"], ["b", "a"], ["a", ""], ["", "a"], ["a\n"]],
        [0.0, 0.7],
        schemas,
        ["", "t@v1:00", "t@v2:00", "t@v2:01", "t@v11:0"],
        [None, "simple"],
        ["", "Be brief."],
    )
    keys, scopes, templates, count = set(), set(), set(), 0
    for tenant, documents, temperature, schema, template, model, system in ways:
        request = LLMRequest.model_construct(
            prompt=BASE["prompt"], tenant=tenant, documents=documents, temperature=temperature, template=template,
            output_format="text" if schema is None else "json", output_schema=schema, model=model, system_prompt=system,
        )  # fmt: skip
        found = planned(request)
        keys.add(found.key)
        scopes.add(found.scope)
        templates.add(found.template)
        count += 1
    assert count == 10_000
    assert (len(keys), len(scopes)) == (count, count)
    assert len(templates) == 5 * 5 * 5 * 2
