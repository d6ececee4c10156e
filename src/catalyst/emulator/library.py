"""The recorded filings of a folder: found by accession or by form, read only when asked for.

Only files that stand in this index are ever served: a request names an accession, never a path.
"""

from __future__ import annotations

import csv
import hashlib
import mmap
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_KINDS = ("submission", "ownership_xml", "primary_html", "ixbrl_html", "edgar_xml", "primary_text")
"""Whole submissions first; then single documents, to be wrapped in one."""

_NAME = re.compile(r"(?P<form>.+?)__(?P<accession>\d{10}-\d\d-\d{6})?.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded file. `accession` is empty where the file's name holds none."""

    kind: str
    form: str
    """As in the file's name: `8-K_A`."""
    accession: str
    path: Path


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` of a file."""

    path: Path
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def read(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(len(self))


class Library:
    """The index of `filings/`. Made once; the folder is not looked at again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bodies: dict[Path, tuple[Span, int]] = {}

    @cached_property
    def _files(self) -> tuple[Recorded, ...]:
        found: list[Recorded] = []
        for kind in _KINDS:
            place = self._folder / "filings" / kind
            names = sorted(entry.name for entry in os.scandir(place) if entry.is_file()) if place.is_dir() else []
            for name in names:
                match = _NAME.fullmatch(name)
                if match:
                    found.append(Recorded(kind, match["form"], match["accession"] or "", place / name))
        return tuple(found)

    @cached_property
    def _submissions(self) -> dict[str, Path]:
        return {file.accession: file.path for file in self._files if file.kind == "submission" and file.accession}

    @cached_property
    def _by_form(self) -> dict[str, tuple[Recorded, ...]]:
        """Of each form, the files of the first kind that has any."""
        forms: dict[str, list[Recorded]] = {}
        for file in self._files:
            same = forms.setdefault(file.form, [])
            if not same or same[0].kind == file.kind:
                same.append(file)
        return {form: tuple(files) for form, files in forms.items()}

    @cached_property
    def _items(self) -> dict[str, frozenset[str]]:
        """Item codes of recorded 8-Ks by accession, where the folder's MANIFEST.csv gives them."""
        manifest = self._folder / "MANIFEST.csv"
        if not manifest.is_file():
            return {}
        with manifest.open(newline="", encoding="utf-8", errors="replace") as lines:
            return {
                row["accession"]: frozenset(row["items"].split())
                for row in csv.DictReader(lines)
                if row.get("items") and row.get("accession")
            }

    def submission(self, accession: str) -> Path | None:
        """The recorded submission of exactly this accession."""
        return self._submissions.get(accession)

    def stand_in(self, form: str, accession: str, items: Sequence[str] = ()) -> Recorded | None:
        """A recorded filing of the same form, always the same one for an accession; None where none is recorded.

        Among 8-Ks those that share most items with the feed's row are taken.
        """
        files = self._by_form.get(re.sub(r"[ /]", "_", form), ())
        if items and files:
            shared = [len(self._items.get(file.accession, frozenset()) & set(items)) for file in files]
            files = tuple(file for file, count in zip(files, shared, strict=True) if count == max(shared))
        if not files:
            return None
        return files[int.from_bytes(hashlib.sha256(accession.encode()).digest()[:8]) % len(files)]

    def documents(self, path: Path) -> tuple[Span, int]:
        """Where a submission's documents stand in its file, and how many they are."""
        known = self._bodies.get(path)
        if known is None:
            known = self._bodies[path] = _documents(path)
        return known


def whole(path: Path) -> Span:
    """All of a file."""
    return Span(path, 0, path.stat().st_size)


def _documents(path: Path) -> tuple[Span, int]:
    size = path.stat().st_size
    if not size:
        return Span(path, 0, 0), 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        start = max(text.find(b"<DOCUMENT>"), 0)
        last = text.rfind(b"</DOCUMENT>")
        end = last + len(b"</DOCUMENT>") if last > start else size
        count = sum(1 for _ in re.finditer(rb"<DOCUMENT>", text))
    return Span(path, start, end), count
