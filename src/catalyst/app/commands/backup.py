"""`catalyst backup` and `catalyst restore`: the databases, copied while the service runs, and put back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option(help="Folder of databases [data]")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object")]


def backup(
    target: Annotated[Path, typer.Argument(help="A folder; the backup becomes a folder in it, named by the time")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Copy all databases but the cache into a new folder, while the service runs; each copy is whole and checked.

    What lies in Redis (REDIS_URL) is not in it: back Redis up by its own means. Secrets are not in it either, but for
    the hashes of API keys.

    catalyst backup /var/backups/catalyst
    """
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.progress import Progress

    from catalyst.app.backup import backup as copy
    from catalyst.app.settings import load

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")

        def progress(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total)

        folder, files = copy(data or load().app.data_dir, target, datetime.now(UTC), progress)
    if as_json:
        _print({"folder": str(folder), "files": [{"name": one.name, "bytes": one.bytes} for one in files]})
        return
    print(folder)
    print(f"{len(files)} files, {sum(one.bytes for one in files):,} bytes", file=sys.stderr)


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `catalyst backup` made")],
    data: Data = None,
    money: Annotated[
        bool, typer.Option("--money", help="Restore the ledger of money too, though ours is newer")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only compare the files with their sums")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in place of the data folder, which is moved aside; stop the service first.

    The restored log goes on under a new epoch, so that clients which have seen later messages begin anew. Filings that
    came after the backup are caught up from EDGAR's feed and lists. What was spent since stays spent: the ledger that
    is there is kept where it is whole; so are the API keys, of which some may have been revoked since.

    catalyst restore /var/backups/catalyst/catalyst-20261121T120000Z
    """
    from datetime import UTC, datetime

    from catalyst.app.backup import restore as put_back
    from catalyst.app.backup import verified
    from catalyst.app.settings import load

    if check:
        files = verified(folder)
        if as_json:
            _print({"folder": str(folder), "files": len(files), "whole": True})
        else:
            print(f"{folder}: {len(files)} files, all whole", file=sys.stderr)
        return
    place = data or load().app.data_dir
    aside = put_back(folder, place, datetime.now(UTC), money=money)
    if as_json:
        _print({"restored": str(place), "before": str(aside) if aside else None})
        return
    print(f"restored {place}" + (f"; what was there is in {aside}" if aside else ""), file=sys.stderr)


def _print(value: object) -> None:
    import orjson

    print(orjson.dumps(value).decode())
