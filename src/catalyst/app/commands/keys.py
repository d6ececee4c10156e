"""`catalyst keys`: make, list and end the keys that clients of the service present."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalyst.errors import UsageError

if TYPE_CHECKING:
    from catalyst.web.keybook import ApiKey, KeyBook

keys = typer.Typer(
    no_args_is_help=True,
    help="API keys of this machine's service: each is a tenant with its own limits, budget and rights.",
)
Data = Annotated[Path | None, typer.Option(help="Folder of databases [data]")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line")]


@keys.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What to call it: acme-prod")],
    scopes: Annotated[str, typer.Option(help="read, write, admin; comma-separated")] = "read,write",
    tenant: Annotated[str, typer.Option(help="Whom to count and bill its requests for [the name]")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it, once: only its hash is kept.

    `read` sees filings, status and models; `write` also asks models and changes watchlists; `admin` is all of it. A
    running service takes the key within a second.
    """
    from catalyst.web.keybook import SCOPES

    wanted = [scope for scope in SCOPES if scope in {part.strip() for part in scopes.split(",")}]
    if len(wanted) != len({part.strip() for part in scopes.split(",")}):
        raise UsageError(f"--scopes {scopes!r}: use {', '.join(SCOPES)}")
    with _book(data) as book:
        key, secret = book.add(name, tenant=tenant, scopes=wanted)
        try:
            if as_json:
                _print(_shown(key) | {"key": secret})
            else:
                print(secret)
            sys.stdout.flush()
        except OSError:  # nobody has seen it, so nobody could ever end it by what it is
            book.revoke(key.id)
            raise
    if as_json:
        return
    print(f"key {key.name} ({key.id}) of tenant {key.tenant}: keep it now, it is not shown again", file=sys.stderr)


@keys.command("list")
def listed(data: Data = None, as_json: Json = False) -> None:
    """Every key ever made, the oldest first; never the keys themselves."""
    with _book(data) as book:
        found = book.list()
    if as_json:
        for key in found:
            _print(_shown(key))
        return
    if not found:
        print("no key was made here: `catalyst keys add NAME` makes one", file=sys.stderr)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "name", "tenant", "scopes", "made", "revoked", box=None)
    for key in found:
        shown = _shown(key)
        table.add_row(key.id, key.name, key.tenant, ",".join(sorted(key.scopes)), shown["made_at"][:19], _when(key))
    Console().print(table)


@keys.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(help="The key's id or name")], data: Data = None, as_json: Json = False
) -> None:
    """End a key: within a second no request is taken with it, and its connections are closed."""
    with _book(data) as book:
        key = book.revoke(which)
    if as_json:
        _print(_shown(key) | {"revoked": True})
    else:
        print(f"key {key.name} ({key.id}) is revoked", file=sys.stderr)


@contextlib.contextmanager
def _book(data: Path | None) -> Iterator[KeyBook]:
    from catalyst.app.build.gateway import KEYS
    from catalyst.app.settings import load
    from catalyst.web.keybook import KeyBook

    with contextlib.closing(KeyBook((data or load().app.data_dir) / KEYS)) as book:
        yield book


def _shown(key: ApiKey) -> dict[str, str]:
    made = key.made_at.isoformat() if key.made_at else ""
    shown = {"id": key.id, "name": key.name, "tenant": key.tenant, "scopes": ",".join(sorted(key.scopes))}
    return shown | {"made_at": made, "revoked_at": _when(key)}


def _when(key: ApiKey) -> str:
    return key.revoked_at.isoformat()[:19] if key.revoked_at else ""


def _print(value: object) -> None:
    import orjson

    print(orjson.dumps(value).decode())
