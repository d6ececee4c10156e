"""One simulated clock over two processes."""

from __future__ import annotations

import asyncio
import contextlib
import math
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest

from catalyst.clock import Clock, SimClock
from catalyst.emulator import EmulatorServer, Recording, RemoteClock
from catalyst.errors import Unreachable
from catalyst.filings.limiter import RateLimiter, fetch_rank

from .conftest import AGENT, new_york

NOON = new_york("12:00:00")

FOLLOWER = """
import asyncio, sys
from catalyst.emulator import RemoteClock

async def main():
    clock = await RemoteClock.connect(sys.argv[1])
    print(clock.monotonic(), flush=True)
    for line in sys.stdin:
        if line.strip() == "hold":
            clock.hold()
        elif line.strip() == "release":
            clock.release()
        else:
            await clock.sleep(float(line))
        await asyncio.sleep(0.02)
        print(clock.monotonic(), flush=True)

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def emulator(recording: Recording, speed: float, **options: object) -> AsyncIterator[EmulatorServer]:
    async with EmulatorServer(recording, SimClock(NOON, speed), **options) as server:  # type: ignore[arg-type]
        yield server


def rate(server: EmulatorServer) -> float:
    assert isinstance(server.clock, SimClock)
    return server.clock.rate


async def pace(clock: Clock) -> float:
    """Simulated seconds for each real one, over a tenth of a second."""
    begun, real = clock.monotonic(), time.monotonic()
    await asyncio.sleep(0.1)
    return (clock.monotonic() - begun) / (time.monotonic() - real)


async def until(condition, seconds: float = 2.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("speed", [600.0, math.inf])
async def test_sleeps_take_the_simulated_time_they_should(recording, speed):
    async with emulator(recording, speed) as server:
        clock = await RemoteClock.connect(server.url)
        for _ in range(50):
            before = clock.monotonic()
            await clock.sleep(5)
            assert clock.monotonic() - before >= 5
            assert abs(clock.monotonic() - server.clock.monotonic()) < 5
        assert clock.accessions == recording.accessions
        assert clock.ends_at == recording.ends_at
        await clock.close()


async def test_both_run_at_real_time_while_either_works(recording):
    async with emulator(recording, 600) as server:
        clock = await RemoteClock.connect(server.url)
        with clock.working():
            await until(lambda: rate(server) == 1.0)
            begun, real = server.clock.monotonic(), time.monotonic()
            await asyncio.sleep(0.1)
            assert server.clock.monotonic() - begun <= (time.monotonic() - real) * 1.1
        assert await pace(clock) > 60
        with server.clock.working():
            await until(lambda: clock.rate == 1.0)
            assert await pace(clock) < 2
        assert await pace(clock) > 60
        await clock.close()


async def test_the_emulator_does_not_run_past_a_sleeper_of_the_follower(recording):
    async with emulator(recording, math.inf) as server:
        clock = await RemoteClock.connect(server.url)
        seen = []
        for seconds in (3.0, 3600.0, 0.5):
            await clock.sleep(seconds)
            seen.append(server.clock.monotonic() - clock.monotonic())
        assert max(map(abs, seen)) < 0.5
        await clock.close()


async def test_a_timeout_of_the_follower_fires_on_simulated_time(recording):
    async with emulator(recording, math.inf) as server:
        clock = await RemoteClock.connect(server.url)
        with pytest.raises(TimeoutError):
            async with clock.timeout(600):
                await clock.sleep(3600)
        await clock.close()


async def test_another_process_agrees_within_seconds_and_its_death_frees_the_clock(recording, tmp_path: Path):
    script = tmp_path / "follower.py"
    script.write_text(FOLLOWER)
    async with emulator(recording, 600) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(script), server.url, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None

        async def tell(line: str) -> float:
            process.stdin.write(f"{line}\n".encode())  # type: ignore[union-attr]
            return float(await process.stdout.readline())  # type: ignore[union-attr]

        await process.stdout.readline()
        await tell("hold")
        assert rate(server) == 1.0
        for _ in range(5):
            # While it is held, the answer is milliseconds old in simulated time as well.
            assert abs(await tell("0.01") - server.clock.monotonic()) < 3
        process.kill()
        await process.wait()
        await until(lambda: rate(server) == 600.0)


async def test_a_follower_finds_a_restarted_emulator_and_time_does_not_go_back(recording, tmp_path: Path):
    state = tmp_path / "clock"
    first = EmulatorServer(recording, SimClock(NOON, 600, state))
    await first.start()
    port = int(first.url.rpartition(":")[2])
    clock = await RemoteClock.connect(first.url)
    clock.hold()
    before = clock.monotonic()
    await first.stop()
    await until(lambda: clock._socket is None)
    assert clock.rate == 1.0
    again = SimClock(NOON, 600, state)
    async with EmulatorServer(recording, again, port=port):
        await until(lambda: again.rate == 1.0)
        assert clock.monotonic() >= before
        clock.release()
        assert await pace(clock) > 60
        assert abs(clock.monotonic() - again.monotonic()) < 300
        await clock.close()


async def test_no_emulator_is_an_error_that_says_what_to_do(recording):
    async with emulator(recording, 1) as server:
        url = server.url
    with pytest.raises(Unreachable, match="catalyst emulate"):
        await RemoteClock.connect(url)


@pytest.mark.parametrize("message", ["no json", "[1]", '{"due": "x"}', "7"])
async def test_a_message_that_makes_no_sense_ends_the_connection(recording, message):
    async with emulator(recording, 600) as server, aiohttp.ClientSession() as session:
        socket = await session.ws_connect(server.url + "/_emulator/clock")
        await socket.send_str('{"hold": true, "number": 1}')
        await until(lambda: rate(server) == 1.0)
        assert orjson.loads(await socket.receive_str())["rate"] in (600.0, 1.0)
        await socket.send_str(message)
        await until(lambda: rate(server) == 600.0)
        await socket.close()


async def test_a_limiter_on_the_followed_clock_keeps_within_the_emulators_limit(recording):
    async with emulator(recording, 600) as server, aiohttp.ClientSession() as session:
        clock = await RemoteClock.connect(server.url)
        limiter = RateLimiter(clock, per_second=8)
        url = server.url + "/cgi-bin/browse-edgar?action=getcurrent&output=atom"

        async def ask() -> int:
            async with limiter.slot(fetch_rank(0.5)) as slot:
                with clock.working():
                    async with session.get(url, headers=AGENT) as answer:
                        slot.answered()
                        await answer.read()
                        return answer.status

        assert set(await asyncio.gather(*[ask() for _ in range(400)])) == {200}
        assert (clock.monotonic() - NOON.timestamp()) > 400 / 8 - 2
        await clock.close()


async def test_a_patient_emulator_waits_for_its_first_client_at_real_time(recording):
    async with emulator(recording, 600, patient=True) as server:
        assert rate(server) == 1.0
        clock = await RemoteClock.connect(server.url)
        assert await pace(clock) > 60
        await clock.close()
    async with emulator(recording, 600, patient=True) as server, aiohttp.ClientSession() as session:
        async with session.get(server.url + "/_emulator/status") as answer:
            assert answer.status == 200
        assert rate(server) == 1.0
        async with session.get(server.url + "/cgi-bin/browse-edgar?action=getcurrent", headers=AGENT) as answer:
            assert answer.status == 200
        assert rate(server) == 600.0
