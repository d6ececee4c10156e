"""Commands whose output goes nowhere: to a full disk, or to a reader that has left. One line, and nothing half-made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from catalyst.web.keybook import KeyBook
from tests.app.processes import environ

pytestmark = pytest.mark.slow  # processes

COMMANDS = [
    ["--version"],
    ["classify", "Acme beats estimates"],
    ["prompts", "list"],
    ["check", "--offline"],
    ["keys", "add", "acme"],
    ["keys", "add", "acme", "--json"],
]


def command(folder: Path, words: list[str], tail: str) -> subprocess.CompletedProcess[str]:
    line = f'"{sys.executable}" -m catalyst.app.cli "$@" {tail}'
    return subprocess.run(
        ["bash", "-c", line, "-", *words], cwd=folder, env=environ(), capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_full_disk_is_said_in_one_line(tmp_path, words):
    done = command(tmp_path, words, "> /dev/full")
    assert done.returncode == 1
    assert done.stderr == "catalyst: no space left for what is written: free some, then try again\n"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_left_is_no_traceback(tmp_path, words):
    done = command(tmp_path, words, "| true")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "fault of ours" not in done.stderr


@pytest.mark.parametrize("words", [["keys", "add", "acme"], ["keys", "add", "acme", "--json"]], ids=" ".join)
def test_a_key_that_nobody_was_shown_does_not_stand(tmp_path, words):
    command(tmp_path, words, "> /dev/full")
    assert command(tmp_path, words, "").returncode == 0
    book = KeyBook(tmp_path / "data" / "keys.db")
    assert [key.revoked_at is None for key in book.list()] == [False, True]
    book.close()
