"""Aliases and variants: what runs is said in one file, and a key keeps its variant for ever."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.errors import LLMValidationError, SettingsError
from catalyst.llm.prompts import PromptRegistry, read_labels, read_prompt
from catalyst.llm.prompts.labels import drawn
from tests.llm.prompts.test_registry import TEXT, registry

SHIPPED = PromptRegistry.load()


def versions(*names: str) -> list[str]:
    return [TEXT.replace("version: v1", f"version: {name}").replace("Be kind.", f"Be {name}.") for name in names]


def folder(tmp_path, labels: str = "", *names: str):
    for name, text in zip(names, versions(*names), strict=True):
        (tmp_path / f"greet.{name}.prompt").write_text(text)
    if labels:
        (tmp_path / "prompts.toml").write_text(labels)
    return tmp_path


def test_an_alias_moves_what_runs(tmp_path):
    known = PromptRegistry.load(folder(tmp_path, '[aliases.production]\n"test.greet" = "v1"', "v1", "v2"))
    assert known.get("test.greet").version == "v1"
    assert known.get("test.greet", "production").version == "v1"
    assert known.get("test.greet", "v2").version == "v2"


def test_an_alias_of_any_name_is_known_and_named_where_one_is_not(tmp_path):
    known = PromptRegistry.load(folder(tmp_path, '[aliases.trial]\n"test.greet" = "v1"', "v1", "v2"))
    assert known.get("test.greet", "trial").version == "v1"
    assert known.get("test.greet").version == "v2"
    with pytest.raises(LLMValidationError, match="there are v1, v2, production, trial"):
        known.get("test.greet", "staging")


def enrich(version: str, **changes: str) -> str:
    text = (SHIPPED.get("field.enrich").system).strip()
    front = "variables:\n  field: string\n  instruction: string\n  form: string\n"
    body = "{{ field }} {{ instruction }} {{ form }}"
    for old, new in changes.items():
        front, body = front.replace(old, new), body.replace(old, new)
    return f"---\nid: field.enrich\nversion: {version}\n{front}---\n[system]\n{text}\n[user]\n{body}\n"


def test_a_folder_adds_a_version_of_a_shipped_prompt_and_production_stays_until_it_says_so(tmp_path):
    (tmp_path / "enrich.prompt").write_text(enrich("v2"))
    known = PromptRegistry.load(tmp_path)
    assert known.versions("field.enrich") == ("v1", "v2")
    assert known.get("field.enrich").digest == SHIPPED.get("field.enrich").digest
    (tmp_path / "prompts.toml").write_text('[aliases.production]\n"field.enrich" = "v2"')
    assert PromptRegistry.load(tmp_path).get("field.enrich").version == "v2"


def test_a_folder_cannot_change_a_shipped_version(tmp_path):
    (tmp_path / "enrich.prompt").write_text(enrich("v1"))
    with pytest.raises(SettingsError, match=r"field\.enrich v1 is there twice"):
        PromptRegistry.load(tmp_path)


def test_a_new_version_of_a_shipped_prompt_takes_the_same_variables(tmp_path):
    (tmp_path / "enrich.prompt").write_text(enrich("v2", form="shape"))
    with pytest.raises(SettingsError, match="must take the same variables: field"):
        PromptRegistry.load(tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="PROMPTS_DIR"):
        PromptRegistry.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[aliases", "no TOML"),
        ("[alias.production]", "unknown tables: alias"),
        ("aliases = 3", "must hold tables"),
        ("[aliases]\nproduction = 'v1'", "must hold tables"),
        ("[aliases.production]\ntest.greet = 'v1'", "id in quotes"),
        ('[variants."test.greet"]\nv1 = -1', "weight of 0 or more"),
        ('[variants."test.greet"]\nv1 = true', "weight of 0 or more"),
        ('[variants."test.greet"]\nv1 = inf', "weight of 0 or more"),
        ('[variants."test.greet"]\nv1 = 0', "above 0"),
        ('[variants."test.greet"]\nv9 = 1', r"test\.greet v9"),
        ('[aliases.production]\n"test.other" = "v1"', r"test\.other v1"),
    ],
)
def test_labels_that_make_no_sense_say_why(tmp_path, text, said):
    with pytest.raises(SettingsError, match=said):
        PromptRegistry.load(folder(tmp_path, text, "v1"))


WEIGHTS = {"v1": 70.0, "v2": 30.0}


def test_variants_are_drawn_by_their_weights():
    counts = Counter(drawn("test.greet", WEIGHTS, f"customer-{number}") for number in range(10_000))
    assert 6_800 < counts["v1"] < 7_200


@given(st.text(max_size=50))
def test_a_key_keeps_its_variant_and_the_order_of_the_file_means_nothing(key):
    first = drawn("test.greet", WEIGHTS, key)
    assert drawn("test.greet", dict(reversed(WEIGHTS.items())), key) == first
    assert drawn("test.greet", {"v1": 7.0, "v2": 3.0}, key) == first


def test_a_new_variant_only_takes_keys_and_moves_none_between_the_others():
    keys = [str(number) for number in range(2_000)]
    before = {key: drawn("test.greet", WEIGHTS, key) for key in keys}
    after = {key: drawn("test.greet", WEIGHTS | {"v3": 20.0}, key) for key in keys}
    assert {key for key in keys if before[key] != after[key]} == {key for key in keys if after[key] == "v3"}


def test_a_variant_of_weight_zero_is_never_drawn():
    assert {drawn("test.greet", {"v1": 0.0, "v2": 1.0}, str(number)) for number in range(500)} == {"v2"}


def test_assignment_is_the_same_in_every_process(tmp_path):
    """Another interpreter, with another hash seed, draws the same 500."""
    place = folder(tmp_path, '[variants."test.greet"]\nv1 = 1\nv2 = 1', "v1", "v2")
    known = PromptRegistry.load(place)
    mine = [known.assign("test.greet", f"k{number}").version for number in range(500)]
    script = (
        "import sys; from pathlib import Path; from catalyst.llm.prompts import PromptRegistry\n"
        "known = PromptRegistry.load(Path(sys.argv[1]))\n"
        "print(*(known.assign('test.greet', f'k{n}').version for n in range(500)))"
    )
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(place)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "src"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == mine
    assert set(mine) == {"v1", "v2"}


def test_without_variants_everyone_gets_production():
    known = registry(*versions("v1", "v2"))
    assert known.assign("test.greet", "anyone").version == "v2"
    assert known.variants("test.greet") == {}


def test_labels_can_be_given_to_a_registry_of_ones_own():
    labels = read_labels('[variants."test.greet"]\nv1 = 1', "test")
    known = PromptRegistry([read_prompt(text, "x") for text in versions("v1", "v2")], labels)
    assert known.assign("test.greet", "anyone").version == "v1"


def test_another_version_of_a_prompt_makes_another_template_name():
    one, other = (registry(text).render("test.greet", name="a", count=1) for text in versions("v1", "v2"))
    assert one.request().template != other.request().template
    assert one.request().template == one.key
