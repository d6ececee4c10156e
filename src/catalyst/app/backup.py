"""A copy of the databases, taken while the service runs, and put back: each file whole, checked, and never half there.

A restored log goes on under a new epoch: clients that have seen more than the copy holds are told to begin anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from catalyst import __version__
from catalyst.app.lock import held
from catalyst.errors import DiskFull, Locked, StorageError, UsageError

MANIFEST = "manifest.json"
MONEY = "hub.db"
"""What was spent. An older copy of it would let the same money be spent twice."""

KEYS = "keys.db"
"""API keys. An older copy of it would accept those again that were revoked since."""

CACHE = "cache.db"
"""Answers, which can be asked for again. An older copy of it would serve those again that were rejected since."""

Progress = Callable[[str, int, int], None]
"""Told of (file, files done, files in all)."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One file of a backup."""

    name: str
    bytes: int
    sha256: str


def backup(data_dir: Path, target: Path, now: datetime, progress: Progress) -> tuple[Path, list[Copied]]:
    """Copy every database under `data_dir` into a new folder in `target`; returns it once it is whole.

    The cache of answers stays out. Raises UsageError where there is nothing, StorageError for a damaged database,
    and DiskFull.
    """
    sources = sorted(path for path in data_dir.rglob("*.db") if path.is_file() and path.name != CACHE)
    if not sources:
        raise UsageError(f"no database lies under {data_dir}: name the data folder with --data")
    final = target / f"catalyst-{now:%Y%m%dT%H%M%SZ}"
    if final.exists():
        raise UsageError(f"{final} exists already: wait a second, or choose another folder")
    partial = target / f".{final.name}.partial"
    with _told(target):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        copied = []
        for number, path in enumerate(sources):
            progress(path.relative_to(data_dir).as_posix(), number, len(sources))
            copied.append(_copy(path, partial, data_dir))
        copied += [_plain(path, partial, data_dir) for path in sorted(data_dir.rglob("companies.json"))]
        rows = [{"name": one.name, "bytes": one.bytes, "sha256": one.sha256} for one in copied]
        text = orjson.dumps({"version": __version__, "at": now.isoformat(), "files": rows}, option=orjson.OPT_INDENT_2)
        (partial / MANIFEST).write_bytes(text)
        _sync(partial / MANIFEST)
        partial.rename(final)
    return final, copied


def verified(folder: Path) -> list[Copied]:
    """The files of a backup, each compared with its sum. Raises UsageError, or StorageError for a damaged one."""
    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
        files = [Copied(str(row["name"]), int(row["bytes"]), str(row["sha256"])) for row in manifest["files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{folder} is no backup of ours ({error}): name a folder that `catalyst backup` made"
        ) from error
    for one in files:
        path = folder / one.name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{folder}/{MANIFEST} names a file outside of it, {one.name[:80]!r}: not restored")
        if not path.is_file() or _sum(path) != one.sha256:
            raise StorageError(f"{path} is missing or damaged: nothing was restored; use another backup")
    return files


def restore(folder: Path, data_dir: Path, now: datetime, *, money: bool = False) -> Path | None:
    """Put a backup in place of `data_dir`; what was there is moved aside, and where to is returned.

    The keys that are there stay, where they are whole, and the ledgers of money too, unless `money` asks for the
    backup's. Raises Locked while a process uses it, and what `verified` raises; then nothing has changed.
    """
    files = [one for one in verified(folder) if Path(one.name).name != CACHE]
    staying = {KEYS} if money else {KEYS, MONEY}
    aside = data_dir.with_name(f"{data_dir.name}.before-{now:%Y%m%dT%H%M%SZ}")
    fresh = data_dir.with_name(f".{data_dir.name}.restoring")
    with _told(data_dir), contextlib.ExitStack() as locks:
        if fresh.exists() and not data_dir.exists():
            fresh.rename(data_dir)  # an earlier restore was killed between its last two steps: keys and money are there
        for used in sorted({path.parent for path in data_dir.rglob("lock")}):
            locks.enter_context(held(used))
        present = sorted(data_dir.rglob("*.db"))
        for path in present:
            _unused(path)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        # Also those that did not exist yet when the backup was made.
        kept = {path for path in present if path.name in staying and _kept(path, fresh, data_dir)}
        for one in files:
            place = fresh / one.name
            if data_dir / one.name in kept:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / one.name, place)
            if place.name == "stream.db":
                _begin_epoch(place)
            _sync(place)
        existed = data_dir.exists()
        if existed:
            data_dir.rename(aside)
        fresh.rename(data_dir)
    return aside if existed else None


def _unused(path: Path) -> None:
    """Raises Locked where a process has the database open: it would go on writing to what was moved aside."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=0.5)) as db:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise Locked(f"{path} is in use: stop every catalyst process of this folder, then try again") from error
    except sqlite3.Error:
        return  # damaged: which is why a backup is wanted


def _kept(path: Path, fresh: Path, data_dir: Path) -> bool:
    """Whether the present file could be taken over, with its write-ahead log."""
    try:
        _copy(path, fresh, data_dir)
    except sqlite3.OperationalError:
        raise  # a full disk, or no right to read: says nothing against the file
    except (sqlite3.DatabaseError, StorageError):
        (fresh / path.relative_to(data_dir)).unlink(missing_ok=True)
        return False
    return True


def _copy(path: Path, folder: Path, data_dir: Path) -> Copied:
    """SQLite's own online copy, in one step: whole as of one moment, and writers go on meanwhile."""
    name = path.relative_to(data_dir).as_posix()
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with (
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as source,
        contextlib.closing(sqlite3.connect(place)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        (said,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise StorageError(f"{path} is damaged ({said}): restore an earlier backup, or move the file away")
    _sync(place)
    return Copied(name, place.stat().st_size, _sum(place))


def _plain(path: Path, folder: Path, data_dir: Path) -> Copied:
    name = path.relative_to(data_dir).as_posix()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, folder / name)
    return Copied(name, path.stat().st_size, _sum(folder / name))


def _begin_epoch(path: Path) -> None:
    """A new numbering, in the bodies too: offsets beyond the copy's head will be given anew."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        row = db.execute("SELECT epoch FROM log_meta").fetchone()
        if row is None:
            return
        old, new = f'"epoch":"{row[0]}"', f'"epoch":"{(epoch := uuid.uuid4().hex)}"'
        db.execute("UPDATE log_bodies SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB)", (old, new))
        db.execute("UPDATE log_meta SET epoch = ?", (epoch,))


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def _told(place: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(f"a database could not be copied ({error}): check the disk, then try again") from error
    except OSError as error:
        if error.errno == 28:
            raise DiskFull(f"no space left at {place}: nothing was changed; free some, then try again") from error
        raise StorageError(f"{place}: {error.strerror or error}: check its rights, then try again") from error
