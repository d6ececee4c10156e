"""Prompts as files: strict about variables, immutable by version, and values stay data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.errors import LLMValidationError, SettingsError
from catalyst.llm.prompts import PromptRegistry, read_prompt

TEXT = """---
id: test.greet
version: v1
description: Says hello.
tier: simple
temperature: 0.2
max_tokens: 50
variables:
  name: {type: string}
  count: integer
---
[system]
Be kind.
[user]
Greet {{ name }} {{ count }} times.
"""


def registry(*texts: str) -> PromptRegistry:
    return PromptRegistry(read_prompt(text, "test.prompt") for text in texts)


def test_a_prompt_is_filled_in() -> None:
    told = registry(TEXT).render("test.greet", name="Ann", count=2)
    assert (told.system, told.user) == ("Be kind.", "Greet Ann 2 times.")
    assert (told.settings.tier, told.settings.temperature, told.settings.max_tokens) == ("simple", 0.2, 50)
    assert told.settings.output_schema is None
    assert told.key.startswith("test.greet@v1:")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"name": "Ann"}, "needs count"),
        ({"name": "Ann", "count": 1, "mood": "x"}, "does not know mood"),
        ({"name": 5, "count": 1}, "name must be a string"),
        ({"name": "Ann", "count": "1"}, "count must be a integer"),
        ({"name": "Ann", "count": True}, "count must be a integer"),
    ],
)
def test_a_missing_unknown_or_mistyped_variable_is_an_error(variables: dict[str, Any], said: str) -> None:
    with pytest.raises(LLMValidationError, match=said):
        registry(TEXT).render("test.greet", **variables)


@given(st.text(max_size=200))
def test_a_value_is_data_whatever_it_holds(value: str) -> None:
    told = registry(TEXT).render("test.greet", name=f"<{value}>", count=1)
    assert told.user == f"Greet <{value}> 1 times."


@pytest.mark.parametrize(
    "value", ["{{ count }}", "{% for x in y %}", "{# note #}", "{{ 7 * 7 }}", "{{ ''.__class__ }}"]
)
def test_template_marks_in_a_value_are_not_read(value: str) -> None:
    assert value in registry(TEXT).render("test.greet", name=value, count=1).user


def test_the_newest_version_is_the_default_and_others_are_kept() -> None:
    known = registry(TEXT, TEXT.replace("v1", "v2"), TEXT.replace("v1", "v10"))
    assert known.versions("test.greet") == ("v1", "v2", "v10")
    assert known.get("test.greet").version == "v10"
    assert known.get("test.greet", "v2").version == "v2"


def test_a_version_is_immutable() -> None:
    with pytest.raises(SettingsError, match="different texts"):
        registry(TEXT, TEXT.replace("kind", "rude"))
    assert registry(TEXT, TEXT).versions("test.greet") == ("v1",)


def test_an_unknown_prompt_or_version_names_those_there_are() -> None:
    with pytest.raises(LLMValidationError, match=r"there are test\.greet"):
        registry(TEXT).get("test.nothing")
    with pytest.raises(LLMValidationError, match="there are v1"):
        registry(TEXT).get("test.greet", "v9")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("---\nid", "id"), "front matter between"),
        (("[user]", "[other]"), r"\[user\] part"),
        (("id: test.greet", "id: Greet"), "needs an id"),
        (("version: v1", "version: 1"), "needs an id"),
        (("tier: simple", "tier: huge"), "tier must be"),
        (("temperature: 0.2", "temperature: hot"), "temperature must be"),
        (("max_tokens: 50", "max_tokens: 0"), "max_tokens must be"),
        (("count: integer", "count: whole"), "without a known type"),
        (("description:", "descriptoin:"), "unknown keys: descriptoin"),
        (("{{ count }}", "some"), "differ in: count"),
        (("{{ count }}", "{{ count }} {{ more }}"), "differ in: more"),
        (("{{ count }}", "{{ count"), "no template"),
        (("variables:", "variables: 5\nx:"), "no YAML|unknown keys"),
        (("id: test.greet", "id: [test"), "no YAML"),
    ],
)
def test_a_file_that_is_no_prompt_says_why(change: tuple[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_prompt(TEXT.replace(*change), "test.prompt")


def test_the_body_cannot_reach_out_of_the_sandbox() -> None:
    text = TEXT.replace("Be kind.", "{{ name.__class__.__mro__ }}")
    with pytest.raises(LLMValidationError, match="cannot be filled in"):
        registry(text).render("test.greet", name="x", count=1)


def test_a_folder_adds_its_prompts_to_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "greet.prompt").write_text(TEXT)
    known = PromptRegistry.load(tmp_path)
    assert {"test.greet", "filing.analyze"} <= set(known.ids())


def test_a_file_that_is_too_large_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.prompt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        PromptRegistry.load(tmp_path)
    (tmp_path / "a.prompt").write_bytes(b"x" * 300_000)
    with pytest.raises(SettingsError, match="larger than"):
        PromptRegistry.load(tmp_path)


def test_every_shipped_prompt_loads_and_says_the_filing_is_untrusted() -> None:
    told = PromptRegistry.load().render("filing.analyze", version="v1", form="8-K", company="Acme", fence="F-1")
    assert 'two lines "F-1"' in told.system
    assert "untrusted" in told.system
    assert "{{" not in told.system + told.user
    assert told.settings.output_schema is not None
