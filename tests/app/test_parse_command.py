"""`catalyst parse` as a process: results, clear errors, exit codes, pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.filings.forms.samples import EIGHT_K, FORM_4, TEN_Q

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

RUN = """
import sys, typer
from catalyst.app.commands.parse import parse

app = typer.Typer(add_completion=False)
app.command()(parse)
app()
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_bytes(EIGHT_K)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.xml").write_text(FORM_4)
    (tmp_path / "sub" / "c.htm").write_text(TEN_Q)
    return tmp_path


def test_jsonl_has_one_object_per_file_of_a_folder(folder):
    done = run("--jsonl", folder)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [Path(record["file"]).name for record in records] == ["a.txt", "b.xml", "c.htm"]
    assert set(records[0]) == {
        "file", "ok", "accession", "form", "family", "company", "items", "exhibits", "facts", "problems", "chars",
    }  # fmt: skip
    assert records[0]["company"] == "QUILL & ANCHOR HOLDINGS, INC."
    assert [item["code"] for item in records[0]["items"]] == ["2.02", "9.01"]
    assert records[1]["form"] == "4"


def test_form_option_and_text_reach_the_record(folder):
    record = json.loads(run("--jsonl", "--text", "--form", "10-q", folder / "sub" / "c.htm").stdout)
    assert (record["family"], record["facts"][0]["value"]) == ("periodic", "1250500000")
    assert "Item 1. Financial Statements" in record["text"]


def test_the_summary_is_readable_and_has_no_control_characters(folder):
    (folder / "a.txt").write_bytes(EIGHT_K.replace(b"QUILL", b"QU\x1b[31mILL"))
    done = run(folder / "a.txt")
    assert "item 2.02 Results of Operations and Financial Condition" in done.stdout
    assert "EX-99.1 ex991.htm" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (bytes(range(256)) * 20, "binary"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08zz", "gzip"),
        (None, "No such file"),
    ],
)
def test_a_bad_file_is_one_clear_line_and_the_others_are_still_read(folder, content, reason):
    bad = folder / "bad.dat"
    if content is not None:
        bad.write_bytes(content)
    done = run(bad, folder / "a.txt")
    assert done.returncode == 1
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "item 2.02" in done.stdout
    record = json.loads(run("--jsonl", bad).stdout)
    assert record["ok"] is False
    assert reason in record["error"]


def test_sixty_megabytes_are_refused_in_one_line(folder):
    huge = folder / "huge.txt"
    huge.write_bytes(b"a" * 60 * 1024 * 1024)
    done = run(huge)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "larger than" in done.stderr


def test_a_closed_pipe_ends_quietly(folder):
    for number in range(200):
        (folder / f"n{number}.txt").write_bytes(EIGHT_K)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "--jsonl", "--text", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert b"Traceback" not in errors
