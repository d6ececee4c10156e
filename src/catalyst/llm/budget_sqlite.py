"""The purse of one machine: sums and open reservations in the hub's SQLite file, any number of processes.

Operations that arrive together share one transaction. A dead process's reservations are settled by whoever finds its
lock free, at once and not after a lease. See `budget` for the rules, `owner` for the flags.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from catalyst.errors import BudgetExceeded, StorageError
from catalyst.llm.budget import Alert, Claim, Reservation, Scope, Spent, Thresholds, granted, refusal
from catalyst.llm.float_money import AMPLE, Float, wanted
from catalyst.llm.group import Group
from catalyst.llm.owner import FLOAT_SLOT, SentFlags, charge, dead_flags, forget
from catalyst.llm.store import HubStore

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Reserve:
    claim: Claim
    slot: int


@dataclass(frozen=True, slots=True)
class _Settle:
    reservation: Reservation
    cost: int


@dataclass(frozen=True, slots=True)
class _Look:
    """Does nothing: asks whether the database is back."""


_Op = _Reserve | _Settle | _Look

LOCKED_SECONDS = 1.0
"""A database that takes longer is taken for locked where a float can pay."""

REFUSED_SECONDS = 3.0
"""Where none can, a call waits so long before it is refused."""


class SqliteBudget:
    """See `budget.Budget`."""

    def __init__(self, store: HubStore, folder: Path, thresholds: Thresholds) -> None:
        self._store = store
        self._folder = folder
        self._thresholds = thresholds
        self._flags: SentFlags | None = None
        self._alerted: set[Alert] = set()
        self._group: Group[_Op] = Group(self._apply, self._undo, name="budget")
        self._float: Float | None = None
        self._float_closing = False
        self._slow = False
        self.last: dict[str, Spent] = {}
        """Sums as the last transaction left them, for metrics and health."""

    async def start(self) -> None:
        """Settle what dead processes left. Raises StorageError."""
        self._own()
        await self._store.write(self._reclaim)

    async def reserve(self, claim: Claim) -> Reservation:
        if (self._group.failing or self._slow) and (quick := self._from_float(claim)) is not None:
            return quick
        try:
            if self._slow:
                self._probe()
                raise TimeoutError
            answer = await self._asked(claim)
        except (StorageError, TimeoutError) as error:
            paid = self._from_float(claim)
            if paid is not None:
                return paid
            raise BudgetExceeded(
                f"the budget cannot be read, so no money is spent ({str(error) or 'the database is locked'}); mend the "
                "database, then try again"
            ) from error
        if isinstance(answer, BudgetExceeded):
            raise answer
        return answer

    def _probe(self) -> None:
        """Ask whether the database is back; without this, nobody who is refused would ever notice."""
        if not len(self._group):
            self._group.post(_Look())

    async def _asked(self, claim: Claim) -> Reservation | BudgetExceeded:
        op = _Reserve(claim, self._own().take())
        try:
            answer: Reservation | BudgetExceeded = await self._group.call(op)
        except StorageError:
            self._own().give_back(op.slot)
            raise
        if isinstance(answer, BudgetExceeded):
            self._own().give_back(op.slot)
        return answer

    def _from_float(self, claim: Claim) -> Reservation | None:
        reservation = self._float.grant(claim) if self._float is not None else None
        if reservation is not None:
            log.warning("budget.float.used", nano=reservation.amount)
            self._group.post(_Look())
        return reservation

    async def sent(self, reservation: Reservation) -> None:
        if reservation.slot >= 0:
            self._own().mark(reservation.slot)

    def settle(self, reservation: Reservation, cost: int) -> None:
        if not reservation.open:
            return
        reservation.open = False
        if reservation.slot >= 0:
            self._group.post(_Settle(reservation, cost))
        elif self._float is not None:
            self._float.settle(reservation, cost)

    async def spent(self, keys: Sequence[str]) -> Mapping[str, Spent]:
        await self._group.flush()
        return await self._store.read(lambda connection: _without_floats(connection, _sums(connection, keys)))

    async def close(self) -> None:
        self._end_float()
        await self._group.close()
        if self._flags is not None:
            self._flags.close(keep=len(self._group) > 0)
            self._flags = None

    def _own(self) -> SentFlags:
        if self._flags is None:
            self._flags = SentFlags(self._folder)
        return self._flags

    def _locked(self) -> None:
        """The database does not answer: those who wait go on with the float, or are refused."""
        self._slow = True
        self._group.give_up(TimeoutError())

    def _undo(self, op: _Op, result: Any) -> None:
        if isinstance(result, Reservation):
            self.settle(result, 0)
        elif isinstance(op, _Reserve):
            self._own().give_back(op.slot)

    async def _apply(self, ops: Sequence[_Op]) -> Sequence[Any]:
        flags = self._own()
        watch = asyncio.get_running_loop().call_later(LOCKED_SECONDS if self._float else REFUSED_SECONDS, self._locked)
        try:
            results, sums, alerts, kept = await self._store.write(lambda connection: self._transact(connection, ops))
        finally:
            watch.cancel()
        self._slow = False
        for op in ops:
            if not isinstance(op, _Settle):
                continue
            if op.reservation.slot == FLOAT_SLOT:
                self._float_closing = False
            else:
                flags.give_back(op.reservation.slot)
        self._renew(kept)
        self.last.update(sums)
        if len(self.last) > 4_096:
            self.last = dict(sums)
        for alert in alerts:
            self._alerted.add(alert)
            self._thresholds.tell(alert, sums[alert.key].settled)
        return results

    def _transact(
        self, connection: sqlite3.Connection, ops: Sequence[_Op]
    ) -> tuple[list[Any], dict[str, Spent], list[Alert], Reservation | None]:
        sums = _sums(connection, {scope.key for op in ops for scope in _scopes(op)})
        opened: dict[int, tuple[str, int, int, str]] = {}
        closed: list[tuple[str, int]] = []
        results: list[Any] = []
        tried_dead = False
        for op in ops:
            if not isinstance(op, _Reserve):
                if isinstance(op, _Settle):
                    self._close(op, sums, opened, closed)
                results.append(None)
                continue
            amount, blocking = granted(op.claim, sums)
            if blocking is not None and not tried_dead:
                tried_dead = True
                for key, spent in self._reclaim(connection).items():
                    if key in sums:
                        sums[key].settled += spent.settled
                        sums[key].reserved += spent.reserved
                amount, blocking = granted(op.claim, sums)
            if blocking is not None:
                results.append(refusal(blocking, sums[blocking.key], op.claim.at_least))
                continue
            results.append(self._open(op, amount, sums, opened))
        kept = self._keep(ops, sums, opened)
        _store(connection, sums, opened.values(), closed)
        return results, sums, self._due(connection, sums), kept

    def _keep(
        self, ops: Sequence[_Op], sums: dict[str, Spent], opened: dict[int, tuple[str, int, int, str]]
    ) -> Reservation | None:
        """Open a float beside the first claim, where money is ample and none is held."""
        claim = next((op.claim for op in ops if isinstance(op, _Reserve)), None)
        if claim is None or self._float is not None or self._float_closing:
            return None
        amount = wanted(claim, sums)
        if not amount:
            return None
        kept = Claim(amount, amount, claim.scopes[:2])
        return self._open(_Reserve(kept, FLOAT_SLOT), amount, sums, opened)

    def _renew(self, kept: Reservation | None) -> None:
        """After a transaction: a float that was used, or is of another month, is settled; a new one comes later."""
        if kept is not None:
            self._own().float_used(0)
            self._float = Float(kept, self._own())
            return
        held = self._float
        if held is None or held.running:
            return
        month = held.reservation.scopes[0]
        spent = self.last.get(month.key)
        scarce = (
            spent is not None and month.limit - spent.settled - spent.reserved < AMPLE * held.reservation.amount // 2
        )
        newer = any(key.startswith("month/") and key > month.key for key in self.last)
        if held.used or scarce or newer:
            self._end_float()

    def _end_float(self) -> None:
        held, self._float = self._float, None
        if held is not None:
            self._float_closing = True
            self._group.post(_Settle(held.reservation, held.used))

    def _open(
        self, op: _Reserve, amount: int, sums: dict[str, Spent], opened: dict[int, tuple[str, int, int, str]]
    ) -> Reservation:
        owner = self._own().owner
        for scope in op.claim.scopes:
            sums[scope.key].reserved += amount
        opened[op.slot] = (owner, op.slot, amount, "\n".join(scope.key for scope in op.claim.scopes))
        return Reservation(owner, amount, op.claim.scopes, op.slot)

    def _close(
        self,
        op: _Settle,
        sums: dict[str, Spent],
        opened: dict[int, tuple[str, int, int, str]],
        closed: list[tuple[str, int]],
    ) -> None:
        for scope in op.reservation.scopes:
            sums[scope.key].reserved -= op.reservation.amount
            sums[scope.key].settled += op.cost
        if opened.pop(op.reservation.slot, None) is None:
            closed.append((op.reservation.id, op.reservation.slot))

    def _due(self, connection: sqlite3.Connection, sums: Mapping[str, Spent]) -> list[Alert]:
        due = []
        for key, spent in sums.items():
            alert = self._thresholds.passed(key, spent.settled)
            if alert is None or alert in self._alerted:
                continue
            first = connection.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?)", (key, alert.kind)).rowcount
            self._alerted.add(alert)
            due += [alert] if first else []
        return due

    def _reclaim(self, connection: sqlite3.Connection) -> dict[str, Spent]:
        """Settle the reservations of dead owners; returns what that changes in each scope."""
        changes: dict[str, Spent] = {}
        mine = self._own().owner
        owners = [
            row[0] for row in connection.execute("SELECT DISTINCT owner FROM reservations WHERE owner <> ?", (mine,))
        ]
        for owner in owners:
            flags = dead_flags(self._folder, owner)
            if flags is not None:
                self._bury(connection, owner, flags, changes)
        if changes:
            found = _sums(connection, changes)
            for key, change in changes.items():
                found[key].settled += change.settled
                found[key].reserved += change.reserved
            _store(connection, found, (), ())
        return changes

    def _bury(self, connection: sqlite3.Connection, owner: str, flags: bytes, changes: dict[str, Spent]) -> None:
        rows = connection.execute("SELECT slot, amount, scopes FROM reservations WHERE owner = ?", (owner,)).fetchall()
        charged = 0
        for slot, amount, keys in rows:
            cost = charge(flags, slot, amount)
            charged += cost
            for key in keys.split("\n"):
                change = changes.setdefault(key, Spent(0, 0))
                change.reserved -= amount
                change.settled += cost
        connection.execute("DELETE FROM reservations WHERE owner = ?", (owner,))
        forget(self._folder, owner)
        log.warning("budget.reclaimed", owner=owner, reservations=len(rows), charged_nano=charged)


def _scopes(op: _Op) -> tuple[Scope, ...]:
    if isinstance(op, _Look):
        return ()
    return op.claim.scopes if isinstance(op, _Reserve) else op.reservation.scopes


def _sums(connection: sqlite3.Connection, keys: Any) -> dict[str, Spent]:
    found = {}
    for key in keys:
        row = connection.execute("SELECT settled, reserved FROM budget WHERE scope = ?", (key,)).fetchone()
        found[key] = Spent(*row) if row else Spent(0, 0)
    return found


def _without_floats(connection: sqlite3.Connection, sums: dict[str, Spent]) -> dict[str, Spent]:
    """What calls hold; a float is no call's."""
    for amount, keys in connection.execute("SELECT amount, scopes FROM reservations WHERE slot = ?", (FLOAT_SLOT,)):
        for key in keys.split("\n"):
            if key in sums:
                sums[key].reserved -= amount
    return sums


def _store(connection: sqlite3.Connection, sums: Mapping[str, Spent], opened: Any, closed: Any) -> None:
    connection.executemany(
        "INSERT INTO budget VALUES (?, ?, ?) ON CONFLICT (scope) DO UPDATE "
        "SET settled = excluded.settled, reserved = excluded.reserved",
        [(key, spent.settled, spent.reserved) for key, spent in sums.items()],
    )
    connection.executemany("DELETE FROM reservations WHERE owner = ? AND slot = ?", closed)
    connection.executemany("INSERT INTO reservations VALUES (?, ?, ?, ?)", opened)
