"""Faults that the emulator commits on request, each for a span of simulated time, an address pattern and a count."""

from __future__ import annotations

import fnmatch
import itertools
import random
import zlib
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from catalyst.clock import NEW_YORK
from catalyst.errors import UsageError

Kind = Literal["down", "slow", "truncated", "missing", "garbage", "encoding", "vanish", "unlisted", "bomb", "refused"]

MAX_FAULTS = 1000
_MEBIBYTE = 1 << 20


class Fault(BaseModel):
    """One fault. Times without a date are New York's, of whichever day it is.

    down       the connection is reset, or `status` (503, …) is answered
    slow       the first byte comes after `seconds`; with `bytes_per_second` the rest drips
    truncated  the answer breaks off after `after_bytes` (half of it when not given)
    missing    a filing's addresses give 404 for the first `seconds` of its life
    garbage    the body is random bytes
    encoding   the body is UTF-16, the header still says what it said
    vanish     `accession` is withdrawn: no row, no text
    unlisted   `accession` stands on no page of `getcurrent`; everything else has it
    bomb       the body unpacks to `size` bytes of nothing
    refused    `status` 403 (default) or 429
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    url: str = Field("*", max_length=400)
    """A glob over path and query: `/cgi-bin/*`, `*type=8-K*`."""
    start: datetime | time | None = None
    end: datetime | time | None = None
    count: int | None = Field(None, ge=1)
    """At most so many requests are hit."""
    status: int | None = Field(None, ge=400, le=599)
    seconds: float = Field(5.0, ge=0, le=86_400)
    """Of simulated time."""
    bytes_per_second: float | None = Field(None, gt=0)
    after_bytes: int | None = Field(None, ge=0)
    accession: str = Field("", max_length=20)
    size: int = Field(256 * _MEBIBYTE, ge=1, le=1 << 40)

    def at(self, moment: datetime) -> bool:
        """Whether the fault's span covers a moment; the end is not part of it."""
        since, until = _moment(self.start, moment), _moment(self.end, moment)
        return (since is None or since <= moment) and (until is None or moment < until)


_FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(Annotated[list[Fault], Field(max_length=MAX_FAULTS)])


class Faults:
    """The faults in force. Add to it at any time; `take` counts."""

    def __init__(self, *faults: Fault) -> None:
        self._ids = itertools.count(1)
        self._faults: dict[int, Fault] = {}
        self._hits: dict[int, int] = {}
        for fault in faults:
            self.add(fault)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Faults from a JSON file: one object or a list. Raises UsageError."""
        try:
            return cls(*parse_faults(path.read_bytes()))
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}): name a JSON file of faults") from error
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error

    def add(self, fault: Fault) -> int:
        """Put a fault in force; its number serves `remove`. Raises UsageError when there are too many."""
        if len(self._faults) >= MAX_FAULTS:
            raise UsageError(f"{MAX_FAULTS} faults are in force: clear some first")
        number = next(self._ids)
        self._faults[number], self._hits[number] = fault, 0
        return number

    def remove(self, number: int) -> None:
        self._faults.pop(number, None)
        self._hits.pop(number, None)

    def clear(self) -> None:
        self._faults.clear()
        self._hits.clear()

    def listed(self) -> list[dict[str, object]]:
        """Every fault with its number and how many requests it hit."""
        return [
            {"id": number, "hits": self._hits[number], **fault.model_dump(mode="json", exclude_defaults=True)}
            for number, fault in self._faults.items()
        ]

    def take(self, url: str, moment: datetime, age: float | None) -> list[Fault]:
        """The faults that hit a request now, each counted. `age`: seconds since the filing's release, if it is one."""
        return [fault for number, fault in self._faults.items() if self._hit(number, fault, url, moment, age)]

    def gone(self, moment: datetime) -> frozenset[str]:
        """Accessions that are withdrawn now."""
        return frozenset(
            fault.accession for fault in self._faults.values() if fault.kind == "vanish" and fault.at(moment)
        )

    def unlisted(self, moment: datetime) -> frozenset[str]:
        """Accessions that the feed leaves out now."""
        return frozenset(
            fault.accession for fault in self._faults.values() if fault.kind == "unlisted" and fault.at(moment)
        )

    def _hit(self, number: int, fault: Fault, url: str, moment: datetime, age: float | None) -> bool:
        if fault.kind in ("vanish", "unlisted") or (fault.count is not None and self._hits[number] >= fault.count):
            return False
        if fault.kind == "missing" and (age is None or age >= fault.seconds):
            return False
        if not fault.at(moment) or not fnmatch.fnmatchcase(url, fault.url):
            return False
        self._hits[number] += 1
        return True


def parse_faults(body: bytes) -> list[Fault]:
    """One fault or a list of them, from JSON. Raises UsageError that names the field."""
    text = body.strip()
    if not text:
        raise UsageError("there are no faults: give a JSON object or a list of them")
    try:
        return _FAULTS.validate_json(text if text.startswith(b"[") else b"[" + text + b"]")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"faults are malformed at {place or 'the start'}: {first['msg']}") from error


def garbage(length: int) -> bytes:
    """Random bytes, the same ones for the same length."""
    return random.Random(length).randbytes(min(length, _MEBIBYTE) or 1)


def bomb(size: int) -> Iterator[bytes]:
    """A gzip stream that unpacks to about `size` zeros; the packer works on the first mebibyte only."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(_MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    # A fully flushed block stands on its own, so the same one can be sent again and again.
    for _ in range(max(1, size // _MEBIBYTE)):
        yield block


def _moment(edge: datetime | time | None, now: datetime) -> datetime | None:
    if isinstance(edge, time):
        return datetime.combine(now.astimezone(NEW_YORK).date(), edge.replace(tzinfo=None), NEW_YORK)
    if edge is not None and edge.tzinfo is None:
        return edge.replace(tzinfo=NEW_YORK)
    return edge
