from __future__ import annotations

import pytest

from catalyst.db import Database
from catalyst.errors import UsageError
from catalyst.filings.watchlist import MAX_TICKERS, Watchlist, read_tickers


@pytest.fixture
def db(tmp_path):
    database = Database(tmp_path / "w.db")
    yield database
    database.close()


def test_tickers_are_read_as_the_sec_writes_them():
    assert read_tickers([" aapl", "$MSFT", "brk.b", "AAPL", ""]) == ("AAPL", "MSFT", "BRK-B")


@pytest.mark.parametrize("name", ["A B", "<script>", "-A", "X" * 13, "é"])
def test_what_is_no_ticker_is_refused(name):
    with pytest.raises(ValueError, match="no ticker"):
        read_tickers([name])


async def test_the_operators_list_and_every_owners_list_are_watched(db):
    lists = Watchlist(db, ["AAPL"])
    await lists.load()
    assert lists.watches(["AAPL", "X"])
    assert not lists.watches(["OAK"])
    assert await lists.put("jane", ["oak", "elm"]) == ("OAK", "ELM")
    assert lists.watches(("OAK",))
    assert lists.owner("jane") == ("OAK", "ELM")
    assert lists.owner("roe") == ()


async def test_lists_survive_a_restart_in_their_order(db):
    await Watchlist(db).put("jane", ["OAK", "ASH", "ELM"])
    again = Watchlist(db)
    await again.load()
    assert again.owner("jane") == ("OAK", "ASH", "ELM")
    assert again.watches(["ASH"])


async def test_a_new_list_replaces_the_old_and_an_empty_one_ends_it(db):
    lists = Watchlist(db)
    await lists.put("jane", ["OAK"])
    await lists.put("jane", ["ELM"])
    assert not lists.watches(["OAK"])
    await lists.put("jane", [])
    assert not lists.watches(["ELM"])
    again = Watchlist(db)
    await again.load()
    assert again.owner("jane") == ()


@pytest.mark.parametrize("owner", ["", "../x", "a" * 65, "jane roe"])
async def test_an_owner_with_an_odd_name_is_refused(db, owner):
    with pytest.raises(UsageError, match="owner"):
        await Watchlist(db).put(owner, ["OAK"])


async def test_a_list_too_long_is_refused_whole(db):
    lists = Watchlist(db)
    with pytest.raises(UsageError, match="split"):
        await lists.put("jane", [f"T{n}" for n in range(MAX_TICKERS + 1)])
    assert lists.owner("jane") == ()
