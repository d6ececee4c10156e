"""The SQLite ledger keeps the contract, and nothing is lost or doubled however rows are cut into pages."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.db import Database
from catalyst.filings.accessions import AccessionLedger
from tests.contracts.ledger import SEEN, LedgerContract, rank, rows
from tests.filings.rig import DAY, entry


class Files:
    """One SQLite file, opened as often as the test likes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: list[Database] = []

    async def open(self) -> AccessionLedger:
        self._opened.append(Database(self._path))
        return AccessionLedger(self._opened[-1], rank)

    async def close(self) -> None:
        while self._opened:
            self._opened.pop().close()


@pytest.fixture
async def ledgers(tmp_path: Path):
    files = Files(tmp_path / "ledger.db")
    yield files
    await files.close()


class TestAccessionLedger(LedgerContract):
    """One line joins the contract."""


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["Issuer", "Reporting"]), st.integers(1, 3)), max_size=8),
        max_size=6,
    )
)
@settings(max_examples=40, deadline=None)
def test_however_rows_are_cut_into_pages_nothing_is_lost_or_doubled(tmp_path_factory, pages):
    async def check() -> None:
        db = Database(tmp_path_factory.mktemp("l") / "l.db", synchronous="NORMAL")
        ledger = AccessionLedger(db)
        new: list[str] = []
        parties: dict[str, set] = {}
        for some in pages:
            shown = rows(*[entry(n, "4", "10:00:00", role=role, cik=cik, filed=DAY) for n, role, cik in some])
            new += [filing.accession for filing in await ledger.see(shown, SEEN)]
            for row in shown:
                parties.setdefault(row.accession, set()).add((row.party.role, row.party.cik))
        assert sorted(new) == sorted(parties)
        for name, expected in parties.items():
            kept = await ledger.get(name)
            assert kept is not None
            assert [(p.role, p.cik) for p in kept.filing.parties] == list(
                dict.fromkeys((p.role, p.cik) for p in kept.filing.parties)
            )
            assert {(p.role, p.cik) for p in kept.filing.parties} == expected
        db.close()

    asyncio.run(check())
