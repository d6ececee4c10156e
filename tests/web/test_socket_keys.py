"""Who may follow the stream: keys in the header or the first message, origins, and how many may."""

from __future__ import annotations

from dataclasses import replace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.contracts.log import alert
from tests.web.service import QUICK, Client, Service

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

KEYED = replace(QUICK, api_keys=("first-key", "second-key"))


async def test_a_key_in_the_header_opens(start):
    service = await start(KEYED)
    async with service.client(additional_headers={"X-API-Key": "second-key"}) as client:
        assert (await client.live())["pos"] == 0


async def test_a_key_in_the_first_message_opens(start):
    service = await start(KEYED)
    async with service.client() as client:
        await client.send(type="auth", api_key="first-key")
        assert (await client.live())["pos"] == 0


@pytest.mark.parametrize(
    "said",
    [None, {"type": "auth", "api_key": "wrong"}, {"type": "subscribe"}],
    ids=["nothing", "a wrong key", "no key"],
)
async def test_without_a_valid_key_a_client_is_closed_with_4001_and_sees_no_filing(start, said):
    service = await start(KEYED)
    async with service.client() as client:
        await client.receive()
        await service.log.append([alert(1)])
        if said:
            await client.send(**said)
        with pytest.raises(ConnectionClosed):
            await client.receive()
        assert (await client.closed())[0] == 4001


async def test_a_wrong_key_in_the_header_is_4001_and_one_in_the_address_counts_for_nothing(start):
    service = await start(KEYED)
    async with service.client(additional_headers={"X-API-Key": "wrong"}) as client:
        assert (await client.closed())[0] == 4001
    service_address = service.ws + "?api_key=first-key"
    async with connect(service_address, proxy=None) as socket:
        assert (await Client(socket).closed())[0] == 4001


async def test_another_sites_page_is_refused_and_our_own_is_not(service: Service):
    with pytest.raises(InvalidStatus) as caught:
        async with service.client(origin="https://evil.example"):
            pass
    assert caught.value.response.status_code == 403
    async with service.client(origin=service.http) as client:
        assert (await client.receive())["type"] == "connected"


async def test_one_connection_too_many_is_closed_with_4009(start):
    service = await start(replace(QUICK, max_connections=2))
    async with service.client() as one, service.client() as two, service.client() as three:
        assert (await three.closed())[0] == 4009
        await one.live()
        await two.live()
        await service.log.append([alert(1)])
        assert (await one.alerts(1))[0]["seq"] == (await two.alerts(1))[0]["seq"] == 1
