"""Enrich a file of JSON lines into another: in order, resumable, in bounded memory. Start with `Run`.

Each line of the input makes one line of the output, in the same order and with its line number, a bad line too. So
where an interrupted run stopped can be read from the output alone: its last whole line. A torn last line is cut off.
Each row holds a sum of its input line, so that a run never goes on with another file's lines.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson
from pydantic import ValidationError

from catalyst.enrich.service import Enricher
from catalyst.enrich.types import Artifact, FieldSpec
from catalyst.errors import StorageError, UsageError

MAX_LINE = 8 << 20
"""Bytes of one input line; a longer one is an error row."""
FLUSH_ROWS = 200
_TAIL = 64 << 10
_SHOWN = 200
_BEGINNING = b'{"line":'
"""How each row begins."""


@dataclass(slots=True)
class Counts:
    """What a run did; `skipped` lines were there from before."""

    lines: int = 0
    skipped: int = 0
    errors: int = 0
    decisions: dict[str, int] = field(default_factory=lambda: {"auto_apply": 0, "review": 0, "reject": 0})


@dataclass(frozen=True, slots=True)
class Line:
    """One input line: its number from 1, where it ends, and its bytes; None where it is too long."""

    number: int
    end: int
    body: bytes | None

    @property
    def sum(self) -> str:
        """What tells it from another file's line."""
        return hashlib.blake2b((self.body or b"").strip(), digest_size=8).hexdigest()


class Run:
    """One file's work. `on_line` hears how many bytes of the input are done; `fresh` empties the target first."""

    def __init__(
        self,
        enricher: Enricher,
        fields: Sequence[FieldSpec],
        source: Path,
        target: Path,
        *,
        on_line: Callable[[int], None] = lambda done: None,
        fresh: bool = False,
    ) -> None:
        self._fresh = fresh
        self._enricher = enricher
        self._fields = fields
        self._source = source
        self._target = target
        self._on_line = on_line
        self.counts = Counts()

    async def run(self) -> Counts:
        """Enrich what is not done yet. Raises UsageError for another run's target, StorageError for the disk."""
        try:
            with self._source.open("rb") as source, self._target.open("ab") as target:
                _hold(target, self._target)
                if self._fresh:
                    target.truncate(0)
                done, told = resume_at(self._target, [spec.name for spec in self._fields])
                _check_same(source, done, told)
                self.counts.skipped = done
                source.seek(0)
                await self._all(lines(source, skip=done), target)
        except OSError as error:
            name = error.filename or self._target
            raise StorageError(f"{name}: {error.strerror or error}: nothing is lost, run it again") from error
        return self.counts

    async def _all(self, found: Iterator[Line], target: BinaryIO) -> None:
        """A window of lines at work; rows are written in the lines' order."""
        window: deque[tuple[Line, asyncio.Task[bytes]]] = deque()
        width = max(1, self._enricher.settings.max_concurrent // max(1, len(self._fields)))
        pending: list[bytes] = []
        try:
            for line in found:
                window.append((line, asyncio.ensure_future(self._row(line))))
                if len(window) >= width:
                    await self._write(window, pending, target)
            while window:
                await self._write(window, pending, target)
        finally:
            for _, task in window:
                task.cancel()
            _flush(pending, target)

    async def _write(
        self, window: deque[tuple[Line, asyncio.Task[bytes]]], pending: list[bytes], target: BinaryIO
    ) -> None:
        line, task = window[0]
        pending.append(await task)
        window.popleft()
        self.counts.lines += 1
        if len(pending) >= FLUSH_ROWS or not window or not window[0][1].done():
            _flush(pending, target)
        self._on_line(line.end)

    async def _row(self, line: Line) -> bytes:
        head: dict[str, object] = {"line": line.number, "source": line.sum}
        try:
            artifact, record = self._artifact(line)
        except ValueError as error:
            self.counts.errors += 1
            shown = (line.body or b"")[:_SHOWN].decode("utf-8", "replace")
            return orjson.dumps(head | {"status": "error", "error": f"line {line.number}: {error}", "raw": shown})
        (results,) = await self._enricher.batch_enrich([artifact], list(self._fields))
        for result in results:
            self.counts.decisions[result.decision] += 1
        return orjson.dumps(
            head
            | {"id": artifact.id, "status": "ok", "fields": {one.field: one.model_dump(mode="json") for one in results}}
            | {"values": {one.field: one.value for one in results if one.decision == "auto_apply"}}
            | {key: record[key] for key in ("raw_payload_hash",) if key in record}
        )

    def _artifact(self, line: Line) -> tuple[Artifact, dict[str, object]]:
        """Raises ValueError saying what is wrong with the line."""
        if line.body is None:
            raise ValueError(f"it is longer than {MAX_LINE >> 20} MiB: split the record")
        try:
            record = orjson.loads(line.body)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"it is no JSON ({error})") from error
        if not isinstance(record, dict):
            raise ValueError("it is no JSON object")
        try:
            return Artifact.of(record, tenant_field=self._enricher.settings.tenant_field), record
        except ValidationError as error:
            raise ValueError(f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from error


def lines(source: BinaryIO, *, skip: int = 0) -> Iterator[Line]:
    """The lines of a file after the first `skip`, without ever holding more than one of bounded length."""
    number = end = 0
    while chunk := source.readline(MAX_LINE + 1):
        number += 1
        end += len(chunk)
        body: bytes | None = chunk
        if len(chunk) > MAX_LINE and not chunk.endswith(b"\n"):
            body = None
            while (rest := source.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                end += len(rest)
            end += len(rest)
        if number > skip and (body is None or body.strip()):
            yield Line(number, end, body)


def resume_at(target: Path, fields: Sequence[str]) -> tuple[int, str]:
    """The input line that a target's last whole row stands for, and its sum; 0 where there is none.

    A torn row is cut off. Raises UsageError where the rows are not of such a run; then nothing has changed.
    """
    if not target.exists() or target.stat().st_size == 0:
        return 0, ""
    with target.open("r+b") as file:
        size = file.seek(0, 2)
        whole = _whole_end(file, size)
        last = _last_line(file, whole)
        found = _read_row(target, last, fields) if whole else (0, "")
        if whole < size:
            _cut_off(target, file, whole)
    return found


def _read_row(target: Path, last: bytes, fields: Sequence[str]) -> tuple[int, str]:
    try:
        row = orjson.loads(last)
        number, told = int(row["line"]), str(row.get("source", ""))
        names = list(row["fields"]) if row["status"] == "ok" else list(fields)
    except (ValueError, KeyError, TypeError) as error:
        raise _foreign(target) from error
    if names != list(fields):
        raise UsageError(f"{target} was made with the fields {', '.join(names)}: name another file, or --fresh")
    return number, told


def _cut_off(target: Path, file: BinaryIO, whole: int) -> None:
    """Remove a row that a kill has torn, and nothing that is none."""
    file.seek(whole)
    torn = file.read(len(_BEGINNING))
    if not _BEGINNING.startswith(torn[: len(_BEGINNING)]):
        raise _foreign(target)
    file.truncate(whole)


def _foreign(target: Path) -> UsageError:
    return UsageError(f"{target} is there and holds no enriched rows: name another file, or --fresh")


def _hold(target: BinaryIO, path: Path) -> None:
    """Two runs into one file would repeat each other's lines."""
    try:
        fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"another run writes {path}: wait for it, or name another file") from None


def _check_same(source: BinaryIO, done: int, told: str) -> None:
    """Raises UsageError where line `done` is not the one that was enriched."""
    if not done or not told:  # rows of before sums were kept
        return
    line = next(lines(source, skip=done - 1), None)
    if line is None or (line.number, line.sum) != (done, told):
        raise UsageError(f"line {done} of the input is not the one that was enriched: name another output, or --fresh")


def _whole_end(file: BinaryIO, size: int) -> int:
    """Where the last whole line ends."""
    place = size
    while place > 0:
        start = max(0, place - _TAIL)
        file.seek(start)
        found = file.read(place - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        place = start
    return 0


def _last_line(file: BinaryIO, end: int) -> bytes:
    begin = _whole_end(file, end - 1) if end > 0 else 0
    file.seek(begin)
    return file.read(end - begin).strip()


def _flush(pending: list[bytes], target: BinaryIO) -> None:
    if pending:
        target.write(b"\n".join(pending) + b"\n")
        target.flush()
        pending.clear()
