"""The accession ledger that several machines share: whoever holds the lease writes it, all may read it.

Each change is worked out here and written by one guarded script, which is refused when another process has taken the
lease since. Changes of this process take turns. `ledger_redis_rows.py` says how a row lies in Redis.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import orjson

from catalyst.filings import accession_rows as rows
from catalyst.filings.accession_past import TRIM_MARGIN
from catalyst.filings.accession_rows import LONGEST_DEFERRAL, Entry, Mark, Pending, Stage
from catalyst.filings.ledger_redis_rows import Command, Row, decoded, fresh, marked, removal, writes
from catalyst.filings.types import TIMED, FeedEntry, Filing
from catalyst.stream.redis_link import Fence, Link
from catalyst.stream.redis_scripts import GUARD

APPLY = (
    GUARD
    + """
for _, command in ipairs(cjson.decode(ARGV[4])) do redis.call(unpack(command)) end
return {writes}
"""
)
"""Several commands as one guarded, atomic step. ARGV: guard, the commands as JSON lists of strings."""

CHUNK = 500
_CANDIDATES = 200
"""Filings of one company and form among which an amendment's original is looked for, newest first."""


class RedisAccessionLedger:
    """`Ledger` in Redis. `rank` gives a new filing's priority score (0 to 1), by which work is ordered."""

    def __init__(self, link: Link, fence: Fence, rank: Callable[[Filing], float] = lambda _: 0.0) -> None:
        self._link = link
        self._fence = fence
        self._rank = rank
        self._turn = asyncio.Lock()

    async def see(self, entries: Sequence[FeedEntry], seen_at: datetime) -> list[Filing]:
        found = [(filing, self._rank(filing)) for filing in rows.merged(entries, seen_at)]
        if not found:
            return []
        async with self._turn:
            return await self._see(found)

    async def begun(self) -> bool:
        return await self._number("begun") is not None

    async def since(self, at: datetime) -> datetime:
        async with self._turn:
            kept = await self._number("since")
            if kept is None:
                await self._apply([("HSET", self._key("ledger"), "since", repr(at.timestamp()))])
        return at if kept is None else datetime.fromtimestamp(kept, UTC)

    async def begin(self, before: Sequence[FeedEntry], at: datetime) -> None:
        async with self._turn:
            filings = rows.merged(before, at)
            known = await self._rows([filing.accession for filing in filings])
            change = _Change(self, int(await self._number("seq") or 0))
            for filing in reversed(filings):
                if filing.accession not in known:
                    await change.insert(filing, 0.0, Stage.BEFORE)
            done: Command = ("HSET", self._key("ledger"), "begun", repr(at.timestamp()))
            await self._apply([*change.commands, done])

    async def mark(self, *marks: Mark) -> None:
        if not marks:
            return
        async with self._turn:
            known = await self._rows([mark.accession for mark in marks])
            before = dict(known)
            for mark in marks:
                if row := known.get(mark.accession):
                    known[mark.accession] = replace(row, entry=marked(row.entry, mark))
            commands = [
                command
                for name, row in known.items()
                if row != before[name]
                for command in writes(before[name], row, self._link.prefix)
            ]
            if commands:
                await self._apply(commands)

    async def pending(self, now: float, limit: int, skip: Stage = Stage.NONE) -> Pending:
        later = ("ZRANGEBYSCORE", self._key("deferred"), f"({now!r}", repr(now + LONGEST_DEFERRAL), "WITHSCORES")
        deferred = await self._link.call(*later)
        waiting = set(deferred[::2])
        entries: list[Entry] = []
        start = 0
        while len(entries) < limit:
            members = await self._link.call("ZRANGE", self._key("pending"), start, start + CHUNK - 1)
            names = [member.partition(b":")[2].decode() for member in members if member not in waiting]
            found = await self._rows(names[: CHUNK if skip else limit - len(entries)])
            entries += [row.entry for row in found.values() if not row.entry.stages & skip and row.is_pending]
            start += CHUNK
            if len(members) < CHUNK:
                break
        return Pending(entries[:limit], float(deferred[1]) if deferred else None)

    async def get(self, accession: str) -> Entry | None:
        found = (await self._rows([accession])).get(accession)
        return found.entry if found else None

    async def count(self) -> dict[str, int]:
        counters, pending, withdrawn = await self._link.calls(
            [
                ("HMGET", self._key("ledger"), "seq", "before", "alerted"),
                ("ZCARD", self._key("pending")),
                ("SCARD", self._key("withdrawn")),
            ]
        )
        seen, before, alerted = (int(value or 0) for value in counters)
        final = seen - pending - before
        return {
            "seen": seen - before,
            "alerted": final + alerted,
            "final": final,
            "pending": pending,
            "withdrawn": withdrawn,
            "before": before,
        }

    async def unknown(self, accessions: Sequence[str]) -> list[str]:
        known = await self._rows(accessions)
        return [name for name in accessions if name not in known]

    async def original(self, filing: Filing, period: str = "") -> str:
        return await self._original(filing, period, ())

    async def returned(self, shown: Iterable[str]) -> list[str]:
        withdrawn = {name.decode() for name in await self._link.call("SMEMBERS", self._key("withdrawn"))}
        return [name for name in shown if name in withdrawn]

    async def trim(self, before: datetime, limit: int = 5000) -> int:
        async with self._turn:
            names = await self._link.call(
                "ZRANGEBYSCORE", self._key("accepted"), "-inf", f"({before.timestamp()!r}", "LIMIT", 0, 2 * limit
            )
            newest = int(await self._number("seq") or 0)
            found = (await self._rows([name.decode() for name in names])).values()
            gone = [row for row in found if not row.is_pending and row.entry.filing.seen_at < before]
            gone = [row for row in gone if row.seq < newest][:limit]
            for start in range(0, len(gone), CHUNK):
                some = gone[start : start + CHUNK]
                await self._apply([command for row in some for command in removal(row, self._link.prefix)])
            if before.timestamp() > (await self._number("trimmed") or -1e12):
                await self._apply([("HSET", self._key("ledger"), "trimmed", repr(before.timestamp()))])
            return len(gone)

    async def unseen_between(
        self, oldest: datetime, newest: datetime, before: datetime, shown: Iterable[str]
    ) -> frozenset[str]:
        span = (repr(oldest.timestamp()), repr(newest.timestamp()))
        names = await self._link.call("ZRANGEBYSCORE", self._key("accepted"), *span)
        found = await self._rows(sorted({name.decode() for name in names} - set(shown)))
        return frozenset(
            row.name
            for row in found.values()
            if row.entry.filing.seen_at < before and not row.entry.withdrawn and Stage.BEFORE not in row.entry.stages
        )

    async def _see(self, ranked: Sequence[tuple[Filing, float]]) -> list[Filing]:
        known = await self._rows([filing.accession for filing, _ in ranked])
        trimmed = (await self._number("trimmed") or -1e12) + TRIM_MARGIN.total_seconds()
        change = _Change(self, int(await self._number("seq") or 0))
        new: list[Filing] = []
        for filing, score in reversed(ranked):  # oldest first, so that `seq` follows time
            if row := known.get(filing.accession):
                change.update(row, _extended(row.entry.filing, filing))
            elif filing.accepted.timestamp() >= trimmed:
                await change.insert(filing, score, Stage.SEEN)
                new.append(filing)
        if change.commands:
            await self._apply(change.commands)
        return new[::-1]

    async def _original(self, filing: Filing, period: str, also: Iterable[Row]) -> str:
        """`also` are rows of the change under way."""
        wanted = f"subject:{filing.subject.cik}:{filing.form.removesuffix('/A')}"
        until = filing.accepted.timestamp()
        names = await self._link.call(
            "ZREVRANGEBYSCORE", self._key(wanted), repr(until), "-inf", "LIMIT", 0, _CANDIDATES
        )
        found = list((await self._rows([name.decode() for name in names])).values())
        found += [row for row in also if row.subject == wanted and row.entry.filing.accepted <= filing.accepted]
        fitting = [row for row in found if not period or row.entry.period in ("", period)]
        fitting.sort(key=lambda row: (bool(row.entry.period == period), row.entry.filing.accepted), reverse=True)
        others = rows.others_of(filing.parties, filing.subject.cik)
        same = (row.name for row in fitting if not others or others & rows.others_of(row.entry.filing.parties))
        return next(same, "")

    async def _rows(self, names: Sequence[str]) -> dict[str, Row]:
        """Those that are known, in the order asked for."""
        found: dict[str, Row] = {}
        for start in range(0, len(names), CHUNK):
            some = names[start : start + CHUNK]
            raw = await self._link.call("HMGET", self._key("acc"), *some)
            found |= {name: decoded(value) for name, value in zip(some, raw, strict=True) if value is not None}
        return found

    async def _number(self, name: str) -> float | None:
        found = await self._link.call("HGET", self._key("ledger"), name)
        return None if found is None else float(found)

    async def _apply(self, commands: Sequence[Command]) -> None:
        text = orjson.dumps([[word if isinstance(word, str) else repr(word) for word in each] for each in commands])
        await self._link.write(APPLY, self._fence, text)

    def _key(self, name: str) -> str:
        return f"{self._link.prefix}:{name}"


class _Change:
    """Rows that are about to be written together; later ones see the earlier."""

    def __init__(self, ledger: RedisAccessionLedger, seq: int) -> None:
        self._ledger = ledger
        self._seq = seq
        self._fresh: list[Row] = []
        self.commands: list[Command] = []

    async def insert(self, filing: Filing, score: float, stages: Stage) -> None:
        self._seq += 1
        amends = await self._ledger._original(filing, "", self._fresh) if filing.is_amendment else ""
        row = fresh(self._seq, filing, score, stages, amends)
        self._fresh.append(row)
        self.commands += writes(None, row, self._ledger._link.prefix)

    def update(self, row: Row, filing: Filing) -> None:
        if filing != row.entry.filing:
            after = replace(row, entry=replace(row.entry, filing=filing))
            self.commands += writes(row, after, self._ledger._link.prefix)


def _extended(known: Filing, filing: Filing) -> Filing:
    """What a later sight adds: parties, items, and the acceptance where the first one had none."""
    items = tuple(dict.fromkeys((*known.items, *filing.items)))
    late = replace(known, parties=rows.union(known.parties, filing.parties), items=items)
    if filing.timed and known.source not in TIMED:
        late = replace(late, accepted=filing.accepted, url=filing.url, source=filing.source, timed=True)
    return late


__all__ = ["RedisAccessionLedger"]
