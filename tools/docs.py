"""Build the documentation's site: `python tools/docs.py [OUT]` (default build/docs), warnings are errors.

The pages are those of docs/, and references made from the code itself: commands, settings, REST, metrics. Nothing that
is generated lies in the repository. A guide that no list of docs/index.md names yet is put under "Use".
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def prepared(out: Path) -> Path:
    """The folder that Sphinx reads: a copy of docs/ with the generated pages."""
    from tools.reference import pages

    source = out / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("_build", "__pycache__"))
    (source / "reference").mkdir(exist_ok=True)
    for name, text in pages().items():
        (source / "reference" / f"{name}.md").write_text(text)
    index = source / "index.md"
    index.write_text(with_all(index.read_text(), source))
    return source


def with_all(index: str, source: Path) -> str:
    """The index with the pages and decisions that it does not list."""
    listed = {"index", *re.findall(r"^[\w./-]+$", index, re.M)}
    found = {path.relative_to(source).with_suffix("").as_posix() for path in source.rglob("*.md")}
    new = sorted(name for name in found - listed if not name.startswith("decisions/"))
    index = index.replace("\nguides/forecasting\n", "\n".join(["", "guides/forecasting", *new, ""]))
    decisions = "\n".join(f"decisions/{path.stem}" for path in sorted((source / "decisions").glob("*.md")))
    return f"{index}\n```{{toctree}}\n:caption: Decisions\n:maxdepth: 1\n\n{decisions}\n```\n"


def build(out: Path) -> int:
    """Sphinx's exit code; the site is in `out`/html."""
    source = prepared(out)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(out / "trees")]
    return subprocess.run([*command, str(source), str(out / "html")]).returncode  # noqa: S603 (our own words)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"
    target.mkdir(parents=True, exist_ok=True)
    code = build(target)
    if code == 0:
        print(target / "html" / "index.html")
    sys.exit(code)
