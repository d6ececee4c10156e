"""The durable log: appends against raw SQLite, and questions to a log of a million alerts.

    python -m bench.log [--rows 1000000] [--groups 150] [--quick] [--data DIR]

Appends go in groups of 128, each group durable (synchronous=FULL) before its caller's next. `raw_sqlite` writes the
same rows to the same tables and indices, in the same thread and in one transaction a group; it looks up no key and no
earlier message; its bodies are encoded beforehand, those of `raw_encoding` as they are written, which a log cannot
avoid. `ratio_…` compares one caller (who waits for every group, and for two changes of thread), `ratio_…_busy` four
callers at once, each in groups of 32, as a service's walks are: what waits shares a commit.
All take turns round by round, so that a busy machine slows all alike. With a redis-server (appendfsync always) the same
groups go to the Redis log, `raw_redis` being one MULTI of the same commands a group by the client library alone. The
million alerts are invented: 5,000 tickers of which the busiest has 6 %, ten forms, every
third filing with an update. A question's time is from the caller's task to its answer.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.common import free_port, percentile, report, say
from bench.fanout import alert
from catalyst.db import Database
from catalyst.stream.filters import Filter
from catalyst.stream.journal import Journal
from catalyst.stream.log import Query
from catalyst.stream.redis import RedisLog
from catalyst.stream.redis_link import Link
from catalyst.stream.sqlite import SqliteLog
from catalyst.stream.types import Alert

GROUP = 128
CALLERS = 4
FORMS = ("4", "8-K", "424B2", "10-Q", "SCHEDULE 13G", "6-K", "D", "10-K", "S-1", "25")
WEIGHTS = (40, 16, 14, 8, 8, 6, 4, 2, 1.5, 0.5)
BODY = b'{"type":"filing_alert","epoch":"","ts_ns":0,"filing_id":"%s","headline":"' + b"x" * 200 + b'"}'


class Raw:
    """The same rows in the same tables by the `sqlite3` module alone."""

    def __init__(self, path: Path) -> None:
        database = Database(path)
        SqliteLog(database)
        database.close()
        self._run = sqlite3.connect(path, isolation_level=None)
        self._run.execute("PRAGMA journal_mode=WAL")
        self._run.execute("PRAGMA synchronous=FULL")
        self._seq = 0

    def append(self, batch: list[tuple[Alert, bytes]]) -> None:
        numbered = list(enumerate(batch, self._seq + 1))
        self._seq += len(batch)
        self._run.execute("BEGIN IMMEDIATE")
        self._run.executemany(
            "INSERT INTO log VALUES (?,?,'filing_alert',?,'8-K','[\"ACME\"]',.9,.9,NULL,?)",
            [(n, each.key, each.filing_id, time.time_ns()) for n, (each, _) in numbered],
        )
        self._run.executemany("INSERT INTO log_bodies VALUES (?,?)", [(n, body) for n, (_, body) in numbered])
        self._run.executemany("INSERT INTO log_tickers VALUES ('ACME',?)", [(n,) for n, _ in numbered])
        self._run.execute("COMMIT")


async def appends(folder: Path, groups: int) -> dict[str, float]:
    """Seconds that ours, raw and raw with encoding took for all groups, and p99 ms of appends of one."""
    database = Database(folder / "ours.db")
    log = SqliteLog(database)
    raw, encoding = Raw(folder / "raw.db"), Raw(folder / "encoding.db")
    spent = {"ours": 0.0, "raw_sqlite": 0.0, "raw_encoding": 0.0, "busy": 0.0}
    for group in range(groups):
        batch = [alert(group * GROUP + n) for n in range(GROUP)]
        if group % CALLERS == 0:
            some = [[alert((groups + group + k) * GROUP + n) for n in range(GROUP)] for k in range(CALLERS)]
            spent["busy"] += await _several(log, some)
        encoded = [(each, each.model_dump_json().encode()) for each in batch]
        at = time.perf_counter()
        await log.append(batch)
        ours = time.perf_counter()
        raw.append(encoded)
        plain = time.perf_counter()
        encoding.append([(each, each.model_dump_json().encode()) for each in batch])
        ended = time.perf_counter()
        spent["ours"] += ours - at
        spent["raw_sqlite"] += plain - ours
        spent["raw_encoding"] += ended - plain
    singles = [await _timed(lambda n=n: log.append([alert(10**6 + n)])) for n in range(300)]  # type: ignore[misc]
    database.close()
    return spent | {"append_p99_ms": percentile(singles, 0.99) or 0.0}


async def _several(log: SqliteLog, batches: list[list[Alert]]) -> float:
    """Seconds that as many callers take, each of whom appends its batch in quarters, one durable before the next."""

    async def caller(batch: list[Alert]) -> None:
        for start in range(0, GROUP, GROUP // 4):
            await log.append(batch[start : start + GROUP // 4])

    began = time.perf_counter()
    await asyncio.gather(*(caller(batch) for batch in batches))
    return time.perf_counter() - began


async def redis_appends(folder: Path, groups: int) -> dict[str, float]:
    """Seconds that ours and the client library alone took, and p99 ms of appends of one; empty without redis-server."""
    if shutil.which("redis-server") is None:
        return {}
    from redis.asyncio import Redis

    port = free_port()
    command = f"redis-server --port {port} --bind 127.0.0.1 --dir {folder} --appendonly yes --appendfsync always"
    server = subprocess.Popen([*command.split(), "--save", ""], stdout=subprocess.DEVNULL)
    database = Database(folder / "journal.db")
    links = [Link(f"redis://127.0.0.1:{port}/0", "catalyst:{bench}", retries=12) for _ in range(3)]
    log = RedisLog(links[0], links[1], links[2], Journal(database))
    plain = Redis(port=port)
    spent = {"ours": 0.0, "raw": 0.0}
    try:
        await log.open()
        await log.begin()
        for group in range(groups):
            batch = [alert(group * GROUP + n) for n in range(GROUP)]
            raw = [commands for n, each in enumerate(batch, group * GROUP + 1) for commands in _raw_redis(n, each)]
            at = time.perf_counter()
            await log.append(batch)
            ours = time.perf_counter()
            await _multi(plain, raw)
            spent["ours"] += ours - at
            spent["raw"] += time.perf_counter() - ours
        singles = [await _timed(lambda n=n: log.append([alert(10**6 + n)])) for n in range(300)]  # type: ignore[misc]
    finally:
        await plain.aclose()
        await log.close()
        database.close()
        server.kill()
        server.wait()
    return spent | {"append_p99_ms": percentile(singles, 0.99) or 0.0}


async def _multi(redis: Any, commands: list[tuple[str | bytes | float, ...]]) -> None:
    pipe = redis.pipeline(transaction=True)
    for command in commands:
        pipe.execute_command(*command)
    await pipe.execute()


def _raw_redis(offset: int, each: Alert) -> list[tuple[str | bytes | float, ...]]:
    """What the log writes for an alert, under other keys."""
    told = orjson.dumps([each.key, "filing_alert", each.filing_id, "8-K", 0.9, ["ACME"], []])
    return [
        ("XADD", "raw:log", f"{offset}-0", "t", time.time_ns(), "m", told, "b", each.model_dump_json().encode()),
        ("HSET", "raw:keys", each.key, offset),
        ("ZADD", "raw:t:ACME", offset, offset),
        ("ZADD", "raw:f:8-K", offset, offset),
        ("ZADD", "raw:s:90", offset, offset),
        ("HSET", "raw:filings", each.filing_id, f'{offset} 0.9 ["ACME"]\n'),
        ("HSET", "raw:meta", "head", offset),
    ]


def fill(path: Path, rows: int) -> None:
    """Write `rows` messages straight into the tables."""
    database = Database(path)
    SqliteLog(database)
    database.close()
    run = sqlite3.connect(path, isolation_level=None)
    run.execute("PRAGMA synchronous=OFF")
    run.execute("BEGIN")
    made = list(_rows(rows))
    run.executemany("INSERT INTO log VALUES (?,?,?,?,?,?,?,?,?,?)", [row for row, _ in made])
    run.executemany("INSERT INTO log_tickers VALUES (?,?)", [(ticker, row[0]) for row, ticker in made])
    run.executemany("INSERT INTO log_bodies VALUES (?,?)", ((row[0], BODY % row[3].encode()) for row, _ in made))
    run.execute("COMMIT")
    run.close()


def _rows(rows: int) -> Iterator[tuple[tuple[Any, ...], str]]:
    chance = random.Random(7)
    forms = chance.choices(FORMS, WEIGHTS, k=rows)
    seq = filing = 0
    while seq < rows:
        filing += 1
        accession = f"{filing % 9973:010}-25-{filing:06}"
        ticker = f"T{int(5000 * chance.random() ** 3):04}"
        score = round(chance.betavariate(2, 4), 2)
        for version in (1, 2) if filing % 3 == 0 else (1,):
            seq += 1
            kind = "alert" if version == 1 else "update"
            earlier = None if version == 1 else f'[[["{ticker}"],{score}]]'
            key = f"{accession}/{kind}/{version}"
            columns = (f"filing_{kind}", accession, forms[filing % rows], f'["{ticker}"]', score, score, earlier)
            yield (seq, key, *columns, seq * 10**9), ticker


async def questions(path: Path) -> dict[str, float]:
    """p50 and p99 in ms of what clients ask, each 60 times."""
    database = Database(path)
    log = SqliteLog(database)
    head = (await log.bounds())[1]
    chance = random.Random(1)
    asked: dict[str, Callable[[], Awaitable[Any]]] = {
        "recent": lambda: log.query(Query(50)),
        "ticker_common": lambda: log.query(Query(20, "T0000")),
        "ticker": lambda: log.query(Query(20, f"T{chance.randrange(2, 4999):04}")),
        "ticker_high": lambda: log.query(Query(20, "T0000", min_priority=0.95)),
        "form_rare": lambda: log.query(Query(50, form="25")),
        "form_high": lambda: log.query(Query(50, form="4", min_priority=0.95)),
        "half": lambda: log.query(Query(50, min_priority=0.5)),
        "form_rare_half": lambda: log.query(Query(50, form="25", min_priority=0.5)),
        "ticker_half": lambda: log.query(Query(20, "T0000", min_priority=0.6)),
        "high": lambda: log.query(Query(50, min_priority=0.95)),
        "none_so_high": lambda: log.query(Query(50, min_priority=1.0)),
        "since": lambda: log.query(Query(50, since_ns=head // 2 * 10**9)),
        "last_high": lambda: log.last_match(Filter.of(min_priority=0.95), head),
        "last_none_so_high": lambda: log.last_match(Filter.of(min_priority=1.0), head),
        "last_form_none_so_high": lambda: log.last_match(Filter.of((), ("4",), 1.0), head),
        "last_ticker_none_so_high": lambda: log.last_match(Filter.of(("T0000",), (), 1.0), head),
    }
    found = {}
    for name, ask in asked.items():
        await ask()
        first = await _timed(ask)
        times = [first] + [await _timed(ask) for _ in range(59 if first < 100 else 2)]
        for share in (50, 99):
            found[f"{name}_p{share}_ms"] = percentile(times, share / 100) or 0.0
        say(f"{name}: p50 {found[f'{name}_p50_ms']} ms, p99 {found[f'{name}_p99_ms']} ms")
    database.close()
    return found


async def _timed(ask: Callable[[], Awaitable[Any]]) -> float:
    at = time.perf_counter()
    await ask()
    return round((time.perf_counter() - at) * 1000, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--groups", type=int, default=150)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--data", type=Path, help="where the logs lie [a temporary folder]")
    options = parser.parse_args()
    share = 10 if options.quick else 1
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        groups = max(CALLERS, options.groups // share // CALLERS * CALLERS)
        spent = asyncio.run(appends(Path(folder), groups))
        say(f"{spent}")
        shared = asyncio.run(redis_appends(Path(folder), groups))
        say(f"{shared}")
        fill(Path(folder) / "million.db", options.rows // share)
        asked = asyncio.run(questions(Path(folder) / "million.db"))
    records = groups * GROUP
    figures = {
        "append_per_s": round(records / spent["ours"]),
        "append_p99_ms": spent["append_p99_ms"],
        "ratio_raw_sqlite": round(spent["raw_sqlite"] / spent["ours"], 3),
        "ratio_raw_encoding": round(spent["raw_encoding"] / spent["ours"], 3),
        "append_busy_per_s": round(records / spent["busy"]),
        "ratio_raw_sqlite_busy": round(spent["raw_sqlite"] / spent["busy"], 3),
        "ratio_raw_encoding_busy": round(spent["raw_encoding"] / spent["busy"], 3),
    }
    peers = {name: round(records / spent[name]) for name in ("raw_sqlite", "raw_encoding")}
    if shared:
        figures |= {
            "redis_append_per_s": round(records / shared["ours"]),
            "redis_append_p99_ms": shared["append_p99_ms"],
            "ratio_raw_redis": round(shared["raw"] / shared["ours"], 3),
        }
        peers["raw_redis"] = round(records / shared["raw"])
    settings = {"rows": options.rows // share, "groups": groups, "callers": CALLERS, "folder": options.data or "-"}
    report("log", figures | asked, peers=peers, settings=settings)


if __name__ == "__main__":
    main()
