"""`catalyst up` and `catalyst serve`: everything in one process, with and without alerts in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalyst.errors import CatalystError, Unavailable, UsageError

if TYPE_CHECKING:
    from catalyst.app.build.service import Service
    from catalyst.app.settings import Settings
    from catalyst.app.source import SourceSpec

SourceOption = Annotated[
    str,
    typer.Option(
        help="live, sample, replay:DIR or an emulator's address. Default: live with SEC_USER_AGENT, else sample"
    ),
]
Speed = Annotated[str, typer.Option(help="How fast a replay runs while nothing is in flight: 1, 600, max")]
Volume = Annotated[int, typer.Option(min=1, max=50, help="A replay's filings arrive so many times, as different ones")]
Start = Annotated[str, typer.Option(help="Begin a replay at this New York time, HH:MM")]
Host = Annotated[str | None, typer.Option(help="Address to bind; beyond loopback needs CATALYST_API_KEYS")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port of REST, WebSocket and dashboard [8765]")]
Data = Annotated[Path | None, typer.Option(help="Folder of databases and caches [data]")]
Role = Annotated[str, typer.Option(help="With REDIS_URL: auto (watch EDGAR when nobody else does) or web (only serve)")]
UntilEnd = Annotated[bool, typer.Option("--until-end", help="Stop when a replay has brought everything")]

_FILES = 65_536

SERVE = """The same service without alerts in the terminal: for systemd, containers and load tests."""


def up(
    context: typer.Context,
    source: SourceOption = "",
    speed: Speed = "1",
    volume: Volume = 1,
    start: Start = "",
    host: Host = None,
    port: Port = None,
    data: Data = None,
    until_end: UntilEnd = False,
    role: Role = "auto",
) -> None:
    """Watch filings, serve them, and print alerts here: all in one process, nothing else to install.

    With SEC_USER_AGENT set it follows live EDGAR; without, it replays a small invented day. A model provider's key
    (GEMINI_API_KEY, ANTHROPIC_API_KEY, …) or a local server (LLM_LOCAL_ENABLED=1) adds the model's word as an update.

    catalyst up --source replay:../shared/corpus/edgar --speed 600

    With REDIS_URL set, any number of processes may run, here or elsewhere: all serve, and exactly one watches.
    """
    from catalyst.app import log
    from catalyst.app.settings import load
    from catalyst.app.source import source_spec

    settings = load()
    web = dataclasses.replace(
        settings.web,
        host=settings.web.host if host is None else host,
        port=settings.web.port if port is None else port,
    )
    settings = dataclasses.replace(settings, web=web)
    log.configure(settings.app.log_level, settings.app.log_format)
    _warn_idle(settings)
    spec = source_spec(source, settings, _speed(speed), volume, start)
    folder = (data or settings.app.data_dir) / spec.folder
    watches = _watches(role, settings)
    _loop_run(settings, spec, folder, context.info_name == "up", until_end, watches)


def _watches(role: str, settings: Settings) -> bool:
    if role not in ("auto", "web"):
        raise UsageError(f"--role {role!r}: use auto or web")
    if role == "web" and not settings.hub.redis_url:
        raise UsageError("--role web only serves what another process writes to Redis: set REDIS_URL")
    return role == "auto"


def _loop_run(
    settings: Settings, spec: SourceSpec, folder: Path, printing: bool, until_end: bool, watches: bool
) -> None:
    import uvloop

    _allow_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings, spec, folder, printing, until_end, watches))


def _allow_files() -> None:
    """Each client holds a file open, and shells often allow 1,024: ask for what the system allows."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, _FILES)), hard))


async def _run(
    settings: Settings, spec: SourceSpec, base: Path, printing: bool, until_end: bool, watches: bool
) -> None:
    from catalyst.app.build.service import service
    from catalyst.app.lock import held_one
    from catalyst.app.source import opened

    with held_one(base, several=bool(settings.hub.redis_url)) as folder:
        async with (
            opened(spec, settings, folder / "clock") as source,
            service(settings, source, folder, base.name, watches=watches) as parts,
        ):
            parts.server.bind()
            _banner(parts, folder)
            await _until_stopped(parts, printing, until_end)
    print("stopped; nothing is lost: the next start goes on from here", file=sys.stderr)


async def _until_stopped(parts: Service, printing: bool, until_end: bool) -> None:
    """Run until Ctrl-C, SIGTERM or (with `until_end`) the replay's end. Raises the first failure of any part."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    work = [asyncio.create_task(parts.run())]
    work += [asyncio.create_task(_print_alerts(parts))] if printing else []
    watches = [asyncio.create_task(stop.wait()), asyncio.create_task(_watch_end(parts, until_end))]
    done, _ = await asyncio.wait([*work, *watches], return_when=asyncio.FIRST_COMPLETED)
    for task in (*work, *watches):
        task.cancel()
    await asyncio.gather(*work, *watches, return_exceptions=True)
    for task in done:
        if (error := task.exception()) is not None:
            raise _plain(error)


async def _watch_end(parts: Service, until_end: bool) -> None:
    """Say once when a replay has brought everything; end with it where that was asked for."""
    while not await parts.ended():  # noqa: ASYNC110 (a clock's passing has no event)
        await asyncio.sleep(0.5)
    counts = await parts.ledger.count()
    print(f"the recording has ended: {counts['final']} filings, all told", file=sys.stderr)
    if not until_end:
        print("still serving; Ctrl-C stops", file=sys.stderr)
        await asyncio.Event().wait()


async def _print_alerts(parts: Service) -> None:
    """Every message from here on, as a line; what an earlier process printed is not printed again."""
    from catalyst.bot.terminal import Terminal
    from catalyst.stream.log import EpochChanged
    from catalyst.stream.types import Alert

    terminal = Terminal(sys.stdout)
    position = await _head(parts)
    while True:
        try:
            await parts.log.wait(position)
            records = await parts.log.read(position, 100)
        except EpochChanged:
            position = await _head(parts)
            continue
        except Unavailable:
            await asyncio.sleep(0.5)
            continue
        lines = [terminal.line(Alert.model_validate_json(record.body)) + "\n" for record in records]
        await _put("".join(lines).encode(sys.stdout.encoding, "replace"))
        position = records[-1].offset if records else position


async def _head(parts: Service) -> int:
    """Where the log ends, as soon as it can be asked."""
    while True:
        try:
            return (await parts.log.bounds())[1]
        except Unavailable:
            await asyncio.sleep(0.5)


async def _put(text: bytes) -> None:
    """Write to stdout, however long it takes: a paused terminal or a full pipe must hold up nothing else.

    In a daemon thread and past Python's own buffer, so that a write which never ends does not keep us from stopping.
    """
    loop = asyncio.get_running_loop()
    written: asyncio.Future[None] = loop.create_future()

    def settle(error: OSError | None) -> None:
        if not written.done():
            written.set_exception(error) if error else written.set_result(None)

    def write() -> None:
        left, error = memoryview(text), None
        try:
            while left:
                left = left[os.write(sys.stdout.fileno(), left) :]
        except OSError as failed:
            error = failed
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=write, name="print", daemon=True).start()
    await written


def _banner(parts: Service, folder: Path) -> None:
    count = f", {parts.source.accessions} filings" if parts.source.accessions else ""
    lines = (
        f"Catalyst follows {parts.source.title}{count}",
        f"  dashboard  {parts.server.url}/",
        f"  stream     {parts.server.url.replace('http', 'ws', 1)}/ws/filings",
        f"  analysis   {parts.model}",
        *([f"  headlines  {len(parts.news.sources)} feeds"] if parts.news else []),
        f"  data       {folder}",
    )
    print("\n".join(lines), file=sys.stderr, flush=True)


def _warn_idle(settings: Settings) -> None:
    import structlog

    if settings.idle:
        structlog.get_logger().warning("settings.without_effect", names=list(settings.idle))


def _speed(text: str) -> float:
    if text == "max":
        return float("inf")
    with contextlib.suppress(ValueError):
        speed = float(text)
        if 0 < speed < float("inf"):
            return speed
    raise UsageError(f"--speed {text!r}: use a number above 0, or max")


def _plain(error: BaseException) -> BaseException:
    """The first failure inside task groups; one that we expect before one that we don't."""
    while isinstance(error, BaseExceptionGroup):
        inner: list[BaseException] = list(error.exceptions)
        error = next((one for one in inner if isinstance(one, CatalystError)), inner[0])
    return error
