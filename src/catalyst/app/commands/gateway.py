"""`catalyst gateway`: the hub as an endpoint that any OpenAI or Anthropic client can use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from catalyst.app.settings import Settings


def gateway(
    host: Annotated[str | None, typer.Option(help="Address to bind; beyond loopback needs a key")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port [8765]")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of databases and caches [data]")] = None,
) -> None:
    """Serve the hub at /v1: OpenAI's chat, embeddings and models, and Anthropic's messages.

    Any client works by changing its base URL: OPENAI_BASE_URL=http://127.0.0.1:8765/v1. Model names are real ones, or
    catalyst/auto, catalyst/simple … to leave the choice to the hub. `catalyst keys add NAME` makes a key, which is a
    tenant with its own limits and budget. `catalyst up` serves the same endpoint beside the filings.
    """
    import asyncio
    import dataclasses

    import uvloop

    from catalyst.app import log
    from catalyst.app.settings import load

    settings = load()
    web = settings.web
    web = dataclasses.replace(web, host=host or web.host, port=web.port if port is None else port)
    log.configure(settings.app.log_level, settings.app.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(dataclasses.replace(settings, web=web), data or settings.app.data_dir))
    print("stopped", file=sys.stderr)


async def _run(settings: Settings, data_dir: Path) -> None:
    import asyncio
    import gc
    import signal

    from catalyst.app.build.gateway import gateway

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with gateway(settings, data_dir) as server:
        server.bind()
        gc.freeze()  # what was loaded stays: the collector need not look at it again and again
        print(f"gateway  {server.url}/v1", file=sys.stderr)
        print("keys     catalyst keys add NAME makes one; Ctrl-C stops", file=sys.stderr)
        serving, stopping = asyncio.create_task(server.run()), asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        stopping.cancel()
        (ended,) = await asyncio.gather(serving, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended
