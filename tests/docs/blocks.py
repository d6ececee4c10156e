"""Commands of a page: what stands in its fenced shell blocks, one command a line, with what each block needs.

A block is marked by an HTML comment above it, `<!-- needs: docker -->`, where this machine may lack what it takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDS = {"docker", "cluster", "key", "network", "ollama", "root", "minutes", "redis", "corpus"}
"""What a block may need; `minutes` is what would take as long as the whole suite."""

_FENCE = re.compile(r"^(?:<!-- needs: ([a-z, ]+) -->\n+)?```(\w*)\n(.*?)^```$", re.M | re.S)
_SHELL = {"sh", "bash", "shell", "console"}
_LONG = re.compile(r"catalyst (?:up|serve|gateway|bot|emulate|tail)\b")
_ENDS = re.compile(r"--help|--until-end|--count|bot register")


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it stands on the page, its continued lines and here-documents included."""

    text: str
    line: int
    needs: str = ""

    @property
    def is_lasting(self) -> bool:
        """Whether it runs until somebody ends it."""
        return bool(_LONG.search(self.text)) and not _ENDS.search(self.text)


def pages() -> list[Path]:
    """Everything that shows commands to users."""
    return [ROOT / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]


def commands(page: Path) -> list[Command]:
    """In the order of the page."""
    text = page.read_text()
    found = []
    for block in _FENCE.finditer(text):
        needs, kind, body = block.groups()
        if kind in _SHELL:
            start = text.count("\n", 0, block.start(3)) + 1
            found += [Command(command, start + offset, needs or "") for offset, command in _split(body)]
    return found


def unmarked(page: Path) -> list[str]:
    """Lines that call us or curl inside a block that names no language: readers copy them, and no test runs them."""
    calls = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:\S*catalyst|curl|make|python -m) ", re.M)
    return [line for _, kind, body in _FENCE.findall(page.read_text()) if kind == "" for line in calls.findall(body)]


def _split(body: str) -> Iterator[tuple[int, str]]:
    """(line within the block, command)."""
    lines = body.splitlines()
    number = 0
    while number < len(lines):
        first, parts = number, [lines[number]]
        while parts[-1].endswith("\\"):
            number += 1
            parts.append(lines[number])
        if here := re.search(r"<<'?(\w+)'?", parts[-1]):
            while parts[-1] != here[1]:
                number += 1
                parts.append(lines[number])
        while _open_quote("\n".join(parts)) and number + 1 < len(lines):
            number += 1
            parts.append(lines[number])
        number += 1
        command = "\n".join(parts)
        if command.strip() and not command.lstrip().startswith("#"):
            yield first, command


def _open_quote(text: str) -> bool:
    """Whether a single quote is still open at the end of `text`."""
    bare = re.sub(r"<<'\w+'.*", "", text, flags=re.S)
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", bare)
    bare = re.sub(r"\s#.*", "", bare)
    return bare.count("'") % 2 == 1
