"""`catalyst ask` and `catalyst usage` as processes, against a fake OpenAI."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.app.processes import run

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out


async def command(*arguments: str, tmp_path, wire=None, **more: str):
    environ = {"CATALYST_DATA_DIR": str(tmp_path / "data")} | more
    if wire is not None:
        environ |= {"OPENAI_API_KEY": wire.openai.key, "OPENAI_BASE_URL": wire.openai.url}
    return await asyncio.to_thread(lambda: run(*arguments, cwd=tmp_path, timeout=60, **environ))


async def test_an_answer_goes_to_stdout_and_its_cost_to_stderr(wire, tmp_path):
    wire.openai.says("A yearly report.")
    done = await command("ask", "What is a 10-K?", "--model", "gpt-4o-mini", tmp_path=tmp_path, wire=wire)
    assert (done.returncode, done.stdout) == (0, "A yearly report.\n")
    assert "openai/gpt-4o-mini" in done.stderr
    assert "USD" in done.stderr
    report = await command("usage", "--json", "--by", "model", tmp_path=tmp_path)
    line = json.loads(report.stdout)
    assert (line["model"], line["calls"], line["answered"]) == ("openai/gpt-4o-mini", 1, 1)
    table = await command("usage", tmp_path=tmp_path)
    assert "total" in table.stdout


@pytest.mark.parametrize("way", ["--stream", "--no-stream"])
async def test_an_answer_that_is_not_whole_says_so_and_none_steers_the_terminal(wire, tmp_path, way):
    wire.openai.answers(text="Risks are\x1b[2J one,", finish="length")
    done = await command("ask", "Which?", "--model", "gpt-4o-mini", way, tmp_path=tmp_path, wire=wire)
    assert (done.returncode, done.stdout) == (0, "Risks are [2J one,\n")
    assert "raise --max-tokens" in done.stderr


async def test_a_tenant_s_name_is_only_text(wire, tmp_path):
    """Names come from records and bodies of requests: neither the terminal nor the table's markup may read them."""
    wire.openai.says('{"found": false, "value": "", "evidence": "", "confidence": 0.5}')
    (tmp_path / "in").write_text(json.dumps({"text": "Nothing is here.", "who": "[/x]\x1b[2J"}))
    words = ["enrich", "run", "in", "-o", "out", "--field", "po:text", "--tenant-field", "who"]
    assert (await command(*words, tmp_path=tmp_path, wire=wire, ENRICH_MODEL="gpt-4o-mini")).returncode == 0
    report = await command("usage", "--by", "tenant", tmp_path=tmp_path)
    assert report.returncode == 0
    assert "[/x]\\x1b[2J" in report.stdout


async def test_documents_and_json(wire, tmp_path):
    wire.openai.says("Two risks.")
    document = tmp_path / "risks.txt"
    document.write_text("Risk one. Risk two.")
    words = ["ask", "How many?", "--file", str(document), "--system", "Be brief.", "--json", "--max-tokens", "50"]
    done = await command(*words, "--complexity", "simple", tmp_path=tmp_path, wire=wire)
    answer = json.loads(done.stdout)
    assert answer["text"] == "Two risks."
    asked = json.dumps(wire.openai.last)
    assert "Risk one" in asked
    assert "Be brief." in asked


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ask", "hi"], 1, "no model can be asked"),
        (["ask", " "], 2, "empty"),
        (["ask", "hi", "--complexity", "huge"], 2, "--complexity"),
        (["ask", "hi", "--file", "nowhere.txt"], 2, "nowhere.txt"),
        (["usage", "--by", "planet"], 2, "--by"),
        (["usage", "--since", "yesterday"], 2, "--since"),
    ],
)
async def test_mistakes_are_one_line_and_an_exit_code(tmp_path, words, code, said):
    done = await command(*words, tmp_path=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_nothing_used_is_said_and_makes_no_database(tmp_path):
    done = await command("usage", tmp_path=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing was asked" in done.stderr
    assert not (tmp_path / "data" / "hub.db").exists()


async def test_a_refused_key_ends_in_one_line_without_the_key(wire, tmp_path):
    environ = {"OPENAI_API_KEY": "sk-wrong-123456", "OPENAI_BASE_URL": wire.openai.url}
    done = await command("ask", "hi", "--model", "gpt-4o-mini", tmp_path=tmp_path, **environ)
    assert done.returncode == 1
    assert done.stderr.startswith("catalyst: ")
    assert "sk-wrong" not in done.stdout + done.stderr
