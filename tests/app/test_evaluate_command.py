"""`catalyst evaluate` as a user runs it, offline."""

from __future__ import annotations

import json
from pathlib import Path

from tests.app.processes import run

DATA = Path(__file__).parents[1] / "data" / "evaluate"


def test_a_set_through_a_transcript_has_figures_with_intervals_and_says_they_are_no_real_models(tmp_path: Path) -> None:
    done = run(
        "evaluate", str(DATA / "set.jsonl"), "--transcript", str(DATA / "transcript.jsonl"), "--compare", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "nothing here is measured with a real model" in told["answers"]
    assert told["filings"] == 4
    assert set(told["arms"]) == {"rules", "default", "uncompressed", "largest"}
    default = told["arms"]["default"]
    assert default["answered"] == 4
    assert default["label_accuracy"]["low"] < default["label_accuracy"]["value"] <= 1
    assert default["fact_precision"]["value"] == 1.0
    assert told["default_minus"]["largest"]["usd_per_filing"]["high"] < 0
    assert told["faults"] == []


def test_rules_alone_need_neither_key_nor_transcript(tmp_path: Path) -> None:
    done = run("evaluate", str(DATA / "set.jsonl"), "--rules", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "rules alone" in done.stdout
    assert "label_accuracy" in done.stdout


def test_without_a_key_it_says_what_to_give(tmp_path: Path) -> None:
    done = run("evaluate", str(DATA / "set.jsonl"), cwd=tmp_path)
    assert done.returncode != 0
    assert "--transcript" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_and_two_routes_are_usage_errors(tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text('{"file": "nowhere.txt", "label": "neutral"}\n')
    missing = run("evaluate", "set.jsonl", "--rules", cwd=tmp_path)
    both = run("evaluate", "set.jsonl", "--rules", "--record", "x", cwd=tmp_path)
    assert (missing.returncode, both.returncode) == (2, 2)
    assert "nowhere.txt is not there" in missing.stderr


def test_what_cannot_be_judged_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "set.jsonl").write_text('{"file": "empty.txt", "label": "neutral"}\n')
    (tmp_path / "typo.jsonl").write_text('{"file": "empty.txt", "lable": "neutral"}\n')
    empty = run("evaluate", "set.jsonl", "--rules", cwd=tmp_path)
    typo = run("evaluate", "typo.jsonl", "--rules", cwd=tmp_path)
    both = run("evaluate", "set.jsonl", "--rules", "--compare", cwd=tmp_path)
    assert (empty.returncode, typo.returncode, both.returncode) == (2, 2, 2)
    assert "empty.txt cannot be judged: the file is empty" in empty.stderr
    assert "line 1" in typo.stderr
    assert "lable" in typo.stderr
    assert "--compare asks models" in both.stderr
