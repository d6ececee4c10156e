"""What a prompt's body may use, and that filling one in ends soon."""

from __future__ import annotations

import pytest

from catalyst.errors import LLMValidationError, SettingsError
from tests.llm.prompts.test_registry import TEXT, registry

LISTS = TEXT.replace("name: {type: string}", "name: list").replace(
    "{{ name }}", "{% for n in name %}{{ n }},{% endfor %}"
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{ name * 1000000000 }}", "Mul"),
        ("{{ name ** 9 }}", "Pow"),
        ("{{ '%99999999d' % 1 }}", "Mod"),
        ("{{ name.ljust(1000000000) }}", "Call"),
        ("{% for x in range(99999) %}x{% endfor %}", "Call"),
        ("{{ name|center(99999999) }}", "filter center"),
        ("{{ name|attr('x') }}", "filter attr"),
        ("{% macro m() %}{% endmacro %}", "Macro"),
        ("{% include 'x' %}", "Include"),
        ("{% set x = 1 %}", "Assign"),
        ("{% for x in name recursive %}{{ x }}{% endfor %}", "calls itself"),
        ("{% for a in name %}{% for b in name %}{% for c in name %}{% endfor %}{% endfor %}{% endfor %}", "2 loops"),
        ("{% if name is divisibleby 2 %}{% endif %}", "test divisibleby"),
    ],
)
def test_what_could_run_long_is_refused_when_the_prompt_is_read(body, said):
    with pytest.raises(SettingsError, match=said):
        registry(TEXT.replace("Be kind.", body))


def test_conditions_loops_and_filters_work():
    said = "{{ loop.index }} {{ n | upper }}{% if not loop.last %}; {% endif %}"
    body = "{% for n in name if n %}" + said + "{% else %}none{% endfor %}"
    text = LISTS.replace("Be kind.", body)
    assert registry(text).render("test.greet", name=["a", "", "b"], count=1).system == "1 A; 2 B"
    assert registry(text).render("test.greet", name=[], count=1).system == "none"


def test_a_field_that_is_missing_inside_a_value_is_an_error():
    text = TEXT.replace("name: {type: string}", "name: object").replace("{{ name }}", "{{ name.first }}")
    assert registry(text).render("test.greet", name={"first": "Ann"}, count=1).user == "Greet Ann 1 times."
    for body in ("{{ name.first }}", "{{ name.first | json }}"):
        with pytest.raises(LLMValidationError, match="first"):
            registry(text.replace("{{ name.first }}", body)).render("test.greet", name={}, count=1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (["x" * 1_000] * 2_001, "2,001 items"),
        (["x" * 2_000] * 2_000, "longer than"),
        ([{"a": list(range(2_001))}], "items"),
    ],
)
def test_too_much_is_refused(value, said):
    with pytest.raises(LLMValidationError, match=said):
        registry(LISTS).render("test.greet", name=value, count=1)


def test_a_value_that_nests_without_end_is_refused():
    nested: list = []
    nested.append(nested)
    with pytest.raises(LLMValidationError, match="nests deeper"):
        registry(LISTS).render("test.greet", name=nested, count=1)


def test_json_keeps_any_script_and_no_tag():
    text = TEXT.replace("{{ name }}", "{{ name | json }}")
    assert registry(text).render("test.greet", name="</x> Straße 東京", count=1).user == (
        'Greet "\\u003c/x\\u003e Straße 東京" 1 times.'
    )
