"""What we ship: packages pinned by hash, a bill of materials made offline, an audit that says what it could not do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tools import audit, sbom

ROOT = Path(__file__).parents[2]
LOCKED = sorted((ROOT / "requirements").glob("*.txt"))


def _pins(path: Path) -> dict[str, str]:
    """Name to version, of a locked file."""
    return dict(re.findall(r"^([a-zA-Z0-9._-]+)(?:\[[^]]*\])?==([^ \\]+)", path.read_text(), re.M))


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.stem)
def test_every_package_is_pinned_by_hash(path: Path):
    entries = re.split(r"\n(?=[a-zA-Z0-9])", re.sub(r"^#.*\n?", "", path.read_text(), flags=re.M).strip())
    for entry in entries:
        assert re.match(r"[\w.-]+(\[[^]]*\])?==", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


@pytest.mark.slow
def test_the_bill_of_materials_names_every_package_with_its_hash(tmp_path: Path):
    assert sbom.make(tmp_path / "build" / "sbom.json") == 0
    bill = json.loads((tmp_path / "build" / "sbom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    named = {one["name"].lower(): one["version"] for one in bill["components"]}
    assert named == {name.lower(): version for name, version in _pins(ROOT / "requirements" / "run.txt").items()}
    assert all(one["externalReferences"][0]["hashes"] for one in bill["components"])


@pytest.mark.slow
def test_an_audit_that_reached_nobody_says_so(tmp_path: Path):
    """The tests' guard keeps it from the network: that must not look like a clean bill."""
    few = tmp_path / "few.txt"
    few.write_text("idna==3.7 --hash=sha256:" + "0" * 64 + "\n")
    done = subprocess.run([sys.executable, audit.__file__, str(few)], capture_output=True, text=True)
    assert done.returncode == audit.UNREACHED, done.stdout + done.stderr
    assert "not audited" in done.stderr
