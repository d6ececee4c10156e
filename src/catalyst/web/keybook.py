"""The keys an operator has made, kept as hashes in SQLite: `catalyst keys add|list|revoke`. `auth.py` uses them.

A key is shown once, when it is made. Other processes see what was added or revoked within a second.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

from catalyst.errors import StorageError, UsageError

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Each holds those before it: who may write may read."""
PREFIX = "ck_"
SECONDS = 10.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_TABLE = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, name TEXT NOT NULL, tenant TEXT NOT NULL, scopes TEXT NOT NULL,
    made_at TEXT NOT NULL, revoked_at TEXT
) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key: its SHA-256 (keys are random and long, so no slow hash is needed) and what it allows."""

    digest: bytes = field(repr=False)
    scopes: frozenset[Scope] = frozenset(("read", "write"))
    tenant: str = ""
    """Whom its requests to models are counted, limited and billed for."""
    id: str = ""
    """What it is called in logs and commands; says nothing of the secret."""
    name: str = ""
    made_at: datetime | None = None
    revoked_at: datetime | None = None


class KeyBook:
    """The file of keys. Opened for each command, and held open by a service that follows it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=SECONDS, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(_TABLE)
            path.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"{path} cannot be opened ({error}): check the folder and its rights") from error

    def add(self, name: str, *, tenant: str = "", scopes: Sequence[Scope] = ("read", "write")) -> tuple[ApiKey, str]:
        """A new key and its secret, which is not kept. Raises UsageError for names that make no sense or are taken."""
        tenant = tenant or name
        for what, text in (("name", name), ("tenant", tenant)):
            if not _NAME.fullmatch(text):
                raise UsageError(f"{text[:80]!r} is no {what}: use up to 63 letters, digits, dots, dashes, underscores")
        secret = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(digest(secret), _with_lesser(scopes), tenant, secrets.token_hex(4), name, datetime.now(UTC))
        row = (key.id, key.digest, name, tenant, " ".join(sorted(scopes)), _text(key.made_at), None)
        with self._said():  # in one statement: of two processes with one name, one comes first
            made = self._db.execute(
                "INSERT INTO keys SELECT ?, ?, ?, ?, ?, ?, ?"
                " WHERE NOT EXISTS (SELECT 1 FROM keys WHERE name = ? AND revoked_at IS NULL)",
                (*row, name),
            )
        if not made.rowcount:
            raise UsageError(f"a key is named {name!r} already: revoke it first, or choose another name")
        return key, secret

    def revoke(self, which: str) -> ApiKey:
        """End the key of this id or name. Raises UsageError where there is none in use."""
        found = [key for key in self.list() if which in (key.id, key.name) and key.revoked_at is None]
        if not found:
            raise UsageError(f"no key in use is called {which[:80]!r}: `catalyst keys list` shows them")
        with self._said():
            self._db.execute("UPDATE keys SET revoked_at = ? WHERE id = ?", (_text(datetime.now(UTC)), found[0].id))
        return found[0]

    def list(self) -> list[ApiKey]:
        """Every key ever made, the oldest first; the revoked ones have `revoked_at`."""
        with self._said():
            rows = self._db.execute(
                "SELECT digest, scopes, tenant, id, name, made_at, revoked_at FROM keys ORDER BY made_at"
            ).fetchall()
        return [
            ApiKey(bytes(row[0]), _with_lesser(row[1].split()), row[2], row[3], row[4], _time(row[5]), _time(row[6]))
            for row in rows
        ]

    def version(self) -> tuple[int, int]:
        """Changes with every change of the file, by this connection or another's."""
        with self._said():
            other: int = self._db.execute("PRAGMA data_version").fetchone()[0]
        return other, self._db.total_changes

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"{self.path}: {error}: check the disk, then try again") from error


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _with_lesser(scopes: Iterable[str]) -> frozenset[Scope]:
    """The scopes, each with what it holds."""
    most = max((SCOPES.index(scope) for scope in SCOPES if scope in set(scopes)), default=-1)
    return frozenset(SCOPES[: most + 1])


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
