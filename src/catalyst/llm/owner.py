"""Tell which of a process's reservations were sent, so that its survivors can settle them after kill -9.

One byte a slot in a memory-mapped file that the process holds locked. The kernel keeps the bytes and drops the lock
when the process dies, however it dies: whoever can take the lock knows that the owner is gone.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import uuid
from pathlib import Path

from catalyst.errors import StorageError

SLOTS = 65_536
"""Attempts of one process that may be in flight at once."""

FLOAT_SLOT = SLOTS
"""The float's number among the reservations; what it spent stands after the flags, in eight bytes."""

_AMOUNT = struct.Struct("<q")
_SIZE = SLOTS + _AMOUNT.size


class SentFlags:
    """This process's own flags. Taking a slot, setting and clearing its byte take about a microsecond."""

    def __init__(self, folder: Path) -> None:
        self.owner = uuid.uuid4().hex
        self._path = _path(folder, self.owner)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = open(self._path, "w+b")  # noqa: SIM115 (held, and locked, as long as we live)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file.truncate(_SIZE)
            self._bytes = mmap.mmap(self._file.fileno(), _SIZE)
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written: {error}") from error
        self._free = list(range(SLOTS - 1, -1, -1))

    def take(self) -> int:
        if not self._free:
            raise StorageError(f"more than {SLOTS} calls in flight: lower LLM_MAX_CONCURRENT_REQUESTS")
        slot = self._free.pop()
        self._bytes[slot] = 0
        return slot

    def mark(self, slot: int) -> None:
        self._bytes[slot] = 1

    def give_back(self, slot: int) -> None:
        self._bytes[slot] = 0
        self._free.append(slot)

    def float_used(self, amount: int) -> None:
        """What the float may have spent, nano-dollars."""
        _AMOUNT.pack_into(self._bytes, SLOTS, amount)

    def close(self, *, keep: bool) -> None:
        """Let go; `keep` leaves the file for those who will settle what is still open."""
        self._bytes.close()
        if not keep:
            self._path.unlink(missing_ok=True)
        self._file.close()


def charge(flags: bytes, slot: int, amount: int) -> int:
    """What a dead owner's reservation is charged: all where it was sent, or where nobody can say."""
    if slot == FLOAT_SLOT:
        return min(amount, _AMOUNT.unpack_from(flags, SLOTS)[0]) if len(flags) >= _SIZE else amount
    return amount if len(flags) <= slot or flags[slot] else 0


def dead_flags(folder: Path, owner: str) -> bytes | None:
    """The flags of an owner that is dead (empty when its file is gone), or None while it lives."""
    try:
        with open(_path(folder, owner), "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return None
            return os.pread(file.fileno(), _SIZE, 0)
    except FileNotFoundError:
        return b""
    except OSError:
        return None


def forget(folder: Path, owner: str) -> None:
    """Remove a dead owner's file."""
    _path(folder, owner).unlink(missing_ok=True)


def _path(folder: Path, owner: str) -> Path:
    return folder / f"{owner}.flags"
