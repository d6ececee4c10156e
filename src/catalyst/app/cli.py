"""The command line. Each command lives in `app/commands/NAME.py` and imports what it needs when it runs."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from catalyst import __version__
from catalyst.app.commands.ask import ask
from catalyst.app.commands.backup import backup, restore
from catalyst.app.commands.bot import bot
from catalyst.app.commands.cache import cache
from catalyst.app.commands.check import check
from catalyst.app.commands.classify import classify
from catalyst.app.commands.digest import digest
from catalyst.app.commands.emulate import emulate
from catalyst.app.commands.enrich import enrich
from catalyst.app.commands.evaluate import evaluate
from catalyst.app.commands.forecast import forecast
from catalyst.app.commands.gateway import gateway
from catalyst.app.commands.keys import keys
from catalyst.app.commands.parse import parse
from catalyst.app.commands.prompts import prompts
from catalyst.app.commands.quote import quote
from catalyst.app.commands.tail import tail
from catalyst.app.commands.up import SERVE, up
from catalyst.app.commands.usage import usage
from catalyst.app.commands.write import write
from catalyst.errors import CatalystError

app = typer.Typer(name="catalyst", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("up")(up)
app.command("serve", help=SERVE)(up)
app.command("emulate")(emulate)
app.command("parse")(parse)
app.command("digest")(digest)
app.command("evaluate")(evaluate)
app.command("check")(check)
app.command("tail")(tail)
app.command("classify")(classify)
app.command("ask")(ask)
app.command("usage")(usage)
app.command("bot")(bot)
app.command("quote")(quote)
app.command("gateway")(gateway)
app.command("backup")(backup)
app.command("restore")(restore)
app.add_typer(cache, name="cache")
app.command("write")(write)
app.add_typer(keys, name="keys")
app.add_typer(prompts, name="prompts")
app.add_typer(enrich, name="enrich")
app.add_typer(forecast, name="forecast")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"catalyst {__version__}")
        raise typer.Exit


@app.callback()
def catalyst(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """SEC filings read by the cheapest good-enough model, told to traders within seconds. Begin with `catalyst up`."""


def main() -> None:
    """Run a command; every expected failure is one line on stderr and an exit code."""
    try:
        app()
    except CatalystError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _say("no space left for what is written: free some, then try again")
            sys.exit(1)
        if os.environ.get("CATALYST_LOG_LEVEL") == "debug":
            raise
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        _say(f"a fault of ours, {what}; CATALYST_LOG_LEVEL=debug shows where")
        sys.exit(1)


def _say(error: str) -> None:
    from catalyst.app.log import harmless

    print(f"catalyst: {harmless(error, keep=chr(10))}", file=sys.stderr)


if __name__ == "__main__":
    main()
