"""`catalyst classify` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.processes import environ, run


def piped(text: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "catalyst.app.cli", "classify", *arguments]
    return subprocess.run(command, input=text, cwd=cwd, env=environ(), capture_output=True, text=True, timeout=60)


def test_arguments_are_judged_one_a_line(tmp_path: Path) -> None:
    done = run("classify", "Elm beats estimates", "Elm is not bullish", cwd=tmp_path)
    first, second = done.stdout.splitlines()
    assert first.startswith("+ bullish")
    assert "[beats]" in first
    assert second.startswith("- bearish")
    assert "[not bullish]" in second


def test_lines_and_json_objects_are_read_from_standard_input(tmp_path: Path) -> None:
    lines = 'Elm misses estimates\n\n{"text": "Elm beats estimates", "id": 7}\n{"title": "Elm opens its doors"}\n'
    rows = [json.loads(line) for line in piped(lines, "--json", cwd=tmp_path).stdout.splitlines()]
    assert [row["text"] for row in rows] == ["Elm misses estimates", "Elm beats estimates", "Elm opens its doors"]
    assert [row["label"] for row in rows[:2]] == ["bearish", "bullish"]
    assert all(row["scores"]["model"] is None and row["source"] == "rules" for row in rows)


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", (), "no headline was given"),
        ("{broken", (), "line 1 is no JSON"),
        ('{"id": 1}', (), 'line 1 has no "text"'),
        ("", ("",), "a headline is empty"),
        ("", ("--file", "nowhere.jsonl"), "nowhere.jsonl cannot be read"),
        ("", ("Elm rises", "--file", "nowhere.jsonl"), "not both"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_exit_code_2(
    tmp_path: Path, text: str, arguments: tuple[str, ...], said: str
) -> None:
    done = piped(text, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_headline_cannot_write_control_characters_to_the_terminal(tmp_path: Path) -> None:
    assert "\x1b" not in piped("Elm \x1b[31mrises\x07\n", cwd=tmp_path).stdout
