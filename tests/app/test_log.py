"""What a filing or a peer says reaches the log, but never writes to the terminal."""

from __future__ import annotations

import subprocess
import sys

from tests.app.processes import environ

HOSTILE = "8-K\x1b]0;owned\x07\x9b2J\nedgar.refused\u202e"
SCRIPT = """
import structlog
from catalyst.app import log
log.configure("info", {form!r})
note = structlog.get_logger()
note.warning("filing.unparsed", form={text!r}, names=[{text!r}])
try:
    raise ValueError({text!r})
except ValueError as error:
    note.warning("walk.failed", exc_info=error)
"""


def said(form: str) -> str:
    script = SCRIPT.format(form=form, text=HOSTILE)
    done = subprocess.run([sys.executable, "-c", script], env=environ(), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_control_characters_are_spelled_out_on_the_console():
    text = said("console")
    assert not {character for character in text if not character.isprintable()} - {"\n"}
    assert text.splitlines()[0].count("edgar.refused") == 2, "no line of its own"
    assert "Traceback" in text


def test_control_characters_are_spelled_out_in_json():
    text = said("json")
    assert not {character for character in text if not character.isprintable()} - {"\n"}
    assert len(text.splitlines()) == 2
