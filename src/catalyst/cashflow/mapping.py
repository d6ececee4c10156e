"""Which column of whose table means what: a YAML file, and rows of any table to records by it. Pure: no I/O.

invoices:
  table: invoices            # a table or view; for CSV, the file's name without .csv
  date_format: "%m/%d/%Y"    # where days are not written 2026-03-31
  columns: {invoice_id: number, customer: customer_id, issued: invoice_date, due: due_date, paid: paid_date}
  defaults: {currency: SAR}
deals: …                     # also payments, stage_events
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from catalyst.cashflow.types import DealForPrediction, InvoiceRecord, Note, StageEvent, repeated
from catalyst.errors import SettingsError, UsageError

MAX_BYTES = 64 * 1024
MOST_FAULTS = 5
"""Of bad rows, named in an error."""


class PaymentRecord(BaseModel):
    """Money that came in for an invoice."""

    invoice_id: str
    paid: date
    amount: Decimal | None = None


KINDS: Mapping[str, type[BaseModel]] = {
    "invoices": InvoiceRecord,
    "payments": PaymentRecord,
    "deals": DealForPrediction,
    "stage_events": StageEvent,
}
_AMOUNTS = frozenset(("amount", "value"))
_WHOLE = frozenset(("terms_days", "days_in_stage"))


@dataclass(frozen=True, slots=True)
class TableMap:
    """One table's columns by our fields."""

    kind: str
    table: str
    columns: Mapping[str, str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    date_format: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """All records that were read."""

    invoices: tuple[InvoiceRecord, ...] = ()
    deals: tuple[DealForPrediction, ...] = ()
    stage_events: tuple[StageEvent, ...] = ()


def read_mapping(text: str, source: str = "the mapping") -> tuple[TableMap, ...]:
    """Read a mapping. Raises SettingsError that lists everything wrong with it."""
    try:
        # Every scalar as text, which builds no objects either: a column may be called `no`, or `1`.
        given = yaml.load(text, Loader=yaml.BaseLoader) if len(text) <= MAX_BYTES else None  # noqa: S506
    except yaml.YAMLError as error:
        raise SettingsError(f"{source} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(given, dict) or not given:
        raise SettingsError(f"{source} must be a mapping of at most {MAX_BYTES >> 10} KiB with {', '.join(KINDS)}")
    faults: list[str] = []
    maps = [_table_map(str(kind), body, faults) for kind, body in given.items()]
    if faults:
        raise SettingsError(f"{source}: {'; '.join(faults)}")
    return tuple(found for found in maps if found is not None)


def _table_map(kind: str, body: Any, faults: list[str]) -> TableMap | None:
    if kind not in KINDS:
        faults.append(f"{kind} is none of {', '.join(KINDS)}")
        return None
    if not isinstance(body, dict) or not isinstance(body.get("columns"), dict):
        faults.append(f"{kind} needs columns")
        return None
    columns, defaults = body["columns"], body.get("defaults") or {}
    fields = KINDS[kind].model_fields
    if unknown := [str(name) for name in (*columns, *defaults) if name not in fields]:
        faults.append(f"{kind} has no {', '.join(unknown)} (it has {', '.join(fields)})")
    needed = [name for name, about in fields.items() if about.is_required()]
    if missing := [name for name in needed if name not in columns and name not in defaults]:
        faults.append(f"{kind} needs columns for {', '.join(missing)}")
    named = {str(name): str(column) for name, column in columns.items()}
    return TableMap(kind, str(body.get("table") or kind), named, defaults, str(body.get("date_format") or ""))


def missing_columns(table: TableMap, present: Iterable[str]) -> list[str]:
    """Those that the mapping names and the table lacks, as `table.column`."""
    there = set(present)
    return [f"{table.table}.{column}" for column in table.columns.values() if column not in there]


def records(table: TableMap, rows: Iterable[Mapping[str, Any]], zone: tzinfo) -> list[Any]:
    """Rows as records. Raises UsageError naming the first bad rows and how many there are."""
    made: list[Any] = []
    faults: list[str] = []
    bad = 0
    for number, row in enumerate(rows, 1):
        try:
            made.append(KINDS[table.kind].model_validate(_fields(table, row, zone)))
        except (ValueError, ValidationError) as error:
            bad += 1
            if len(faults) < MOST_FAULTS:
                faults.append(f"row {number}: {_why(error)}")
    if bad:
        raise UsageError(f"{table.table} has {bad} rows that cannot be read: {'; '.join(faults)}")
    return made


def book(tables: Mapping[str, Sequence[Any]]) -> Book:
    """Everything together; payments settle invoices. Raises UsageError where an id is there twice."""
    for kind, name in (("invoices", "invoice_id"), ("deals", "deal_id")):
        if twice := repeated(getattr(record, name) for record in tables.get(kind, ())):
            told = ", ".join(twice[:MOST_FAULTS])
            raise UsageError(f"{len(twice)} of {kind} have an id that is there before: {told}: map a unique column")
    invoices = _settled(tables.get("invoices", ()), tables.get("payments", ()))
    return Book(tuple(invoices), tuple(tables.get("deals", ())), tuple(tables.get("stage_events", ())))


def _settled(invoices: Sequence[InvoiceRecord], payments: Sequence[PaymentRecord]) -> list[InvoiceRecord]:
    """Invoices with the day they were paid in full, or what is left of those paid in part."""
    came: dict[str, list[PaymentRecord]] = {}
    for payment in sorted(payments, key=lambda payment: payment.paid):
        came.setdefault(payment.invoice_id, []).append(payment)
    return [_after(invoice, came.get(invoice.invoice_id, ())) for invoice in invoices]


def _after(invoice: InvoiceRecord, payments: Sequence[PaymentRecord]) -> InvoiceRecord:
    left = invoice.amount
    for payment in payments:
        left -= invoice.amount if payment.amount is None else payment.amount
        if invoice.paid is None and left * invoice.amount <= 0:
            return invoice.model_copy(update={"paid": payment.paid})
    if invoice.paid is not None or not payments:
        return invoice
    return invoice.model_copy(update={"open_amount": left})


def as_deal(invoice: InvoiceRecord) -> DealForPrediction:
    """An open invoice as a deal to forecast."""
    return DealForPrediction(
        deal_id=invoice.invoice_id,
        customer=invoice.customer,
        segment=invoice.segment,
        channel=invoice.channel,
        value=invoice.amount if invoice.open_amount is None else invoice.open_amount,
        currency=invoice.currency,
        invoice_date=invoice.issued,
        due_date=invoice.due,
        notes=invoice.notes,
    )


def _fields(table: TableMap, row: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    given = dict(table.defaults)
    for name, column in table.columns.items():
        value = row.get(column)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        given[name] = _value(table, name, value, zone)
    return given


def _value(table: TableMap, name: str, value: Any, zone: tzinfo) -> Any:
    about = KINDS[table.kind].model_fields[name].annotation
    if name == "notes":
        return [Note(text=str(value)[:4_000])]
    if about in (date, date | None):
        return _as_day(value, table.date_format, zone, table.columns[name])
    if name in _AMOUNTS:
        return _as_amount(value, table.columns[name])
    if name in _WHOLE:
        return int(Decimal(str(value)))
    return str(value)


def _as_day(value: Any, form: str, zone: tzinfo, column: str) -> date:
    if isinstance(value, str):
        try:
            value = datetime.strptime(value.strip(), form) if form else datetime.fromisoformat(value.strip())
        except ValueError as error:
            wanted = form or "2026-03-31 (or set date_format)"
            raise ValueError(f"{column} {value[:30]!r} is no day written as {wanted}") from error
    if isinstance(value, datetime):
        return value.astimezone(zone).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    raise ValueError(f"{column} {value!r} is no day")


def _as_amount(value: Any, column: str) -> Decimal:
    try:
        return value if isinstance(value, Decimal) else Decimal(str(value).strip().replace(",", ""))
    except InvalidOperation as error:
        raise ValueError(f"{column} {str(value)[:30]!r} is no amount: write 1234.50") from error


def _why(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
