"""`catalyst bot`: tell a service's alerts on Discord."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from catalyst.app.settings import Settings


def bot(
    action: Annotated[str, typer.Argument(help="Nothing to run, or `register` to tell Discord the commands.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show alerts here; send nothing.")] = False,
    register: Annotated[bool, typer.Option("--register", help="The same as `catalyst bot register`.")] = False,
    url: Annotated[str | None, typer.Option(help="The service's address [SEC_DIGESTER_URL].")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the bot's database [data/bot].")] = None,
) -> None:
    """Follow a running service and tell its alerts on Discord: at once, then the model's word in the same message.

    Set DISCORD_WEBHOOK_URL to a channel's webhook (no bot account needed), or DISCORD_TOKEN and DISCORD_CHANNELS.
    Slash commands need DISCORD_PUBLIC_KEY and DISCORD_APPLICATION_ID too: docs/guides/discord.md leads through it.
    A restart, however hard, loses nothing and goes on where it stopped.

    Examples: catalyst bot --dry-run · catalyst bot · catalyst bot register
    """
    import asyncio
    import dataclasses

    import uvloop

    from catalyst.app import log
    from catalyst.app.settings import load
    from catalyst.errors import UsageError

    if action not in ("", "register"):
        raise UsageError(f"catalyst bot {action[:40]!r}: say `register`, or nothing to run")
    settings = load()
    log.configure(settings.app.log_level, settings.app.log_format)
    if url is not None:
        settings = dataclasses.replace(settings, bot=dataclasses.replace(settings.bot, service_url=url))
    if register or action == "register":
        _register(settings)
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings, data or settings.app.data_dir / "bot", dry_run))


def _register(settings: Settings) -> None:
    import asyncio
    import sys

    from catalyst.app.build.bot import register

    count = asyncio.run(register(settings.bot))
    print(f"{count} commands are registered; Discord shows them within a minute", file=sys.stderr)


async def _run(settings: Settings, folder: Path, dry_run: bool) -> None:
    import sys

    from catalyst.app.build.bot import bot
    from catalyst.app.lock import held

    with held(folder):
        async with bot(settings, folder, dry_run=dry_run) as running:
            print(_banner(settings, folder, dry_run), file=sys.stderr, flush=True)
            await _until_stopped(running.run())
    print("stopped; nothing is lost: the next start goes on from here", file=sys.stderr)


async def _until_stopped(running: object) -> None:
    """Run until Ctrl-C or SIGTERM; raises the first failure inside."""
    import asyncio
    import signal
    from collections.abc import Coroutine
    from typing import cast

    from catalyst.errors import CatalystError

    work = asyncio.ensure_future(cast("Coroutine[None, None, None]", running))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        return
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            inner: list[BaseException] = list(error.exceptions)
            error = next((one for one in inner if isinstance(one, CatalystError)), inner[0])
        raise error from None


def _banner(settings: Settings, folder: Path, dry_run: bool) -> str:
    ours = settings.bot
    places = [webhook.key for webhook in ours.webhooks] + [f"channel:{ident}" for ident in ours.channels]
    places += ["ALERT_WEBHOOK_URL"] if ours.json_url else []
    lines = [
        f"Catalyst's bot follows {_shown(ours.service_url)}",
        f"  tells     {'this terminal (nothing is sent)' if dry_run else ', '.join(places) or 'who asks for it'}",
        f"  data      {folder}",
    ]
    if not ours.filings:
        lines.append("  filings   off (SEC_DIGESTER_ENABLED=0): only headlines are told")
    if not ours.progressive:
        lines.append("  phases    one (FEATURE_PROGRESSIVE_ALERTS=0): a message waits for its final word, 10 s at most")
    if ours.public_key and not dry_run:
        lines.append(f"  commands  http://{ours.host}:{ours.port}/interactions")
    return "\n".join(lines)


def _shown(url: str) -> str:
    from catalyst.bot.address import Address

    return Address.of(url).socket
