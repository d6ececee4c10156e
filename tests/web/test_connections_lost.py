"""Connections that end without a word, and a service that stops under its clients: noticed, resumed, nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from catalyst.bot.client import FilingsClient
from catalyst.http import Http
from catalyst.web.settings import WebSettings
from tests.contracts.log import alert
from tests.web.service import QUICK, Service

pytestmark = pytest.mark.slow


class Proxy:
    """Passes bytes on, until it `swallows` them both ways and keeps the connections open: a cable that was pulled."""

    def __init__(self, to: int) -> None:
        self._to = to
        self.swallows = False
        self.accepted = 0
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in tuple(self._open):
                writer.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        upstream, beyond = await asyncio.open_connection("127.0.0.1", self._to)
        self._open |= {writer, beyond}
        # A connection that has met the pulled cable stays dead; later ones pass.
        dead = [False]
        await asyncio.gather(self._pass(reader, beyond, dead), self._pass(upstream, writer, dead))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dead: list[bool]) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                dead[0] |= self.swallows
                if not dead[0]:
                    writer.write(piece)
        if not dead[0]:
            writer.close()


async def until(met, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not met():
            await asyncio.sleep(0.02)


def test_by_default_both_sides_notice_within_thirty_seconds():
    """The service: a ping and its answer's time. A client: two heartbeats of ours, or its own pings before that."""
    defaults = WebSettings()
    assert 2 * defaults.ping_s <= 30
    assert 2 * defaults.heartbeat_s <= 30


async def test_the_service_notices_a_client_that_is_gone_without_a_word(start):
    service: Service = await start(replace(QUICK, ping_s=0.3))
    async with Proxy(service.port).running() as proxy:
        direct, service.port = service.port, proxy.port
        async with service.client(ping_interval=None) as client:
            service.port = direct
            await client.live()
            assert service.app.state.fanout.clients == 1
            proxy.swallows = True
            await until(lambda: service.app.state.fanout.clients == 0)
            client.socket.transport.abort()


async def test_a_client_of_ours_notices_a_service_that_is_gone_without_a_word_and_loses_nothing(start):
    service: Service = await start(replace(QUICK, heartbeat_s=0.5))
    got: list[int] = []

    async def take(message) -> None:
        got.append(message.seq)

    async with Proxy(service.port).running() as proxy, Http() as http:
        client = FilingsClient(f"http://127.0.0.1:{proxy.port}", http, draw=lambda: 0.0)
        client.handle("collect", take)
        running = asyncio.create_task(client.run())
        await until(lambda: service.app.state.fanout.clients == 1)
        await service.log.append([alert(1)])
        await until(lambda: got == [1])
        proxy.swallows = True
        await service.log.append([alert(2), alert(3)])
        await asyncio.sleep(0.1)
        accepted = proxy.accepted
        await asyncio.sleep(0.3)
        proxy.swallows = False
        await until(lambda: got == [1, 2, 3])
        assert proxy.accepted > accepted, "it connected again"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_service_that_stops_under_fifty_clients_closes_them_with_1012_and_each_resumes_without_loss(start):
    service: Service = await start()
    codes: list[int] = []

    async def follow(seen: list[int], **wanted) -> None:
        async with service.client() as client:
            await client.send(type="subscribe", **wanted)
            with contextlib.suppress(Exception):
                while not seen or seen[-1] < 400:
                    message = await client.receive()
                    if "seq" in message:
                        seen.append(message["seq"])
            if client.socket.close_code:
                codes.append(client.socket.close_code)

    heard: list[list[int]] = [[] for _ in range(50)]
    following = [asyncio.create_task(follow(seen)) for seen in heard]
    await until(lambda: service.app.state.fanout.clients == 50)
    for number in range(200):
        await service.log.append([alert(number)])
    await asyncio.wait_for(service.stop(), 5)
    await asyncio.wait_for(asyncio.gather(*following), 10)
    assert set(codes) == {1012}
    assert len(codes) == 50
    epoch = service.log.epoch
    await service.start()
    places = [{"epoch": epoch, "after": seen[-1] if seen else 0} for seen in heard]
    again = [asyncio.create_task(follow(seen, resume=place)) for seen, place in zip(heard, places, strict=True)]
    for number in range(200, 400):
        await service.log.append([alert(number)])
    await asyncio.wait_for(asyncio.gather(*again), 30)
    assert all(seen == list(range(1, 401)) for seen in heard)
