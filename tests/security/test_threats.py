"""The threat model's table: every line names a test, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guides" / "security.md"
_ROW = re.compile(r"^\| (?!threat |---)(.+?) \| (.+?) \| (.+?) \|$", re.M)


def _tests(path: Path) -> set[str]:
    """The names of all test functions of a file, in classes too."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_threat_names_a_test_that_exists():
    rows = _ROW.findall(PAGE.read_text())
    assert len(rows) >= 40
    for threat, held, proof in rows:
        named = re.fullmatch(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", proof)
        assert named, f"{threat}: {proof} names no test"
        assert held
        path = ROOT / named[1]
        assert path.exists(), f"{threat}: no {named[1]}"
        assert any(name.startswith("test_") for name in _tests(path)), named[1]
        room = set().union(*map(_tests, path.parent.rglob("*.py")))
        assert named[2] is None or named[2] in room, f"{threat}: no {named[2]} in {path.parent}"


def test_the_usual_threats_are_all_there():
    text = PAGE.read_text().lower()
    for word in (
        "scope", "smuggling", "huge bodies", "slow requests", "ssrf", "template injection", "prompt injection",
        "log injection", "gzip bombs", "xml bombs", "path traversal in the emulator", "path traversal in commands",
        "dns rebinding", "csrf", "header injection", "pinned by hash", "redis open", "manifest",
    ):  # fmt: skip
        assert word in text, word
