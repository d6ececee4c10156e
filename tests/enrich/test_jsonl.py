"""Files of records: one row for each line, in order, whatever the line holds and however often the run was killed."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalyst.clock import SystemClock
from catalyst.enrich import Enricher, EnrichSettings, FieldSpec
from catalyst.enrich import jsonl as module
from catalyst.enrich.jsonl import Run, lines, resume_at
from catalyst.errors import UsageError
from catalyst.llm.prompts import PromptRegistry
from tests.app.processes import run

PROMPTS = PromptRegistry.load()
FIELDS = [FieldSpec(name="date"), FieldSpec(name="total")]
ROOT = Path(__file__).parent.parent.parent


def record(number: int) -> str:
    return json.dumps({"id": f"r{number}", "text": f"Date: {number % 28 + 1:02d}/03/2018\nTOTAL RM {number}.50"})


async def enrich(source: Path, target: Path, hub=None, *, fresh=False, **settings):
    ours = Enricher(hub, PROMPTS, SystemClock(), settings=EnrichSettings(**settings))
    return await Run(ours, FIELDS, source, target, fresh=fresh).run()


def rows(target: Path) -> list[dict]:
    return [json.loads(line) for line in target.read_text().splitlines()]


async def test_each_line_makes_one_row_in_order(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(map(record, range(500))) + "\n")
    counts = await enrich(source, target, max_concurrent=16)
    assert counts.lines == 500
    assert [(row["line"], row["id"]) for row in rows(target)] == [(number + 1, f"r{number}") for number in range(500)]
    assert rows(target)[3]["fields"]["total"]["value"] == "3.50"


async def test_bad_lines_are_rows_with_their_number_and_the_rest_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_LINE", 5_000)
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    bad = [b"{broken", b"[1, 2]", b"\xff\xfe", b'{"text": "' + b"x" * 20_000 + b'"}', b"", b"null"]
    body = [record(1).encode(), *bad, record(2).encode()]
    source.write_bytes(b"\n".join(body))
    counts = await enrich(source, target)
    found = {row["line"]: row for row in rows(target)}
    assert [number for number in found if found[number]["status"] == "error"] == [2, 3, 4, 5, 7]
    assert "line 2: it is no JSON" in found[2]["error"]
    assert "longer than" in found[5]["error"]
    assert 6 not in found  # an empty line is no record
    assert (found[1]["id"], found[8]["id"]) == ("r1", "r2")
    assert (counts.lines, counts.errors) == (7, 5)


async def test_a_run_goes_on_after_the_last_whole_row(tmp_path):
    source, target, whole = tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    source.write_text("\n".join(map(record, range(100))))
    await enrich(source, whole)
    done = whole.read_bytes().splitlines(keepends=True)
    for kept, torn in ((0, b""), (0, b'{"li'), (41, b""), (41, done[41][:30]), (100, b"")):
        target.write_bytes(b"".join(done[:kept]) + torn)
        counts = await enrich(source, target)
        assert (counts.skipped, counts.lines) == (kept, 100 - kept)
        assert [row["line"] for row in rows(target)] == list(range(1, 101))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("hello\n", "no enriched rows"),
        ('{"line": 3}\n', "no enriched rows"),
        ("notes without an end of line", "no enriched rows"),
        ('{"line": 1, "status": "error"}\nnotes', "no enriched rows"),
    ],
)
def test_a_target_that_is_something_else_is_left_alone(tmp_path, body, said):
    (tmp_path / "out").write_text(body)
    with pytest.raises(UsageError, match=said):
        resume_at(tmp_path / "out", ["date"])
    assert (tmp_path / "out").read_text() == body


async def test_a_run_does_not_go_on_with_the_lines_of_another_file(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(map(record, range(3))))
    await enrich(source, target)
    before = target.read_bytes()
    for other in (range(10, 20), range(2)):
        source.write_text("\n".join(map(record, other)))
        with pytest.raises(UsageError, match="line 3 of the input is not the one"):
            await enrich(source, target)
    assert target.read_bytes() == before


async def test_two_runs_never_write_one_file(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(record(1))
    with target.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another run"):
            await enrich(source, target)
        with pytest.raises(UsageError, match="another run"):
            await enrich(source, target, fresh=True)
    assert (await enrich(source, target)).lines == 1
    assert (await enrich(source, target)).skipped == 1
    assert (await enrich(source, target, fresh=True)).lines == 1
    assert len(rows(target)) == 1


async def test_a_target_of_other_fields_is_left_alone(tmp_path):
    (tmp_path / "in").write_text(record(1))
    await enrich(tmp_path / "in", tmp_path / "out")
    with pytest.raises(UsageError, match="was made with the fields date, total"):
        resume_at(tmp_path / "out", ["date"])


def test_a_torn_row_longer_than_a_block_is_cut_off(tmp_path):
    row = b'{"line": 1, "status": "error"}\n'
    (tmp_path / "out").write_bytes(row + b'{"line":2,"x":"' + b"x" * 300_000)
    assert resume_at(tmp_path / "out", ["date"]) == (1, "")
    assert (tmp_path / "out").read_bytes() == row


async def test_the_window_holds_no_more_lines_than_are_at_work(tmp_path):
    """However long the file: what is read ahead is bounded by the concurrency."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(map(record, range(400))))
    ahead, read, original = 0, 0, module.lines

    def counted(*args, **options):
        nonlocal read
        for line in original(*args, **options):
            read += 1
            yield line

    ours = Enricher(None, PROMPTS, SystemClock(), settings=EnrichSettings(max_concurrent=20))

    class Watched(Run):
        async def _write(self, *args):
            nonlocal ahead
            ahead = max(ahead, read - self.counts.lines)
            await super()._write(*args)

    module.lines = counted
    try:
        await Watched(ours, FIELDS, source, target).run()
    finally:
        module.lines = original
    assert read == 400
    assert ahead <= 10


def test_lines_know_where_they_end(tmp_path):
    (tmp_path / "in").write_bytes(b"ab\n\ncd\r\nef")
    with (tmp_path / "in").open("rb") as file:
        assert [(line.number, line.end, line.body) for line in lines(file)] == [
            (1, 3, b"ab\n"),
            (3, 8, b"cd\r\n"),
            (4, 10, b"ef"),
        ]


@pytest.mark.slow
async def test_a_run_that_is_killed_again_and_again_misses_and_repeats_nothing(tmp_path, wire):
    """kill -9 at any moment, with a model in the middle; each line ends in exactly one row."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(json.dumps({"id": f"r{n}", "text": f"Ref PO-{n:05d}."}) for n in range(900)))
    wire.openai.says('{"found": true, "value": "PO", "evidence": "PO", "confidence": 0.9}', times=20_000)
    words = [
        sys.executable,
        "-m",
        "catalyst.app.cli",
        "enrich",
        str(source),
        "-o",
        str(target),
        "--field",
        "order",
        "--concurrency",
        "50",
    ]
    kills = 0
    for attempt in range(40):
        process = subprocess.Popen(words, env=environ(tmp_path, wire), cwd=ROOT)
        ended = await asyncio.to_thread(_until_written, process, target, 400 * (attempt + 1))
        if ended:
            assert process.returncode == 0
            break
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        kills += 1
    assert kills >= 2
    assert [row["line"] for row in rows(target)] == list(range(1, 901))
    assert {row["fields"]["order"]["value"] for row in rows(target)} == {"PO"}


@pytest.mark.slow
async def test_ctrl_c_says_how_to_go_on_and_the_next_run_does(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(record(n % 28 + 1) for n in range(6_000)))
    words = ["enrich", "in.jsonl", "-o", "out.jsonl", "--field", "date", "--rules-only"]
    command = [sys.executable, "-m", "catalyst.app.cli", *words]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    ended = await asyncio.to_thread(_until_written, process, target, 200)
    process.send_signal(signal.SIGINT)
    _, said = await asyncio.to_thread(process.communicate)
    assert not ended
    assert (process.returncode, said) == (130, "stopped: the same command goes on where out.jsonl ends\n")
    assert (await asyncio.to_thread(run, *words, cwd=tmp_path)).returncode == 0
    assert [row["line"] for row in rows(target)] == list(range(1, 6_001))


def environ(tmp_path, wire) -> dict[str, str]:
    plenty = "10000000"
    return {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ},
        "CATALYST_DATA_DIR": str(tmp_path / "data"), "OPENAI_API_KEY": wire.openai.key,
        "OPENAI_BASE_URL": wire.openai.url, "ENRICH_MODEL": "gpt-4o-mini", "LLM_REQUESTS_PER_MINUTE": plenty,
        "LLM_MAX_CONCURRENT": "64", "LLM_MAX_CONCURRENT_REQUESTS": "64",
    }  # fmt: skip


def _until_written(process: subprocess.Popen, target: Path, count: int) -> bool:
    """Wait until `count` rows are there, or the process ended (True)."""
    while process.poll() is None:
        if target.exists() and target.read_bytes().count(b"\n") >= count:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.slow
def test_the_command_calibrates_and_applies(tmp_path):
    labelled = [
        {"id": str(day), "text": f"Date: {day:02d}/03/2018\nTOTAL RM 5.00", "labels": {"date": f"2018-03-{day:02d}"}}
        for day in range(1, 29)
    ]
    (tmp_path / "labelled.jsonl").write_text("\n".join(map(json.dumps, labelled)))
    (tmp_path / "in.jsonl").write_text(record(3) + "\n{bad\n")
    data = {"CATALYST_DATA_DIR": str(tmp_path / "data"), "ENRICH_AUTO_CONFIDENCE": "0.9"}

    def command(*words: str):
        return run("enrich", *words, cwd=tmp_path, timeout=60, **data)

    learned = command("calibrate", "labelled.jsonl", "--field", "date")
    assert (learned.returncode, learned.stdout) == (0, "date: 28 rows, 100.0% right\n")
    done = command("in.jsonl", "-o", "out.jsonl", "--field", "date", "--rules-only", "--json")
    assert json.loads(done.stdout)["decisions"] == {"auto_apply": 1, "review": 0, "reject": 0}
    first, second = rows(tmp_path / "out.jsonl")
    assert first["values"] == {"date": "2018-03-04"}
    assert first["fields"]["date"]["calibration"] == "calibrated"
    assert second["error"].startswith("line 2:")
    again = command("in.jsonl", "-o", "out.jsonl", "--field", "date", "--rules-only")
    assert "2 lines were done before" in again.stderr


@pytest.mark.slow
async def test_the_command_calibrates_a_model_that_is_asked(tmp_path, wire):
    lines = [json.dumps({"text": f"Ref PO-{n:05d}.", "labels": {"order": f"PO-{n:05d}"}}) for n in range(25)]
    (tmp_path / "labelled.jsonl").write_text("\n".join(lines))
    wire.openai.says('{"found": true, "value": "PO-00001", "evidence": "PO-00001", "confidence": 0.9}', times=500)
    words = [sys.executable, "-m", "catalyst.app.cli", "enrich", "calibrate", "labelled.jsonl", "--field", "order"]
    for options, code, said in (([], 2, "no labels"), (["--models"], 2, "1 labelled rows, 20 are needed")):
        process = await asyncio.create_subprocess_exec(
            *words, *options, cwd=tmp_path, env=environ(tmp_path, wire), stderr=asyncio.subprocess.PIPE
        )
        _, err = await asyncio.wait_for(process.communicate(), 60)
        assert (process.returncode, said in err.decode()) == (code, True), err.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.jsonl", "-o", "out", "--field", "date"], "nowhere.jsonl is no file"),
        (["in.jsonl", "-o", "out"], "no --field"),
        (["in.jsonl", "-o", "out", "--field", "date:colour"], "--field 'date:colour'"),
        (["in.jsonl", "-o", "in.jsonl", "--field", "date"], "the same file"),
        (["calibrate", "in.jsonl", "--field", "date"], "no labels"),
        (["calibrate", "in.jsonl", "--field", "order", "--models"], "no model is configured"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_two(tmp_path, words, said):
    (tmp_path / "in.jsonl").write_text(record(1))
    done = run("enrich", *words, cwd=tmp_path, timeout=60, CATALYST_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
