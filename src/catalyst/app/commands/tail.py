"""`catalyst tail`: follow a service's alerts in the terminal, as lines or as JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from catalyst.bot.client import FilingsClient, Handler, Message, Start
    from catalyst.bot.past import Wanted


def tail(
    url: Annotated[str, typer.Option(envvar="SEC_DIGESTER_URL", help="The service's address.")] = "ws://127.0.0.1:8765",
    ticker: Annotated[list[str] | None, typer.Option(help="Only this ticker; may be repeated.")] = None,
    form: Annotated[list[str] | None, typer.Option(help="Only this form, as 8-K; may be repeated.")] = None,
    min_priority: Annotated[float, typer.Option(min=0, max=1, help="Only scores of at least this.")] = 0.0,
    begin: Annotated[
        str, typer.Option("--from", metavar="START|SEQ", help="Replay from the start, or what follows an offset.")
    ] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="First what came since: 90s, 15m, 4h, 2d, or 2025-12-12T16:00Z.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print each message as one line of JSON.")] = False,
    count: Annotated[int, typer.Option(min=0, help="Stop after this many messages; 0 never stops.")] = 0,
    api_key: Annotated[str, typer.Option(envvar="CATALYST_API_KEY", help="Where the service asks for one.")] = "",
) -> None:
    """Follow the alerts of a running service; Ctrl-C ends it.

    A broken connection is resumed where it broke: nothing is missed, nothing printed twice. A line with ↻ after its
    time is an update of a filing that was shown before.

    Examples: catalyst tail · catalyst tail --ticker AAPL --form 8-K · catalyst tail --since 1h --json
    """
    import asyncio
    import os
    import sys

    from catalyst.app import log
    from catalyst.bot.past import Wanted
    from catalyst.errors import UsageError

    log.configure()
    if begin and since:
        raise UsageError("--from and --since both say where to begin: use one of them")
    start = _start(begin, since)
    wanted = Wanted(tuple(ticker or ()), tuple(form or ()), min_priority)
    try:
        asyncio.run(_follow(url, wanted, start, api_key, as_json, count))
    except BrokenPipeError:  # whoever read us, `head` perhaps, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _follow(url: str, wanted: Wanted, start: Start, api_key: str, as_json: bool, count: int) -> None:
    from catalyst.bot.client import FilingsClient
    from catalyst.http import Http

    async with Http() as http:
        client = FilingsClient(url, http, wanted=wanted, api_key=api_key, start=start, patient=False)
        await _until(client, _printer(as_json), count)


class _Enough(Exception):
    """As many messages as asked for were printed."""


async def _until(client: FilingsClient, show: Handler, count: int) -> None:
    shown = 0

    async def counted(message: Message) -> None:
        nonlocal shown
        await show(message)
        shown += 1
        if shown == count:
            raise _Enough

    client.handle("tail", counted)
    try:
        await client.run()
    except _Enough:
        return


def _printer(as_json: bool) -> Handler:
    import sys

    import orjson

    from catalyst.bot.terminal import Terminal

    async def line(message: Message) -> None:
        sys.stdout.write(orjson.dumps(message.raw).decode() + "\n")
        sys.stdout.flush()

    return line if as_json else Terminal(sys.stdout)


def _start(begin: str, since: str) -> Start:
    from catalyst.bot.client import Start
    from catalyst.errors import UsageError

    if since:
        return Start(since_ns=_moment(since))
    if not begin:
        return Start()
    if begin.upper() == "START":
        return Start(after=0)
    if not (begin.isascii() and begin.isdigit() and len(begin) < 19):
        raise UsageError(f"--from {begin[:40]!r} is neither START nor an offset")
    return Start(after=int(begin))


def _moment(text: str) -> int:
    """POSIX nanoseconds of a time, or of so long ago."""
    import time
    from datetime import UTC, datetime

    from catalyst.errors import UsageError

    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    if text[:-1].isdigit() and text[-1:] in units and len(text) < 10:
        return time.time_ns() - int(text[:-1]) * units[text[-1]] * 10**9
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since {text[:40]!r} is no time: use 15m, 4h, 2d or 2025-12-12T16:00Z") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, int(aware.timestamp()) * 10**9)
