"""Records from CSV and from a database by a mapping: the same either way, and every fault is named."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from catalyst.cashflow.mapping import as_deal, read_mapping
from catalyst.cashflow.tables import read_book
from catalyst.errors import SettingsError, StorageError, UsageError

MAP = """
invoices:
  table: bills
  date_format: "%d.%m.%Y"
  columns: {invoice_id: no, customer: who, issued: made, due: due, amount: sum, currency: cur}
payments:
  columns: {invoice_id: no, paid: day, amount: sum}
deals:
  columns: {deal_id: id, customer: who, stage: stage, value: worth, stage_entered: since, notes: memo}
  defaults: {currency: USD}
"""
BILLS = """no,who,made,due,sum,cur
1,Alpha,01.02.2026,03.03.2026,"1,000.50",SAR
2,Beta,05.02.2026,,200,KWD
3,شركة النور,07.02.2026,09.03.2026,٣٠٠,SAR
"""
PAYMENTS = "no,day,sum\n1,2026-03-01,400.50\n1,2026-03-10,600\n2,2026-03-05,50\n"
DEALS = "id,who,stage,worth,since,memo\nd1,Alpha,Order Received,5000,2026-03-01,They pay on 15 April.\n"


@pytest.fixture
def folder(tmp_path):
    for name, text in (("bills", BILLS), ("payments", PAYMENTS), ("deals", DEALS)):
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    return tmp_path


def test_a_folder_of_csv_is_read_by_its_mapping(folder):
    found = read_book(str(folder), read_mapping(MAP), UTC)
    one, two, three = found.invoices
    assert (one.amount, one.issued, one.paid) == (Decimal("1000.50"), date(2026, 2, 1), date(2026, 3, 10))
    assert (two.paid, as_deal(two).value, two.currency) == (None, Decimal(150), "KWD")
    assert (three.customer, three.amount) == ("شركة النور", Decimal(300))
    assert found.deals[0].currency == "USD"
    assert found.deals[0].notes[0].text == "They pay on 15 April."


def test_a_database_gives_the_same_as_csv(folder, tmp_path):
    path = tmp_path / "erp.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE raw (no TEXT, who TEXT, made TEXT, due TEXT, sum TEXT, cur TEXT)")
        db.execute("CREATE VIEW bills AS SELECT * FROM raw")
        db.execute("CREATE TABLE payments (no TEXT, day DATE, sum NUMERIC)")
        db.execute("CREATE TABLE deals (id TEXT, who TEXT, stage TEXT, worth NUMERIC, since DATE, memo TEXT)")
        db.executemany(
            "INSERT INTO raw VALUES (?, ?, ?, ?, ?, ?)",
            [("1", "Alpha", "01.02.2026", "03.03.2026", "1,000.50", "SAR"),
             ("2", "Beta", "05.02.2026", None, "200", "KWD"),
             ("3", "شركة النور", "07.02.2026", "09.03.2026", "٣٠٠", "SAR")],
        )  # fmt: skip
        db.executemany(
            "INSERT INTO payments VALUES (?, ?, ?)",
            [("1", "2026-03-01", 400.5), ("1", "2026-03-10", 600), ("2", "2026-03-05", 50)],
        )
        db.execute(
            "INSERT INTO deals VALUES ('d1', 'Alpha', 'Order Received', 5000, '2026-03-01', 'They pay on 15 April.')"
        )
    db.close()
    ours = read_book(f"sqlite:///{path}", read_mapping(MAP), UTC)
    theirs = read_book(str(folder), read_mapping(MAP), UTC)
    assert ours.invoices == theirs.invoices
    assert ours.deals == theirs.deals


def test_all_missing_columns_are_named_in_one_error(folder, tmp_path):
    (folder / "bills.csv").write_text("no,who\n1,Alpha\n")
    (folder / "deals.csv").write_text("id,who,stage,worth\n")
    with pytest.raises(UsageError) as caught:
        read_book(str(folder), read_mapping(MAP), UTC)
    for column in ("bills.made", "bills.due", "bills.sum", "bills.cur", "deals.since", "deals.memo"):
        assert column in str(caught.value)


def test_missing_tables_and_columns_of_a_database_are_named_together(tmp_path):
    with sqlite3.connect(tmp_path / "erp.db") as db:
        db.execute("CREATE TABLE bills (no TEXT)")
    db.close()
    with pytest.raises(UsageError, match=r"bills\.who.*payments \(the whole table\)"):
        read_book(f"sqlite:///{tmp_path}/erp.db", read_mapping(MAP), UTC)


def test_bad_rows_are_counted_and_the_first_are_named(folder):
    (folder / "bills.csv").write_text(
        "no,who,made,due,sum,cur\n" + "1,A,31.02.2026,,5,SAR\n" * 9 + "2,B,01.01.2026,,x,SAR\n"
    )
    with pytest.raises(UsageError, match=r"bills has 10 rows that cannot be read: row 1: made '31\.02\.2026'"):
        read_book(str(folder), read_mapping(MAP), UTC)


def test_an_id_that_is_there_twice_is_refused_since_one_would_be_lost(folder):
    (folder / "bills.csv").write_text(BILLS + "1,Gamma,01.02.2026,,7,SAR\n", "utf-8")
    with pytest.raises(UsageError, match="1 of invoices have an id that is there before: 1"):
        read_book(str(folder), read_mapping(MAP), UTC)


def test_a_databases_password_is_in_no_error():
    with pytest.raises(StorageError) as caught:
        read_book("nosuchdialect://me:hunter2@127.0.0.1/x", read_mapping(MAP), UTC)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "must be a mapping"),
        ("a: [", "is no YAML"),
        ("colours: {columns: {}}", "colours is none of"),
        ("invoices: {columns: {customer: c}}", "needs columns for invoice_id, issued"),
        ("invoices: {columns: {invoice_id: a, issued: b, colour: c}}", "has no colour"),
    ],
)
def test_a_bad_mapping_says_what_is_wrong(text, what):
    with pytest.raises(SettingsError, match=what):
        read_mapping(text)


def test_a_time_belongs_to_its_day_where_we_are_in_the_week_the_clock_changes(tmp_path):
    """On 29 March 2026 Berlin skips from two to three: half past midnight there is still the 28th in UTC."""
    path = tmp_path / "i.csv"
    path.write_text("id,made\n1,2026-03-28T23:30:00+00:00\n2,2026-03-29T21:59:00+00:00\n3,2026-03-29T22:01:00+00:00\n")
    maps = read_mapping("invoices: {columns: {invoice_id: id, issued: made}}")
    found = read_book(str(path), maps, ZoneInfo("Europe/Berlin"))
    assert [invoice.issued.day for invoice in found.invoices] == [29, 29, 30]
