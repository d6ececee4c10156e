"""How an accession lies in Redis, and what writing it does to the indices. Pure.

Keys: `acc` one JSON row an accession; `pending` what is not final, by score then age; `deferred` what of it waits for a
time; `accepted` all by acceptance; `withdrawn` a set; `subject:CIK:FORM` by acceptance; `ledger` the counters `seq`,
`before`, `withdrawn`, `alerted` (of what is pending), and `since`, `begun`, `trimmed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from catalyst.filings.accession_rows import MAX_ERROR, Entry, Mark, Stage, entry_of, parties_json
from catalyst.filings.types import Filing

Command = tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One accession, and its place in the order of arrival."""

    seq: int
    entry: Entry

    @property
    def name(self) -> str:
        return self.entry.filing.accession

    @property
    def is_pending(self) -> bool:
        return self.entry.stages < Stage.FINAL

    @property
    def member(self) -> str:
        """In `pending` and `deferred`: equal scores are ordered by this."""
        return f"{self.seq:012}:{self.name}"

    @property
    def subject(self) -> str:
        """Name of the index by which an amendment finds what it amends."""
        return f"subject:{self.entry.filing.subject.cik}:{self.entry.filing.form}"


def encoded(row: Row) -> str:
    filing, entry = row.entry.filing, row.entry
    values = (
        row.seq,
        filing.accession,
        filing.form,
        parties_json(filing.parties).decode(),
        orjson.dumps(filing.items).decode(),
        filing.accepted.timestamp(),
        filing.filed.isoformat() if filing.filed else None,
        filing.url,
        filing.seen_at.timestamp(),
        entry.score,
        int(entry.stages),
        entry.how,
        entry.version,
        entry.attempts,
        entry.next_try_at,
        entry.error,
        entry.amends,
        entry.withdrawn,
        filing.source,
        entry.period,
    )
    return orjson.dumps(values).decode()


def decoded(raw: bytes) -> Row:
    seq, *columns = orjson.loads(raw)
    return Row(seq, entry_of(tuple(columns)))


def fresh(seq: int, filing: Filing, score: float, stages: Stage, amends: str) -> Row:
    return Row(seq, Entry(filing, score, stages, "", 0, 0, 0.0, "", amends, False, ""))


def marked(entry: Entry, mark: Mark) -> Entry:
    """The entry with a mark's progress."""

    def given(value: Any, before: Any) -> Any:
        return before if value is None else value

    return Entry(
        entry.filing,
        entry.score,
        entry.stages | mark.stages,
        entry.how or mark.how or "",
        max(entry.version, mark.version or 0),
        given(mark.attempts, entry.attempts),
        given(mark.next_try_at, entry.next_try_at),
        given(mark.error, entry.error)[:MAX_ERROR],
        given(mark.amends, entry.amends),
        given(mark.withdrawn, entry.withdrawn),
        given(mark.period, entry.period),
    )


def writes(before: Row | None, after: Row, prefix: str) -> Iterator[Command]:
    """What turns `before` (None: it was never seen) into `after`, everywhere."""
    entry = after.entry
    yield "HSET", f"{prefix}:acc", after.name, encoded(after)
    if before is None or before.entry.filing.accepted != entry.filing.accepted:
        yield "ZADD", f"{prefix}:accepted", entry.filing.accepted.timestamp(), after.name
    yield from _subjects(before, after, prefix)
    yield from _queue(before, after, prefix)
    yield from _counters(before, after, prefix)


def removal(row: Row, prefix: str) -> Iterator[Command]:
    """What forgets a row; the caller counts those that were never told of."""
    yield "HDEL", f"{prefix}:acc", row.name
    yield "ZREM", f"{prefix}:accepted", row.name
    yield "ZREM", f"{prefix}:{row.subject}", row.name
    if row.entry.withdrawn:
        yield "SREM", f"{prefix}:withdrawn", row.name


def _subjects(before: Row | None, after: Row, prefix: str) -> Iterator[Command]:
    if before is not None and before.subject != after.subject:
        yield "ZREM", f"{prefix}:{before.subject}", after.name
    if before is None or (before.subject, _accepted(before)) != (after.subject, _accepted(after)):
        yield "ZADD", f"{prefix}:{after.subject}", _accepted(after).timestamp(), after.name


def _queue(before: Row | None, after: Row, prefix: str) -> Iterator[Command]:
    was = before is not None and before.is_pending
    if after.is_pending and not was:
        yield "ZADD", f"{prefix}:pending", -after.entry.score, after.member
    if was and not after.is_pending:
        yield "ZREM", f"{prefix}:pending", after.member
        yield "ZREM", f"{prefix}:deferred", after.member
    elif after.entry.next_try_at != (before.entry.next_try_at if before else 0.0) and after.is_pending:
        yield "ZADD", f"{prefix}:deferred", after.entry.next_try_at, after.member


def _counters(before: Row | None, after: Row, prefix: str) -> Iterator[Command]:
    counters = f"{prefix}:ledger"
    if before is None:
        yield "HSET", counters, "seq", after.seq
    for name, is_so in (("alerted", _waits_alerted), ("before", _never_told)):
        if step := is_so(after) - (before is not None and is_so(before)):
            yield "HINCRBY", counters, name, step
    if before is not None and before.entry.withdrawn != after.entry.withdrawn:
        yield "SADD" if after.entry.withdrawn else "SREM", f"{prefix}:withdrawn", after.name


def _waits_alerted(row: Row) -> bool:
    return row.is_pending and Stage.ALERTED in row.entry.stages


def _never_told(row: Row) -> bool:
    return Stage.BEFORE in row.entry.stages


def _accepted(row: Row) -> datetime:
    return row.entry.filing.accepted
