"""The bill of materials of what we ship: requirements/run.txt as CycloneDX JSON. `python tools/sbom.py [OUT]`.

Made offline from the locked file alone, hashes included, so that it says what is installed and not what is around.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def make(out: Path) -> int:
    """Write the bill; the tool's exit code."""
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(ROOT / "requirements" / "run.txt")]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--of", "JSON", "-o", str(out)]
    return subprocess.run(command).returncode  # noqa: S603 (our own words)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "sbom.json"
    code = make(target)
    if code == 0:
        print(target)
    sys.exit(code)
