"""What hostile and broken clients send: bad messages, floods, frames that RFC 6455 forbids, ten thousand filters."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.contracts.log import alert
from tests.web.service import QUICK, Service

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

BAD: dict[str, str | bytes] = {
    "no JSON": "hello",
    "an array": "[1]",
    "an unknown type": '{"type":"publish"}',
    "no type": "{}",
    "a bad filter": '{"type":"subscribe","min_priority":7}',
    "a bad resume": '{"type":"subscribe","resume":{"epoch":"x","after":-1}}',
    "not a number": '{"type":"subscribe","min_priority":NaN}',
    "too many tickers": '{"type":"subscribe","tickers":[' + ",".join(['"A"'] * 1001) + "]}",
    "nested to no end": "[" * 20_000,
    "a long message": '{"type":"subscribe","x":"' + "x" * 100_000 + '"}',
    "binary": b"\x00\x01",
}


@pytest.mark.parametrize("what", BAD)
async def test_what_the_protocol_does_not_have_is_closed_with_4010(service: Service, what: str):
    async with service.client() as client:
        await client.receive()
        await client.socket.send(BAD[what])
        code, reason = await client.closed()
    assert code == 4010, reason


async def test_a_bad_message_after_subscribing_is_4010_too_and_harms_nobody(service: Service):
    async with service.client() as good, service.client() as bad:
        await good.live()
        await bad.live()
        await bad.socket.send("hello")
        assert (await bad.closed())[0] == 4010
        await service.log.append([alert(1)])
        assert (await good.alerts(1))[0]["seq"] == 1
    assert service.app.state.fanout.clients == 0 or await _left(service)


async def _left(service: Service) -> bool:
    for _ in range(100):
        if service.app.state.fanout.clients == 0:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_flood_of_messages_is_closed_with_4010(service: Service):
    async with service.client() as client:
        await client.live()
        with pytest.raises(ConnectionClosed):
            for _ in range(500):
                await client.socket.send("ping")
                await asyncio.sleep(0)
            await client.closed()
            await client.socket.send("ping")
        assert (await client.closed())[0] == 4010


async def test_a_flood_of_protocol_pings_and_one_of_fragments_are_closed(service: Service):
    async with service.client() as client:
        await client.live()
        with pytest.raises(ConnectionClosed):
            for _ in range(500):
                await client.socket.ping()
            await client.closed()
            await client.socket.ping()
        assert (await client.closed())[0] == 4010

    async def pieces():
        for _ in range(200):
            yield "x"

    async with service.client() as client:
        await client.live()
        with pytest.raises(ConnectionClosed):
            await client.socket.send(pieces())
            await client.closed()
            await client.socket.send("ping")
        assert (await client.closed())[0] == 4010


class Wire:
    """A handshake done, then frames byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, opcode: int, payload: bytes = b"", *, fin: bool = True, bits: int = 0, masked: bool = True) -> None:
        mask = os.urandom(4)
        head = bytes([(fin << 7) | (bits << 4) | opcode])
        size = len(payload)
        flag = masked << 7
        if size < 126:
            head += bytes([flag | size])
        elif size < 65536:
            head += bytes([flag | 126]) + struct.pack("!H", size)
        else:
            head += bytes([flag | 127]) + struct.pack("!Q", size)
        body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload)) if masked else payload
        self.writer.write(head + (mask if masked else b"") + body)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame's opcode and payload."""
        first, second = await self.reader.readexactly(2)
        size = second & 127
        if size > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
        return first & 15, await self.reader.readexactly(size)

    async def until(self, wanted: int) -> bytes:
        """The payload of the next frame with this opcode."""
        async with asyncio.timeout(5):
            while (found := await self.frame())[0] != wanted:
                pass
        return found[1]

    async def closed(self) -> int:
        """The code of the close frame; then the connection must end."""
        code = int.from_bytes((await self.until(8))[:2])
        self.send(8, struct.pack("!H", code))
        async with asyncio.timeout(5):
            assert await self.reader.read() == b""
        return code


@asynccontextmanager
async def wire_to(service: Service) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(
        b"GET /ws/filings HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head.split(b"\r\n")[0]
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FORBIDDEN: dict[str, tuple[int, list[tuple[int, bytes, dict[str, Any]]]]] = {
    "a reserved bit": (1002, [(TEXT, b"ping", {"bits": 4})]),
    "a reserved opcode": (1002, [(3, b"", {})]),
    "a reserved control opcode": (1002, [(11, b"", {})]),
    "an unmasked frame": (1002, [(TEXT, b"ping", {"masked": 0})]),
    "a fragmented ping": (1002, [(PING, b"", {"fin": 0})]),
    "a ping of 126 bytes": (1002, [(PING, b"x" * 126, {})]),
    "a continuation of nothing": (1002, [(0, b"ping", {})]),
    "a text within a text": (1002, [(TEXT, b"pi", {"fin": 0}), (TEXT, b"ng", {})]),
    "a close of one byte": (1002, [(CLOSE, b"x", {})]),
    "a close code that nobody may send": (1002, [(CLOSE, struct.pack("!H", 1005), {})]),
    "bytes that are no UTF-8": (1007, [(TEXT, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80", {})]),
    "no UTF-8 over two fragments": (1007, [(TEXT, b"\xf4", {"fin": 0}), (0, b"\x90\x80\x80", {})]),
}


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_frames_that_the_rfc_forbids_end_the_connection_with_its_code(service: Service, what: str, caplog):
    code, frames = FORBIDDEN[what]
    async with wire_to(service) as wire:
        for opcode, payload, options in frames:
            wire.send(opcode, payload, **options)
        assert await wire.closed() == code
    assert not [record for record in caplog.records if record.exc_info], "a client's bytes are no fault of ours"


async def test_fragments_with_pings_between_them_are_one_message(service: Service):
    async with wire_to(service) as wire:
        wire.send(TEXT, b"pi", fin=False)
        wire.send(PING, b"still there?")
        assert await wire.until(PONG) == b"still there?"
        wire.send(0, b"n", fin=False)
        wire.send(PONG, b"unasked")
        wire.send(0, b"g")
        async with asyncio.timeout(5):
            while (await wire.until(TEXT)) != b"pong":
                pass
        wire.send(CLOSE, struct.pack("!H", 1000))
        assert int.from_bytes(await wire.until(CLOSE)) == 1000


async def test_a_frame_that_announces_more_than_anyone_may_send_is_refused_before_it_comes(service: Service):
    async with wire_to(service) as wire:
        wire.writer.write(b"\x81\xff" + struct.pack("!Q", 1 << 62) + b"\0\0\0\0")
        assert int.from_bytes((await wire.until(CLOSE))[:2]) == 4010


async def test_ten_thousand_clients_filters_are_served_each_its_own(service: Service):
    """A hundred connections, each replacing its filter of a hundred tickers: ten thousand filters in all."""

    async def follow(number: int) -> list[int]:
        async with service.client() as client:
            for turn in range(5):
                await client.subscribe(tickers=[f"T{number}-{turn}-{place}" for place in range(20)])
            await client.live(tickers=[f"T{number}-{place}" for place in range(100)])
            ready.release()
            return [message["seq"] for message in await client.alerts(1)]

    ready = asyncio.Semaphore(0)
    following = [asyncio.create_task(follow(number)) for number in range(100)]
    for _ in following:
        await asyncio.wait_for(ready.acquire(), 30)
    assert len(service.app.state.fanout._by_ticker) == 10_000
    offsets = [
        (await service.log.append([alert(number, tickers=(f"T{number}-{number}",))]))[0] for number in range(100)
    ]
    assert await asyncio.wait_for(asyncio.gather(*following), 30) == [[offset] for offset in offsets]


async def test_a_thousand_tickers_are_taken_and_one_more_is_not(service: Service):
    async with service.client() as client:
        answer = await client.subscribe(tickers=[f"T{number}" for number in range(1000)])
        assert len(answer["filters"]["tickers"]) == 1000


async def test_who_authenticates_slowly_holds_nobody_up_and_is_closed_in_time(start):
    """A key byte by byte, within the time and past it; the others get their messages meanwhile."""
    service: Service = await start(replace(QUICK, api_keys=("right-key",), auth_s=1.0))
    said = b'{"type":"auth","api_key":"right-key"}'
    async with service.client(additional_headers={"X-API-Key": "right-key"}) as good, wire_to(service) as slow:
        await good.live()
        for place in range(12):
            slow.send(TEXT if place == 0 else 0, said[place * 3 : place * 3 + 3], fin=False)
            await asyncio.sleep(0.01)
        await service.log.append([alert(1)])
        assert (await good.alerts(1))[0]["seq"] == 1
        slow.send(0, said[36:])
        while b"subscribed" not in (await slow.until(TEXT)):
            pass
    async with wire_to(service) as never:
        never.send(TEXT, said[:10], fin=False)
        assert await never.closed() == 4001
