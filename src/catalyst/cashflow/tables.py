"""Read records from CSV files or any SQL database, by a column mapping. The room's only way to data outside.

A `.csv` file serves the one table that is mapped, a folder serves `TABLE.csv` for each, anything with `://` is a
SQLAlchemy URL (extra `sql`). Nothing is ever written.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from catalyst.cashflow.mapping import Book, TableMap, book, missing_columns, records
from catalyst.errors import NotSupported, StorageError, UsageError

MOST_ROWS = 500_000
"""Of one table."""

Progress = Callable[[str, int], None]
"""Told the table's name and how many rows of it were read."""


def read_book(
    source: str, maps: Sequence[TableMap], zone: tzinfo, progress: Progress = lambda table, rows: None
) -> Book:
    """All mapped tables. Raises UsageError (all missing columns in one), StorageError, NotSupported without `sql`."""
    if "://" in source:
        return _from_database(source, maps, zone, progress)
    return _from_files(Path(source), maps, zone, progress)


def _from_files(place: Path, maps: Sequence[TableMap], zone: tzinfo, progress: Progress) -> Book:
    if place.is_file() and len(maps) > 1:
        named = ", ".join(f"{table.table}.csv" for table in maps)
        raise UsageError(f"{place} is one file, and the mapping names {len(maps)} tables: give a folder with {named}")
    paths = {table.kind: place if place.is_file() else place / f"{table.table}.csv" for table in maps}
    if gone := [str(path) for path in paths.values() if not path.is_file()]:
        raise UsageError(f"no such file: {', '.join(gone)}")
    _refuse_missing([name for table in maps for name in missing_columns(table, _header(paths[table.kind]))])
    return book({table.kind: records(table, _rows(paths[table.kind], table, progress), zone) for table in maps})


def _header(path: Path) -> Sequence[str]:
    return next(_lines(path), [])


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from csv.reader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 CSV: {error}") from error


def _rows(path: Path, table: TableMap, progress: Progress) -> Iterator[Mapping[str, str]]:
    lines = _lines(path)
    header = next(lines, [])
    for number, line in enumerate(lines, 1):
        _bounded(number, table, progress)
        if line:
            yield dict(zip(header, line, strict=False))


def _bounded(number: int, table: TableMap, progress: Progress) -> None:
    if number > MOST_ROWS:
        raise UsageError(f"{table.table} has more than {MOST_ROWS} rows: give a view of the last years")
    if number % 1_000 == 0:
        progress(table.table, number)


def _refuse_missing(missing: Sequence[str]) -> None:
    if missing:
        raise UsageError(f"columns that the mapping names are missing: {', '.join(missing)}")


def _from_database(url: str, maps: Sequence[TableMap], zone: tzinfo, progress: Progress) -> Book:
    try:
        import sqlalchemy
    except ImportError as error:
        raise NotSupported("reading a database needs SQLAlchemy: install catalyst-filings[sql]") from error
    engine = None
    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            tables = _reflected(sqlalchemy, connection, maps)
            made = {table.kind: records(table, _select(connection, tables, table, progress), zone) for table in maps}
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        # The error's own text may hold the address with its password.
        what = type(error).__name__
        raise StorageError(f"the database cannot be read ({what}): check the URL and its driver") from None
    finally:
        if engine is not None:
            engine.dispose()
    return book(made)


def _reflected(sqlalchemy: Any, connection: Any, maps: Sequence[TableMap]) -> dict[str, Any]:
    """The tables as the database has them. Raises UsageError for all that is missing."""
    inspector = sqlalchemy.inspect(connection)
    metadata = sqlalchemy.MetaData()
    found, missing = {}, []
    for table in maps:
        schema, _, name = table.table.rpartition(".")
        known = {*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)}
        if name not in known:
            missing += [f"{table.table} (the whole table)"]
            continue
        found[table.kind] = sqlalchemy.Table(name, metadata, schema=schema or None, autoload_with=connection)
        missing += missing_columns(table, (column.name for column in found[table.kind].columns))
    _refuse_missing(missing)
    return found


def _select(
    connection: Any, tables: Mapping[str, Any], table: TableMap, progress: Progress
) -> Iterator[Mapping[str, Any]]:
    import sqlalchemy

    columns = [tables[table.kind].columns[name] for name in dict.fromkeys(table.columns.values())]
    answer = connection.execution_options(stream_results=True).execute(sqlalchemy.select(*columns))
    for number, row in enumerate(answer.mappings(), 1):
        _bounded(number, table, progress)
        yield row
