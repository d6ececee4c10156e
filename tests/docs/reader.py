"""The files that a page's reader would have beside them: invoices, records, a draft's input, a filing."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

_MAPPING = """
invoices:
  columns: {invoice_id: number, customer: customer, issued: issued, due: due, paid: paid, amount: amount}
  defaults: {currency: SAR}
"""


def lay_out(folder: Path, page: str, sample: Path) -> None:
    """Put the files into `folder` that the commands of `page` name."""
    shutil.copytree(sample, folder / "DIR")
    first = next((sample / "filings" / "submission").glob("8-K__*.txt"))
    shutil.copy(first, folder / "8k.txt")
    shutil.copy(first, folder / "FILE")
    (folder / "headlines.jsonl").write_text('{"title": "Acme beats estimates"}\n')
    _records(folder)
    _invoices(folder)
    _drafts(folder)
    if page in ("set-up", "deployment"):
        _used_before(folder / "data")


def _used_before(data: Path) -> None:
    """A data folder that there is something to back up in."""
    from catalyst.web.keybook import KeyBook

    data.mkdir()
    with contextlib.closing(KeyBook(data / "keys.db")) as book:
        book.add("desk")


def _records(folder: Path) -> None:
    rows = [{"id": f"r{n}", "text": f"Receipt of Acme\nDate: {n:02}/12/2018\nTotal: {n}.50 EUR"} for n in range(1, 4)]
    (folder / "records.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    labelled = [
        {
            "text": f"Receipt of Acme\nDate: 2018-12-{n:02}\nTotal: {n}.50 EUR",
            "labels": {"date": f"2018-12-{n:02}", "total": f"{n}.50"},
        }
        for n in range(1, 26)
    ]
    (folder / "labelled.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labelled))


def _invoices(folder: Path) -> None:
    lines = ["number,customer,issued,due,paid,amount"]
    for n in range(60):
        month, day = 1 + n % 9, 1 + n % 20
        paid = f"2025-{month + 2:02}-{day + 5:02}" if n % 6 else ""
        lines.append(f"i{n},c{n % 4},2025-{month:02}-{day:02},2025-{month + 1:02}-{day:02},{paid},{100 + n}.50")
    (folder / "invoices.csv").write_text("\n".join(lines) + "\n")
    (folder / "map.yaml").write_text(_MAPPING)
    connection = sqlite3.connect(folder / "erp.db")
    connection.execute("CREATE TABLE invoices (number, customer, issued, due, paid, amount)")
    connection.executemany("INSERT INTO invoices VALUES (?,?,?,?,?,?)", [line.split(",") for line in lines[1:]])
    connection.commit()
    connection.close()


def _drafts(folder: Path) -> None:
    base = {
        "intent": "ask for the drawings", "sender": "Sara", "recipients": [{"name": "Huda"}], "language": "en",
        "deals": [{"name": "Pumps", "value": "12500.50", "currency": "SAR", "due_date": "2026-04-15"}],
    }  # fmt: skip
    (folder / "followup.json").write_text(json.dumps(base))
    (folder / "reminder.json").write_text(json.dumps(base | {"channel": "email"}))
    (folder / "notes.json").write_text(json.dumps({"notes": [{"text": "Huda sends the drawings by Monday."}]}))
