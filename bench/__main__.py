"""Run the figures: `python -m bench [NAME…] [--quick]`; results go to bench/results/NAME.json, and as a table out.

Each bench is a process of its own and prints one JSON line last (`python -m bench.NAME --help` tells its options).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PARTS = {
    "alerts_day",
    "alerts_parts",
    "blast",
    "chaos_parts",
    "common",
    "day_parts",
    "load",
    "planted",
    "reconnect",
    "watching",
}
"""Files that benches are made of."""


def names() -> list[str]:
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in PARTS and path.stem[0] != "_")


def run(name: str, quick: bool) -> dict[str, Any] | None:
    """One bench's JSON line; None when it failed, which has been said on stderr."""
    print(f"--- {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"bench.{name}", *(["--quick"] if quick else [])]
    done = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True)
    lines = done.stdout.strip().splitlines()
    try:
        found: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        print(f"{name} failed with exit code {done.returncode}", file=sys.stderr)
        return None
    return found


def table(found: dict[str, Any]) -> str:
    """`name figure value` lines."""
    width = max(map(len, found["figures"]), default=0)
    return "\n".join(f"{found['bench']:<12} {name:<{width}} {value}" for name, value in found["figures"].items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help=f"which: {', '.join(names())}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="the short form of each")
    options = parser.parse_args()
    if unknown := set(options.name) - set(names()):
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    RESULTS.mkdir(exist_ok=True)
    failed = False
    for name in options.name or names():
        found = run(name, options.quick)
        failed |= found is None
        if found is not None:
            (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
            print(table(found), flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
