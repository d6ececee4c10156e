"""The site builds without a warning, a broken link fails it, and its references hold what the code has."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools import docs, reference

from catalyst.app.names import NAMES


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path):
    done = subprocess.run([sys.executable, docs.__file__, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    site = tmp_path / "html"
    for page in [*docs.DOCS.rglob("*.md"), *(tmp_path / "source" / "reference").glob("*.md")]:
        root = docs.DOCS if docs.DOCS in page.parents else tmp_path / "source"
        assert (site / page.relative_to(root).with_suffix(".html")).exists(), page
    rest = (site / "reference" / "rest.html").read_text()
    assert "/api/filings/recent" in rest
    assert "/health/live" in rest
    assert "catalyst_filing_alerts_total" in (site / "reference" / "metrics.html").read_text()
    _fails_on_a_broken_link(tmp_path)


def _fails_on_a_broken_link(out: Path) -> None:
    page = out / "source" / "guides" / "costs.md"
    page.write_text(page.read_text() + "\n[gone](nowhere.md)\n")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "dummy", "-d", str(out / "trees")]
    done = subprocess.run([*command, str(out / "source"), str(out / "none")], capture_output=True, text=True)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr


def test_every_page_is_reached_from_the_index(tmp_path: Path):
    source = tmp_path / "source"
    shutil.copytree(docs.DOCS, source)
    index = docs.with_all((source / "index.md").read_text(), source)
    for page in source.rglob("*.md"):
        name = page.relative_to(source).with_suffix("").as_posix()
        assert name == "index" or f"\n{name}\n" in index, name


def test_every_command_and_setting_is_in_the_reference():
    from catalyst.app.cli import app

    shown = reference.commands()
    for command in app.registered_commands:
        assert f"## catalyst {command.name}\n" in shown
    table = reference.settings()
    assert all(f"| `{name}` |" in table for name in NAMES)
