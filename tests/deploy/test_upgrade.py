"""A data folder that an older Catalyst wrote opens with today's, goes on, and holds what it held.

`tests/data/old` has dumps of what real older versions left when they were killed in mid-work on the sample day: `1` of
commit 2374456 (accessions, log, the hub of before the cache), `2` of commit f4b1aec (bot, keys, cache, texts).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalyst.bot.checkpoint import SqliteCheckpoint
from catalyst.bot.outbox import Outbox
from catalyst.bot.preferences import Preferences, PreferenceStore
from catalyst.clock import SystemClock
from catalyst.db import Database
from catalyst.filings.texts import SqliteTexts
from catalyst.llm.cache.sqlite import SqliteCache
from catalyst.web.keybook import KeyBook
from tests.app.processes import assert_whole, log_of, run

OLD = Path(__file__).parents[1] / "data" / "old"
CLOCK = "1770289350.0"
"""Where the sample day stood when version 1 was killed."""

Rows = dict[str, list[dict[str, Any]]]


def restored(era: str, name: str, path: Path) -> Path:
    """A database file as the older version left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript((OLD / era / f"{name}.sql").read_text())
    return path


def rows(path: Path) -> Rows:
    """Everything in a file by table, but how far its tables were migrated."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: [dict(row) for row in db.execute(f"SELECT * FROM {name}")] for name in names if name != "migrations"
        }


def assert_kept(before: Rows, after: Rows) -> None:
    """Each old row stands there with its old columns' values; what is new has columns and tables of its own."""
    for name, old in before.items():
        columns = list(old[0]) if old else []
        kept = [{column: row[column] for column in columns} for row in after[name]]
        # Without an order of its own, SQLite gives rows as the index lies that it chose: a new one may change that.
        assert sorted(kept, key=repr) == sorted(old, key=repr), name


@pytest.mark.slow
def test_a_service_killed_before_the_upgrade_goes_on_after_it(tmp_path: Path):
    sample = tmp_path / "data" / "sample"
    restored("1", "stream", sample / "stream.db")
    restored("1", "hub", tmp_path / "data" / "hub.db")
    (sample / "clock").write_text(CLOCK)
    before = rows(sample / "stream.db")
    said = [(row["seq"], json.loads(row["body"])) for row in before["log_bodies"]]
    ended = {body["filing_id"] for _, body in said if body["final"]}
    pending = {row["accession"] for row in before["accessions"]} - ended
    assert (len(said), len(pending)) == (23, 2)

    done = run("serve", "--source", "sample", "--speed", "max", "--until-end", "--port", "0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = log_of(sample)
    assert_whole(told, 25)
    assert told[: len(said)] == said
    assert rows(sample / "stream.db")["watchlists"] == before["watchlists"]


@pytest.mark.parametrize("era", ["1", "2"])
def test_money_that_was_spent_before_the_upgrade_is_in_the_books_after_it(tmp_path: Path, era: str):
    path = restored(era, "hub", tmp_path / "data" / "hub.db")
    before = {"attempts": rows(path)["attempts"]}
    done = run("usage", "--since", "2020-01-01", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_kept(before, rows(path))
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(line["calls"] for line in shown) == len(before["attempts"])


def _bot(path: Path) -> None:
    db = Database(path)
    Outbox(db), SqliteCheckpoint(db), PreferenceStore(db, Preferences())
    db.close()


def _texts(path: Path) -> None:
    db = Database(path)
    SqliteTexts(db, SystemClock())
    db.close()


@pytest.mark.parametrize(("name", "opened"), [("bot", _bot), ("texts", _texts)])
def test_a_rooms_rows_are_what_they_were(tmp_path: Path, name: str, opened: Callable[[Path], None]):
    path = restored("2", name, tmp_path / f"{name}.db")
    before = rows(path)
    assert any(before.values())
    opened(path)
    assert_kept(before, rows(path))


def test_the_bot_knows_what_it_told_before_the_upgrade(tmp_path: Path):
    path = restored("2", "bot", tmp_path / "bot.db")
    states = {row["subject"]: row["state"] for row in rows(path)["bot_outbox"]}

    async def known() -> dict[str, str]:
        db = Database(path)
        found = await Outbox(db).of(range(1, 100))
        db.close()
        return {row.subject: str(row.state) for row in found}

    assert asyncio.run(known()) == states


def test_keys_made_before_the_upgrade_open_the_door_after_it(tmp_path: Path):
    path = restored("2", "keys", tmp_path / "keys.db")
    before = rows(path)
    with contextlib.closing(KeyBook(path)) as book:
        (key,) = book.list()
        book.add("another")
    assert (key.name, key.tenant, key.revoked_at) == ("desk", "desk", None)
    (now,) = [row for row in rows(path)["keys"] if row["name"] == "desk"]
    assert before["keys"] == [{column: now[column] for column in before["keys"][0]}]


async def test_answers_cached_before_the_upgrade_are_kept_or_dropped_but_never_an_error(tmp_path: Path):
    path = restored("2", "cache", tmp_path / "cache.db")
    kept = len(rows(path)["entries"])
    assert kept > 0
    cache = SqliteCache(path)
    await cache.open()
    await cache.close()
    assert len(rows(path)["entries"]) in (0, kept)
