"""Slow clients, restarts, many filters: what the fan-out promises beyond one client's protocol."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from websockets.exceptions import ConnectionClosed

from catalyst.clock import SystemClock
from catalyst.stream.filters import Filter
from catalyst.web.fanout import Fanout
from catalyst.web.metrics import WebMetrics
from catalyst.web.protocol import DirectProtocol
from tests.contracts.log import alert
from tests.web.service import QUICK, Service

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out


def big(number: int):
    """An alert of about 100 kB."""
    return alert(number).model_copy(update={"headline": "x" * 100_000})


async def test_a_client_that_does_not_read_is_closed_4008_while_the_others_get_everything(start):
    service: Service = await start(replace(QUICK, backlog_bytes=1 << 20))
    async with service.client() as good, service.client() as stalled:
        await good.live()
        await stalled.live()
        position = service.app.state.fanout.pos
        stalled.socket.transport.pause_reading()
        reading = asyncio.create_task(good.alerts(120))
        for number in range(120):
            await service.log.append([big(number)])
            await asyncio.sleep(0.001)
        assert [m["seq"] for m in await reading] == list(range(position + 1, position + 121))
        for _ in range(200):
            if service.app.state.fanout.clients == 1:
                break
            await asyncio.sleep(0.01)
        assert service.app.state.fanout.clients == 1
        stalled.socket.transport.resume_reading()
        got, last = [], position
        try:
            while True:
                message = await stalled.receive()
                if "seq" in message:
                    got.append(message["seq"])
        except ConnectionClosed:
            last = got[-1]
        assert got == list(range(position + 1, last + 1))
        assert stalled.socket.close_code == 4008
        assert stalled.socket.close_reason == "resume later"
    async with service.client() as again:
        await again.subscribe(resume={"epoch": service.log.epoch, "after": last})
        assert [m["seq"] for m in await again.alerts(position + 120 - last)] == list(range(last + 1, position + 121))


async def test_a_client_that_never_reads_again_is_cut_off(start):
    service: Service = await start()
    async with service.client() as stalled:
        await stalled.live()
        stalled.socket.transport.pause_reading()
        for number in range(100):
            await service.log.append([big(number)])
            await asyncio.sleep(0.001)
        metrics = service.app.state.fanout
        for _ in range(400):
            if metrics.clients == 0:
                break
            await asyncio.sleep(0.01)
        assert metrics.clients == 0
        stalled.socket.transport.abort()


async def test_restarting_the_service_loses_nothing_for_a_resuming_client(start):
    service: Service = await start()
    await service.log.append([alert(1)])
    async with service.client() as client:
        await client.subscribe(resume={"epoch": service.log.epoch, "after": 0})
        seen = [m["seq"] for m in await client.alerts(1)]
        started = time.perf_counter()
        stopping = asyncio.create_task(service.stop())
        assert await client.closed() == (1012, "")
        await stopping
        assert time.perf_counter() - started < 2
    epoch = service.log.epoch
    await service.start()
    await service.log.append([alert(2), alert(1, version=2)])
    async with service.client() as client:
        answer = await client.subscribe(resume={"epoch": epoch, "after": seen[-1]})
        assert answer["recovered"] is True
        assert [m["seq"] for m in await client.alerts(2)] == [2, 3]


async def test_stopping_takes_no_longer_for_a_client_that_does_not_read(start):
    service: Service = await start()
    async with service.client() as stalled:
        await stalled.live()
        stalled.socket.transport.pause_reading()
        for number in range(60):
            await service.log.append([big(number)])
            await asyncio.sleep(0)
        started = time.perf_counter()
        await service.stop()
        assert time.perf_counter() - started < 2
        stalled.socket.transport.abort()


class Wall(asyncio.WriteTransport):
    """A peer that is its own transport, and keeps what is written to it."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.backlog = 0
        self.code = 0
        self.closing = False

    @property
    def transport(self) -> Wall:
        return self

    def get_write_buffer_size(self) -> int:
        return self.backlog

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closing

    def write(self, frames: bytes | bytearray | memoryview) -> None:
        self.frames.append(bytes(frames))

    def finish(self, code: int, reason: str) -> None:
        self.code = code


async def test_clients_with_the_same_filter_share_one_frame(service: Service):
    fanout: Fanout = service.app.state.fanout
    walls = [Wall() for _ in range(5)]
    for wall in walls:
        fanout.join(wall, Filter.of(["ACME"]), 0)
    await service.log.append([alert(1)])
    await fanout.reach(1)
    assert len({id(wall.frames[0]) for wall in walls}) == 1


async def test_a_peer_over_its_bound_is_closed_and_the_next_write_skips_it(service: Service):
    fanout: Fanout = service.app.state.fanout
    slow, good = Wall(), Wall()
    slow.backlog = QUICK.backlog_bytes + 1
    for wall in (slow, good):
        fanout.join(wall, Filter(), 0)
    await service.log.append([alert(1), alert(2)])
    await fanout.reach(2)
    assert (slow.code, slow.frames) == (4008, [])
    assert len(b"".join(good.frames)) > 1000
    assert fanout.clients == 1


async def test_nothing_is_written_behind_a_close_frame(service: Service):
    fanout: Fanout = service.app.state.fanout
    going, staying = Wall(), Wall()
    going.closing = True
    for wall in (going, staying):
        fanout.join(wall, Filter(), 0)
    await service.log.append([alert(1)])
    await fanout.reach(1)
    assert (going.frames, len(staying.frames)) == ([], 1)


async def test_ten_thousand_filters_cost_a_record_only_those_that_want_its_ticker(service: Service):
    fanout = Fanout(service.log, QUICK, WebMetrics(CollectorRegistry()), SystemClock())
    walls = [Wall() for _ in range(10_000)]
    for number, wall in enumerate(walls):
        fanout.join(wall, Filter.of([f"T{number}"]), 0)
    await service.log.append([alert(n, tickers=(f"T{n}",)) for n in range(200)])
    records = await service.log.read(0, 200)
    started = time.process_time()
    fanout.publish(records)
    assert time.process_time() - started < 0.2
    assert [len(wall.frames) for wall in walls] == [1] * 200 + [0] * 9800
    for wall in walls:
        fanout.leave(wall)
    assert (fanout._groups, fanout._by_ticker, fanout._any_ticker) == ({}, {}, set())


async def test_a_client_that_left_is_forgotten(service: Service):
    for _ in range(20):
        async with service.client() as client:
            await client.live()
    for _ in range(200):
        if service.app.state.fanout.clients == 0:
            break
        await asyncio.sleep(0.01)
    assert service.app.state.fanout.clients == 0
    gc.collect()
    alive = [each for each in gc.get_objects() if isinstance(each, DirectProtocol)]
    assert len(alive) <= 2


@pytest.mark.parametrize("count", [300])
async def test_hundreds_of_clients_get_the_same(service: Service, count: int):
    async def follow(ready: asyncio.Semaphore) -> list[int]:
        async with service.client() as client:
            await client.live()
            ready.release()
            return [m["seq"] for m in await client.alerts(50)]

    ready = asyncio.Semaphore(0)
    following = [asyncio.create_task(follow(ready)) for _ in range(count)]
    for _ in range(count):
        await asyncio.wait_for(ready.acquire(), 30)
    for number in range(50):
        await service.log.append([alert(number)])
    for seqs in await asyncio.wait_for(asyncio.gather(*following), 60):
        assert seqs == list(range(1, 51))


async def test_a_subscriber_among_filters_never_sees_a_gap_it_cannot_explain(service: Service):
    async def follow(wanted: dict) -> list[tuple[int, int]]:
        async with service.client() as client:
            await client.live(**wanted)
            found: list[tuple[int, int]] = []
            while not found or found[-1][0] < 400:
                message = await client.receive()
                if "seq" in message:
                    found.append((message["seq"], message["prev"]))
                if message["type"] == "heartbeat" and message["pos"] >= 400:
                    break
            return found

    filters: list[dict] = [{"tickers": [f"T{n}"]} for n in range(4)] + [{"min_priority": 0.5}, {"forms": ["4"]}, {}]
    following = [asyncio.create_task(follow(wanted)) for wanted in filters]
    while service.app.state.fanout.clients < len(filters):
        await asyncio.sleep(0.01)
    for n in range(399):
        await service.log.append([alert(n, tickers=(f"T{n % 4}",), form="4" if n % 3 else "8-K", score=n % 10 / 10)])
    await service.log.append([alert(999, tickers=("T0", "T1", "T2", "T3"), form="4", score=1.0)])
    for chain in await asyncio.wait_for(asyncio.gather(*following), 30):
        assert chain[-1][0] == 400
        assert all(later[1] == earlier[0] for earlier, later in itertools.pairwise(chain))
