"""Look up the locked requirements for known vulnerabilities. Exit code 1 where there is one, 3 where nobody answered.

`python tools/audit.py [FILE…]` (default requirements/run.txt). Nothing is installed: the file is fully pinned.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
UNREACHED = 3


def audit(path: Path) -> int:
    """Print what is known of each package in `path`; the exit code."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(path), "--disable-pip", "--progress-spinner=off"]
    command += ["--format=json", "--timeout=20"]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 (our own words)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1][:200]
        print(f"{path.name}: not audited, the vulnerability service was not reached ({reason})", file=sys.stderr)
        return UNREACHED
    wrong = [(one["name"], one["version"], flaw) for one in found for flaw in one.get("vulns", [])]
    for name, version, flaw in wrong:
        fixed = ", ".join(flaw["fix_versions"]) or "no fixed version"
        print(f"{name} {version}: {flaw['id']} ({fixed})")
    print(f"{path.name}: {len(found)} packages, {len(wrong)} known vulnerabilities", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    files = [Path(name) for name in sys.argv[1:]] or [ROOT / "requirements" / "run.txt"]
    sys.exit(max(map(audit, files)))
