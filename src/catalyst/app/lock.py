"""One process per data folder: two writers would each believe in their own numbering."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from catalyst.errors import DiskFull, Locked, StorageError


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold `folder` (made when missing) for this process. The kernel lets go when we die, however we die."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        _take(handle, folder)
        yield
    finally:
        os.close(handle)


MOST = 16
"""Processes that may share a Redis from one data folder."""


@contextlib.contextmanager
def held_one(folder: Path, *, several: bool) -> Iterator[Path]:
    """Hold `folder`, or where `several` may run here (they share a Redis) the first free of it, `folder-2`, `-3` …"""
    names = [folder] + [folder.with_name(f"{folder.name}-{number}") for number in range(2, MOST + 1 if several else 2)]
    with contextlib.ExitStack() as stack:
        for name in names:
            try:
                stack.enter_context(held(name))
            except Locked:
                if name == names[-1]:
                    raise
            else:
                yield name
                return


def _take(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Locked(f"another catalyst works in {folder}: stop it, or choose another with --data") from None


def _unusable(folder: Path, error: OSError) -> StorageError:
    if error.errno == errno.ENOSPC:
        return DiskFull(f"no space left for {folder}: free some, then start again")
    reason = error.strerror or str(error)
    return StorageError(f"the data folder {folder} cannot be used ({reason}): choose another with --data")
