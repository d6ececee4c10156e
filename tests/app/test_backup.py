"""Backups are taken while the service runs, checked, and put back whole; an upgrade can be undone with one."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalyst.app.backup import backup, restore, verified
from catalyst.errors import Locked, StorageError, UsageError
from catalyst.web.auth import Keys
from catalyst.web.keybook import KeyBook
from tests.app.processes import assert_whole, free_port, log_of, run, started, wait_for

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _database(path: Path, value: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE IF NOT EXISTS t (value TEXT)")
        db.execute("DELETE FROM t")
        db.execute("INSERT INTO t VALUES (?)", (value,))


def _value(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        found: str = db.execute("SELECT value FROM t").fetchone()[0]
        return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    _database(tmp_path / "data" / "hub.db", "spent 1")
    _database(tmp_path / "data" / "live" / "other.db", "first")
    return tmp_path / "data"


def _silent(*_: object) -> None: ...


def test_what_is_restored_is_what_was_backed_up_but_money_stays_spent(data, tmp_path):
    folder, files = backup(data, tmp_path / "to", NOW, _silent)
    assert [one.name for one in files] == ["hub.db", "live/other.db"]
    _database(data / "live" / "other.db", "second")
    _database(data / "hub.db", "spent 2")
    aside = restore(folder, data, NOW)
    assert aside is not None
    assert (_value(data / "live" / "other.db"), _value(data / "hub.db")) == ("first", "spent 2")
    assert _value(aside / "live" / "other.db") == "second"
    restore(folder, data, NOW.replace(second=6), money=True)
    assert _value(data / "hub.db") == "spent 1"


def test_a_key_that_was_revoked_since_stays_revoked(data, tmp_path):
    with closing(KeyBook(data / "keys.db")) as book:
        key, secret = book.add("acme")
    folder, _ = backup(data, tmp_path / "to", NOW, _silent)
    with closing(KeyBook(data / "keys.db")) as book:
        book.revoke(key.id)
    restore(folder, data, NOW)
    with closing(KeyBook(data / "keys.db")) as book:
        assert Keys(book=book).find(secret) is None
    (data / "keys.db").unlink()
    restore(folder, data, NOW.replace(second=6))
    with closing(KeyBook(data / "keys.db")) as book:
        assert Keys(book=book).find(secret) is not None


def test_money_and_keys_that_are_younger_than_the_backup_stay(data, tmp_path):
    folder, _ = backup(data, tmp_path / "to", NOW, _silent)
    _database(data / "live" / "hub.db", "spent 7")
    with closing(KeyBook(data / "keys.db")) as book:
        _, secret = book.add("acme")
    restore(folder, data, NOW)
    assert _value(data / "live" / "hub.db") == "spent 7"
    with closing(KeyBook(data / "keys.db")) as book:
        assert Keys(book=book).find(secret) is not None
    restore(folder, data, NOW.replace(second=6), money=True)
    assert not (data / "live" / "hub.db").exists()


@pytest.mark.parametrize("step", range(2))
def test_a_restore_that_was_killed_at_its_end_forgets_no_money(data, tmp_path, step, monkeypatch):
    """Between the two renames the data folder is not there: a second try must not take the older ledger."""
    folder, _ = backup(data, tmp_path / "to", NOW, _silent)
    _database(data / "hub.db", "spent 2")
    rename, done = Path.rename, iter(range(9))

    def killed(self: Path, to: Path) -> Path:
        if next(done) == step:
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        restore(folder, data, NOW)
    monkeypatch.setattr(Path, "rename", rename)
    restore(folder, data, NOW.replace(second=6))
    assert _value(data / "hub.db") == "spent 2"


def test_answers_that_were_rejected_since_do_not_come_back(data, tmp_path):
    _database(data / "cache.db", "poisoned")
    folder, files = backup(data, tmp_path / "to", NOW, _silent)
    assert "cache.db" not in [one.name for one in files]
    restore(folder, data, NOW)
    assert not (data / "cache.db").exists()


def test_nothing_is_put_under_a_process_that_has_no_lock_but_writes(data, tmp_path):
    """Such as a gateway: it would go on counting money in the folder that was moved aside."""
    folder, _ = backup(data, tmp_path / "to", NOW, _silent)
    with closing(sqlite3.connect(data / "hub.db")) as running:
        assert running.execute("SELECT value FROM t").fetchone() == ("spent 1",)
        with pytest.raises(Locked, match="in use"):
            restore(folder, data, NOW)
    assert restore(folder, data, NOW) is not None


def test_a_folder_may_be_named_anything(tmp_path):
    data = tmp_path / "da#ta?%41 b"
    _database(data / "hub.db", "spent 1")
    folder, _ = backup(data, tmp_path / "to", NOW, _silent)
    assert _value(folder / "hub.db") == "spent 1"


def test_a_lost_ledger_comes_from_the_backup(data, tmp_path):
    folder, _ = backup(data, tmp_path / "to", NOW, _silent)
    (data / "hub.db").write_bytes(b"garbage" * 1000)
    restore(folder, data, NOW)
    assert _value(data / "hub.db") == "spent 1"


def test_a_damaged_backup_changes_nothing(data, tmp_path):
    folder, _ = backup(data, tmp_path / "to", NOW, _silent)
    whole = (folder / "live" / "other.db").read_bytes()
    (folder / "live" / "other.db").write_bytes(whole[:-1] + b"x")
    with pytest.raises(StorageError, match="damaged"):
        restore(folder, data, NOW)
    assert _value(data / "live" / "other.db") == "first"


def test_a_manifest_cannot_lead_out_of_its_folder(data, tmp_path):
    folder, _ = backup(data, tmp_path / "to", NOW, _silent)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][0]["name"] = "../../data/hub.db"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="outside"):
        verified(folder)


def test_a_folder_that_is_no_backup_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no backup"):
        verified(tmp_path)
    with pytest.raises(UsageError, match="no database"):
        backup(tmp_path / "empty", tmp_path / "to", NOW, _silent)


@pytest.mark.slow
def test_a_running_service_is_backed_up_and_goes_on_from_there(tmp_path):
    port = free_port()
    with started("serve", "--speed", "40", "--port", str(port), cwd=tmp_path, log=tmp_path / "log") as process:
        wait_for(port, process)
        while _final(port) < 5:
            time.sleep(0.05)
        done = run("backup", "to", "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        folder = tmp_path / json.loads(done.stdout)["folder"]
        while _final(port) < 12:
            time.sleep(0.05)
        refused = run("restore", str(folder), cwd=tmp_path)
        assert (refused.returncode, "another catalyst" in refused.stderr) == (1, True)
    before = log_of(tmp_path / "data" / "sample")
    epoch = before[0][1]["epoch"]
    assert run("restore", str(folder), "--check", cwd=tmp_path).returncode == 0
    assert run("restore", str(folder), cwd=tmp_path).returncode == 0
    restored = log_of(tmp_path / "data" / "sample")
    assert 5 <= len(restored) < len(before)
    assert {message["epoch"] for _, message in restored}.isdisjoint({epoch})
    done = run("up", "--speed", "max", "--until-end", "--port", "0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_whole(log_of(tmp_path / "data" / "sample"), 25)


@pytest.mark.slow
def test_an_upgrade_is_undone_with_the_backup_made_before_it(tmp_path):
    assert run("up", "--speed", "max", "--until-end", "--port", "0", cwd=tmp_path).returncode == 0
    folder = tmp_path / json.loads(run("backup", "to", "--json", cwd=tmp_path).stdout)["folder"]
    with closing(sqlite3.connect(tmp_path / "data" / "sample" / "stream.db")) as db, db:
        db.execute("UPDATE migrations SET version = version + 1")
    refused = run("up", "--speed", "max", "--until-end", "--port", "0", cwd=tmp_path)
    assert (refused.returncode, "newer Catalyst" in refused.stderr) == (1, True)
    assert run("restore", str(folder), cwd=tmp_path).returncode == 0
    assert run("up", "--speed", "max", "--until-end", "--port", "0", cwd=tmp_path).returncode == 0
    assert_whole(log_of(tmp_path / "data" / "sample"), 25)


def test_a_held_data_folder_is_not_replaced(data, tmp_path):
    from catalyst.app.lock import held

    folder, _ = backup(data, tmp_path / "to", NOW, _silent)
    with held(data / "live"), pytest.raises(Locked):
        restore(folder, data, NOW)
    shutil.rmtree(folder)


def _final(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=10) as answer:
        found: int = json.load(answer)["filings"]["final"]
        return found
