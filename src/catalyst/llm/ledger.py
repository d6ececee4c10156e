"""Every attempt as one row, with what it cost. Rows are written in groups, off the request's path.

A group waits at most 0.25 s: kill -9 loses no more than that of the report (the money itself stands in `budget`,
exactly). While the database is away, rows wait in memory and, past a bound, in a spool file; they follow when it is
back. `usage` reads the daily sums that each group also updates.
"""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import orjson
import structlog

from catalyst.clock import Clock
from catalyst.llm.group import Group
from catalyst.llm.prices import usd
from catalyst.llm.store import HubStore
from catalyst.llm.usage import By, UsageLine

GROUP_SECONDS = 0.25
GROUP_ROWS = 500
MOST_WAITING = 20_000
"""Rows kept in memory while the database is away; later ones go to the spool file."""

DAY = 86_400.0
KEPT_SECONDS = 400 * DAY
"""Single attempts are forgotten after this; the daily sums stay."""

TRIM_SECONDS, TRIM_ROWS = 60.0, 2_000
"""How often old rows are looked for, and how many go at once, so that no group waits for it."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt, or one answer from the cache (`cache_kind` set). Costs in nano-dollars."""

    at: float
    request: str
    tenant: str
    feature: str
    provider: str
    model: str
    outcome: str
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost: int = 0
    price_version: str = ""
    latency_ms: float = 0.0
    cache_kind: str = ""
    saved: int = 0
    """What a cache hit did not cost."""
    retry: int = 0
    """Attempts of this request before it."""
    estimated: bool = False
    """The provider did not say what it used; the cost is the most it can be."""
    variant: str = ""
    """The prompt template that made the request, by id, version and hash: how its variants fare is read from here."""
    left_out: int = 0
    """Input tokens that compression spared."""
    quota_day: str = ""
    """The day of the provider's free quota that this call counts against."""


class Shared(Protocol):
    """A ledger of several machines."""

    async def add(self, rows: Sequence[Row]) -> None: ...

    async def calls_today(self, provider: str, day: str) -> int: ...

    async def report(self, by: By, since: str = "", until: str = "9999", tenant: str = "") -> list[UsageLine]: ...


class Ledger:
    """`record` rows; `flush` before reading; `close` writes the rest."""

    def __init__(
        self,
        store: HubStore,
        clock: Clock,
        zone: ZoneInfo,
        *,
        log_path: Path | None = None,
        admissions: Callable[[], list[tuple[str, float]]] = list,
        shared: Shared | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._log_path = log_path
        self._admissions = admissions
        self.shared = shared
        """Where rows of several machines meet; set before the first row."""
        self._spool = store.path.with_name(f"{store.path.stem}-spool.jsonl")
        self._group: Group[Row] = Group(self._apply, linger=GROUP_SECONDS, most=GROUP_ROWS, name="ledger")
        self._days: dict[int, str] = {}
        self._admitted: list[tuple[str, float]] = []
        self._trimmed = float("-inf")
        self._log = log.bind()  # bound once: a lazy logger costs 6 us a line that nobody wants

    @property
    def waiting(self) -> int:
        """Rows not yet written."""
        return len(self._group)

    def record(self, row: Row) -> None:
        """Keep a row; it is written with its group. Never raises for the database's sake."""
        self._log.info(
            "ledger.row", request=row.request, tenant=row.tenant, provider=row.provider, model=row.model,
            outcome=row.outcome, cache=row.cache_kind, cost_nano=row.cost, latency_ms=row.latency_ms, retry=row.retry,
        )  # fmt: skip
        if len(self._group) >= MOST_WAITING:
            self._spill(row)
            return
        self._group.post(row)

    async def flush(self) -> None:
        await self._group.flush()

    async def close(self) -> None:
        """Write what is left; what the database does not take goes to the spool file."""
        await self._group.close()
        for row in self._group.drain():
            self._spill(row)

    async def calls_today(self, provider: str, day: str) -> int:
        """Calls of `provider` on its quota day, as far as written. Raises StorageError."""
        if self.shared is not None:
            return await self.shared.calls_today(provider, day)
        sql = "SELECT calls FROM quota_days WHERE provider = ? AND day = ?"
        row = await self._store.read(lambda connection: connection.execute(sql, (provider, day)).fetchone())
        return row[0] if row else 0

    async def admissions(self, since: float) -> list[tuple[str, float]]:
        """Admitted requests from outside since then, oldest first: tenant and POSIX seconds."""
        sql = "SELECT tenant, at FROM admissions WHERE at > ? ORDER BY at"
        return await self._store.read(lambda connection: connection.execute(sql, (since,)).fetchall())

    async def _apply(self, rows: Sequence[Row]) -> Sequence[Any]:
        spools = {path: self._spooled(path) for path in self._claimed()}
        self._admitted += self._admissions()
        admitted = list(self._admitted)
        written = await self._store.write(lambda connection: self._insert_all(connection, rows, spools, admitted))
        self._admitted.clear()
        for path in spools:
            path.unlink(missing_ok=True)
        if self._log_path is not None:
            _append(self._log_path, written)
        if self.shared is not None:
            await self.shared.add(written)
        return [None] * len(rows)

    def _insert_all(
        self,
        connection: sqlite3.Connection,
        rows: Sequence[Row],
        spools: Mapping[Path, list[Row]],
        admitted: list[tuple[str, float]],
    ) -> list[Row]:
        """Everything of one group, in one transaction; a spool whose name is known was counted before we died."""
        found = list(rows)
        for path, spooled in spools.items():
            if connection.execute("INSERT OR IGNORE INTO spools VALUES (?)", (path.name,)).rowcount:
                found += spooled
        self._insert(connection, found, admitted)
        self._trim(connection)
        return found

    def _trim(self, connection: sqlite3.Connection) -> None:
        now = self._clock.monotonic()
        if now - self._trimmed < TRIM_SECONDS:
            return
        self._trimmed = now
        before = self._clock.now().timestamp() - KEPT_SECONDS
        connection.execute(
            "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE at < ? ORDER BY at LIMIT ?)",
            (before, TRIM_ROWS),
        )

    def _insert(self, connection: sqlite3.Connection, rows: list[Row], admitted: list[tuple[str, float]]) -> None:
        connection.executemany(
            "INSERT INTO attempts (at, request, tenant, feature, provider, model, outcome, cache_kind, tokens_in, "
            "tokens_out, tokens_cached, cost, saved, price_version, latency_ms, retry, estimated, variant, "
            "left_out) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    row.at, row.request, row.tenant, row.feature, row.provider, row.model, row.outcome,
                    row.cache_kind, row.tokens_in, row.tokens_out, row.tokens_cached, row.cost, row.saved,
                    row.price_version, row.latency_ms, row.retry, row.estimated, row.variant, row.left_out,
                )
                for row in rows
            ],
        )  # fmt: skip
        self._sum(connection, rows)
        if admitted:
            connection.executemany("INSERT INTO admissions VALUES (?, ?)", [(at, tenant) for tenant, at in admitted])
            connection.execute("DELETE FROM admissions WHERE at < ?", (admitted[-1][1] - DAY,))

    def _sum(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        days: dict[tuple[str, ...], list[float]] = {}
        quotas: dict[tuple[str, str], int] = {}
        for row in rows:
            key = (self.day(row.at), row.provider, row.model, row.feature, row.tenant, row.outcome, row.cache_kind)
            sums = days.get(key)
            if sums is None:
                sums = days[key] = [0] * 9
            wasted = 0 if row.outcome == "ok" else row.cost
            added = (1, row.tokens_in, row.tokens_out, row.tokens_cached, row.cost, row.saved, wasted, row.latency_ms)
            for place, value in enumerate(added):
                sums[place] += value
            sums[8] += row.retry > 0
            if row.quota_day:
                quota = (row.provider, row.quota_day)
                quotas[quota] = quotas.get(quota, 0) + 1
        connection.executemany(_SUM, [(*key, *sums) for key, sums in days.items()])
        connection.executemany(_QUOTA, [(*key, calls) for key, calls in quotas.items()])

    def day(self, at: float) -> str:
        """The operator's day of a moment; remembered by the quarter of an hour, where no zone changes its day."""
        quarter = int(at // 900)
        day = self._days.get(quarter)
        if day is None:
            if len(self._days) > 1_000:
                self._days.clear()
            day = self._days[quarter] = datetime.fromtimestamp(quarter * 900, self._zone).strftime("%Y-%m-%d")
        return day

    def _spill(self, row: Row) -> None:
        try:
            with self._spool.open("ab") as file:
                file.write(orjson.dumps(asdict(row)) + b"\n")
        except OSError as error:
            log.error("ledger.row.lost", request=row.request, cost=str(usd(row.cost)), error=str(error))

    def _claimed(self) -> list[Path]:
        """Spool files under names of their own: one that is read is not written to any more."""
        with contextlib.suppress(OSError):
            self._spool.rename(self._spool.with_name(f"{self._spool.stem}-{uuid.uuid4().hex}.jsonl"))
        return sorted(self._spool.parent.glob(f"{self._spool.stem}-*.jsonl"))

    def _spooled(self, path: Path) -> list[Row]:
        """Rows of a spool file."""
        try:
            lines = path.read_bytes().splitlines()
        except OSError:
            return []
        return [row for row in map(_read_row, lines) if row is not None]


_SUM = (
    "INSERT INTO usage_days VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
    "calls = calls + excluded.calls, tokens_in = tokens_in + excluded.tokens_in, "
    "tokens_out = tokens_out + excluded.tokens_out, tokens_cached = tokens_cached + excluded.tokens_cached, "
    "cost = cost + excluded.cost, saved = saved + excluded.saved, wasted = wasted + excluded.wasted, "
    "latency_ms = latency_ms + excluded.latency_ms, retries = retries + excluded.retries"
)
_QUOTA = "INSERT INTO quota_days VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls"


def _read_row(line: bytes) -> Row | None:
    try:
        return Row(**orjson.loads(line))
    except (ValueError, TypeError):
        log.error("ledger.spool.unreadable", line=len(line))
        return None


def _append(path: Path, rows: Sequence[Row]) -> None:
    """Add the rows to the operator's JSON lines file; a full disk there loses no row of the database."""
    lines = []
    for row in rows:
        entry = asdict(row) | {"cost_usd": str(usd(row.cost)), "saved_usd": str(usd(row.saved))}
        lines.append(orjson.dumps(entry))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(b"\n".join(lines) + b"\n")
    except OSError as error:
        log.error("ledger.export.failed", path=str(path), error=str(error))
