"""Keys made by command: hashed, scoped, followed by a running service, and ended in the middle of a connection."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalyst.errors import SettingsError, UsageError
from catalyst.web.auth import Keys, check_exposure
from catalyst.web.keybook import KeyBook
from catalyst.web.settings import WebSettings
from tests.web.service import QUICK, Service


@pytest.fixture
def book(tmp_path: Path):
    made = KeyBook(tmp_path / "keys.db")
    yield made
    made.close()


def test_only_the_hash_of_a_key_is_on_disk(book):
    key, secret = book.add("acme")
    book._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert secret.encode() not in book.path.read_bytes()
    assert secret not in repr(key)
    assert stat.S_IMODE(book.path.stat().st_mode) == 0o600


def test_a_key_is_found_by_its_secret_alone_until_it_is_revoked(book):
    key, secret = book.add("acme", tenant="acme-inc", scopes=("read",))
    keys = Keys(book=book)
    found = keys.find(secret)
    assert found is not None
    assert (found.tenant, found.scopes) == ("acme-inc", frozenset(["read"]))
    assert keys.find(secret[:-1]) is None
    assert keys.find("") is None
    book.revoke(key.id)
    keys.refresh()
    assert keys.find(secret) is None


@pytest.mark.parametrize(
    ("given", "held"), [("read", {"read"}), ("write", {"read", "write"}), ("admin", {"read", "write", "admin"})]
)
def test_a_scope_holds_the_lesser_ones(book, given, held):
    made, secret = book.add("acme", scopes=(given,))
    found = Keys(book=book).find(secret)
    assert found is not None
    assert made.scopes == found.scopes == held


def test_of_many_that_add_one_name_at_once_one_has_it(book):
    def add(_: int) -> bool:
        with contextlib.closing(KeyBook(book.path)) as own:
            try:
                own.add("acme")
            except UsageError:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(40))) == 1
    assert len(book.list()) == 1


def test_revoking_the_last_key_does_not_open_the_service(book):
    book.add("acme")
    book.revoke("acme")
    keys = Keys(book=book)
    assert keys.needed
    check_exposure(WebSettings(host="0.0.0.0"), keys)


def test_without_any_key_no_other_machine_may_connect(book):
    with pytest.raises(SettingsError, match="catalyst keys add"):
        check_exposure(WebSettings(host="0.0.0.0"), Keys(book=book))


def test_another_process_s_change_is_seen(book):
    keys = Keys(book=book)
    assert not keys.needed
    other = KeyBook(book.path)
    _, secret = other.add("acme")
    keys.refresh()
    assert keys.find(secret) is not None
    other.revoke("acme")
    other.close()
    keys.refresh()
    assert keys.find(secret) is None


def test_names_that_make_no_sense_or_are_taken_are_refused(book):
    book.add("acme")
    for name in ("", "a b", "x" * 64, "-x", "ä"):
        with pytest.raises(UsageError):
            book.add(name)
    with pytest.raises(UsageError, match="already"):
        book.add("acme")
    with pytest.raises(UsageError, match="no key in use"):
        book.revoke("other")
    book.revoke("acme")
    book.add("acme")


def test_a_key_of_the_environment_is_a_tenant_of_its_own():
    keys = Keys.of(["first-secret", "second-secret"])
    tenants = {keys.find(secret).tenant for secret in ("first-secret", "second-secret")}  # type: ignore[union-attr]
    assert len(tenants) == 2
    assert all(tenant.startswith("key-") for tenant in tenants)


def test_a_book_that_is_damaged_is_one_clear_error(tmp_path):
    from catalyst.errors import StorageError

    (tmp_path / "keys.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match=r"keys\.db"):
        KeyBook(tmp_path / "keys.db")


async def test_a_revoked_key_ends_its_connections_and_no_others(book, tmp_path):
    _, one = book.add("one")
    _, two = book.add("two")
    service = Service(tmp_path / "stream.db", dataclasses.replace(QUICK), keys=book)
    await service.start()
    try:
        async with (
            service.client(additional_headers={"X-API-Key": one}) as first,
            service.client(additional_headers={"X-API-Key": two}) as second,
        ):
            await first.live()
            await second.live()
            book.revoke("one")
            assert (await first.closed())[0] == 4001
            await second.live()
    finally:
        await service.stop()


async def test_the_first_key_ends_connections_that_came_without_one(book, tmp_path):
    service = Service(tmp_path / "stream.db", QUICK, keys=book)
    await service.start()
    try:
        async with service.client() as client:
            await client.live()
            book.add("first")
            assert (await client.closed())[0] == 4001
    finally:
        await service.stop()


def test_the_command_makes_lists_and_ends_keys(tmp_path):
    from typer.testing import CliRunner

    from catalyst.app.cli import app

    run = CliRunner()
    data = ["--data", str(tmp_path)]
    made = run.invoke(app, ["keys", "add", "acme", "--scopes", "read", *data])
    assert made.exit_code == 0
    secret = made.stdout.strip()
    with sqlite3.connect(tmp_path / "keys.db") as db:
        assert db.execute("SELECT name, scopes FROM keys").fetchall() == [("acme", "read")]
    listed = run.invoke(app, ["keys", "list", "--json", *data])
    assert '"name":"acme"' in listed.stdout
    assert secret not in listed.stdout
    assert run.invoke(app, ["keys", "revoke", "acme", *data]).exit_code == 0
    assert isinstance(run.invoke(app, ["keys", "revoke", "acme", *data]).exception, UsageError)
    assert isinstance(run.invoke(app, ["keys", "add", "x", "--scopes", "fly", *data]).exception, UsageError)
