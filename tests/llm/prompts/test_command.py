"""`catalyst prompts` as processes."""

from __future__ import annotations

import json

import pytest

from tests.app.processes import run

pytestmark = pytest.mark.slow  # processes: `make check` leaves it out


def prompts(tmp_path, *words: str, **environ: str):
    return run("prompts", *words, cwd=tmp_path, timeout=60, CATALYST_DATA_DIR=str(tmp_path / "data"), **environ)


def test_list_and_show_say_what_runs(tmp_path):
    rows = json.loads(prompts(tmp_path, "list", "--json").stdout)
    assert {"id": "field.enrich", "production": "v1"}.items() <= {row["id"]: row for row in rows}[
        "field.enrich"
    ].items()
    shown = prompts(tmp_path, "show", "field.enrich").stdout
    assert shown.startswith("field.enrich@v1:")
    assert "instruction (string)" in shown
    assert "no request" in prompts(tmp_path, "outcomes").stdout


def test_render_takes_variables_from_a_file_and_the_command_line(tmp_path):
    (tmp_path / "vars.json").write_text('{"notes": ["Call on Monday"], "language": "German", "today": "x"}')
    words = ("render", "notes.summarize", "--vars", "vars.json", "--var", "today=2026-01-05", "--json")
    told = json.loads(prompts(tmp_path, *words).stdout)
    assert "Write in German." in told["system"]
    assert '["Call on Monday"]' in told["user"]
    assert "Today is 2026-01-05." in told["user"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["render", "field.enrich", "--var", "field=x"], 1, "needs form, instruction"),
        (["render", "field.enrich", "--var", "field"], 2, "NAME=VALUE"),
        (["render", "notes.summarize", "--var", "notes=oops"], 2, "written as JSON"),
        (["render", "field.enrich", "--vars", "nowhere.json"], 2, "cannot be read"),
        (["show", "field.nothing"], 1, "no prompt field.nothing"),
        (["show", "field.enrich", "--version", "v9"], 1, "no version v9"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(tmp_path, words, code, said):
    done = prompts(tmp_path, *words)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_of_prompts_is_read(tmp_path):
    (tmp_path / "mine.prompt").write_text(
        "---\nid: mine.hello\nversion: v1\nvariables: {name: string}\n---\n[system]\nHi.\n[user]\nI am {{ name }}.\n"
    )
    done = prompts(tmp_path, "render", "mine.hello", "--var", "name=Ann", PROMPTS_DIR=str(tmp_path))
    assert done.stdout.endswith("I am Ann.\n")
    (tmp_path / "mine.prompt").write_text("nothing")
    broken = prompts(tmp_path, "list", PROMPTS_DIR=str(tmp_path))
    assert (broken.returncode, "is no prompt" in broken.stderr) == (1, True)
