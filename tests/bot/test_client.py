"""The client library against a real service that restarts, trims, forgets, and against peers that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import serve

from catalyst.bot.address import Address
from catalyst.bot.checkpoint import MemoryCheckpoint, Place, SqliteCheckpoint
from catalyst.bot.client import FilingsClient, Message, Start
from catalyst.bot.past import Wanted
from catalyst.clock import SystemClock
from catalyst.db import Database
from catalyst.errors import Refused, StorageError, Unreachable, UsageError
from catalyst.http import Http
from tests.contracts.log import alert
from tests.web.conftest import start  # noqa: F401 (a fixture)
from tests.web.service import QUICK, Service


class Impatient(SystemClock):
    """The machine's clock, but nobody waits to reconnect; it keeps what was asked for."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0.01)


class Follower:
    """A client with one handler that collects."""

    def __init__(self, http: Http, url: str, **options: Any) -> None:
        self.got: list[Message] = []
        self.clock = Impatient()
        self.client = FilingsClient(url, http, clock=self.clock, **options)
        self.client.handle("collect", self._take)
        self.arrived = asyncio.Event()

    async def _take(self, message: Message) -> None:
        self.got.append(message)
        self.arrived.set()

    @property
    def seqs(self) -> list[int]:
        return [message.seq for message in self.got]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Follower]:
        task = asyncio.create_task(self.client.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def count(self, number: int) -> list[int]:
        async with asyncio.timeout(10):
            while len(self.got) < number:
                self.arrived.clear()
                await self.arrived.wait()
        return self.seqs

    async def live(self) -> Follower:
        async with asyncio.timeout(10):
            while self.client.place is None:
                await asyncio.sleep(0.005)
        return self


@pytest.fixture
async def http():
    async with Http() as opened:
        yield opened


@pytest.fixture
async def service(start) -> Service:  # noqa: F811
    return await start()


async def test_messages_arrive_in_order_as_alerts(service: Service, http: Http):
    follower = Follower(http, service.ws, start=Start(after=0))
    await service.log.append([alert(1), alert(2), alert(1, version=2)])
    async with follower.running():
        assert await follower.count(3) == [1, 2, 3]
    first = follower.got[0]
    assert first.alert.filing_id == alert(1).filing_id
    assert (first.alert.epoch, first.replay, first.raw["prev"]) == (service.log.epoch, True, 0)


async def test_a_restart_of_the_service_is_resumed_without_gap_or_repeat(service: Service, http: Http):
    follower = Follower(http, service.ws)
    async with follower.running():
        await follower.live()
        await service.log.append([alert(1)])
        await follower.count(1)
        for round_ in range(3):
            await service.stop()
            await service.start()
            await service.log.append([alert(10 * round_ + 10), alert(10 * round_ + 11)])
        assert await follower.count(7) == list(range(1, 8))


async def test_waits_are_drawn_from_a_doubling_range_up_to_thirty_seconds(http: Http):
    clock = Impatient()
    client = FilingsClient("ws://127.0.0.1:1", http, clock=clock, draw=lambda: 1.0)
    running = asyncio.create_task(client.run())
    while len(clock.waits) < 9:
        await asyncio.sleep(0.01)
    running.cancel()
    assert clock.waits[:9] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_a_checkpoint_on_disk_resumes_after_a_restart_of_the_client(service: Service, http: Http, tmp_path: Path):
    database = Database(tmp_path / "bot.db")
    checkpoints = [SqliteCheckpoint(database), SqliteCheckpoint(database)]  # tables before the first write
    await service.log.append([alert(1)])
    first = Follower(http, service.ws, checkpoint=checkpoints[0], start=Start(after=0))
    async with first.running():
        await first.count(1)
    await service.log.append([alert(2)])
    second = Follower(http, service.ws, checkpoint=checkpoints[1], start=Start(after=0))
    async with second.running():
        assert await second.count(1) == [2]
    database.close()


async def test_a_handler_that_fails_gets_its_message_again_and_the_others_do_not(
    service: Service, http: Http, tmp_path: Path
):
    database = Database(tmp_path / "bot.db")
    await service.log.append([alert(1), alert(2)])
    seen: dict[str, list[int]] = {"first": [], "second": []}

    def client(broken: bool) -> FilingsClient:
        made = FilingsClient(service.ws, http, checkpoint=SqliteCheckpoint(database), start=Start(after=0))

        async def first(message: Message) -> None:
            seen["first"].append(message.seq)

        async def second(message: Message) -> None:
            if broken and message.seq == 2:
                raise OSError("the sink is down")
            seen["second"].append(message.seq)

        made.handle("first", first)
        made.handle("second", second)
        return made

    with pytest.raises(OSError, match="the sink is down"):
        await asyncio.wait_for(client(broken=True).run(), 10)
    running = asyncio.create_task(client(broken=False).run())
    while seen["second"] != [1, 2]:
        await asyncio.sleep(0.01)
    running.cancel()
    assert seen["first"] == [1, 2]
    database.close()


async def test_work_that_a_handler_returns_commits_with_the_checkpoint(service: Service, http: Http, tmp_path: Path):
    database = Database(tmp_path / "bot.db")
    database.migrate("effects", ("CREATE TABLE effects (seq INTEGER)",))
    client = FilingsClient(service.ws, http, checkpoint=SqliteCheckpoint(database), start=Start(after=0))

    async def handler(message: Message):
        return lambda run: run.execute("INSERT INTO effects VALUES (?)", (message.seq,))

    client.handle("effects", handler)
    await service.log.append([alert(1), alert(2)])
    running = asyncio.create_task(client.run())
    while client.place is None or client.place.seq < 2:
        await asyncio.sleep(0.01)
    running.cancel()
    assert await database.read(lambda run: run.execute("SELECT seq FROM effects").fetchall()) == [(1,), (2,)]
    assert await SqliteCheckpoint(database).load() == client.place
    database.close()


async def test_a_new_log_is_caught_up_through_rest_and_nothing_is_handled_twice(start, http: Http):  # noqa: F811
    service: Service = await start()
    checkpoint = MemoryCheckpoint()
    follower = Follower(http, service.ws, checkpoint=checkpoint, start=Start(after=0))
    await service.log.append([alert(1), alert(2)])
    async with follower.running():
        await follower.count(2)
    await service.stop()
    service.path.unlink()
    service.path = service.path.with_name("another.db")
    await service.start()
    await service.log.append([alert(1), alert(2, version=2), alert(3, version=2), alert(4)])
    again = Follower(http, service.ws, checkpoint=checkpoint)
    async with again.running():
        await again.count(3)
        await service.log.append([alert(5)])
        await again.count(4)
    told = [(m.alert.filing_id[-1], m.alert.type.value, m.alert.version) for m in again.got]
    assert told == [
        ("2", "filing_update", 2),
        ("3", "filing_alert", 2),
        ("4", "filing_alert", 1),
        ("5", "filing_alert", 1),
    ]


async def test_what_retention_took_comes_from_rest(service: Service, http: Http):
    await service.log.append([alert(n) for n in range(1, 21)])
    await service.log.retain(count=5)
    checkpoint = MemoryCheckpoint()
    await checkpoint.move(Place(service.log.epoch, 3, 1))
    follower = Follower(http, service.http, checkpoint=checkpoint)
    async with follower.running():
        assert await follower.count(5) == [16, 17, 18, 19, 20]


async def test_since_brings_the_past_oldest_first_then_goes_live(service: Service, http: Http):
    await service.log.append([alert(n) for n in range(1, 500)])
    follower = Follower(http, service.ws, start=Start(since_ns=1), wanted=Wanted(("acme",), ("8-k",), 0.4))
    async with follower.running():
        await follower.count(499)
        await service.log.append([alert(900), alert(901, score=0.3)])
        assert await follower.count(500) == list(range(1, 501))


async def test_a_client_that_comes_and_goes_follows_while_the_service_publishes_hard(service: Service, http: Http):
    follower = Follower(http, service.ws, start=Start(after=0))

    async def publish() -> None:
        for number in range(600):
            await service.log.append([alert(number)])

    publishing = asyncio.create_task(publish())
    for pause in (0.05, 0.02, 0.1, 0.01, 0.07):
        async with follower.running():
            await asyncio.sleep(pause)
    await publishing
    async with follower.running():
        assert await follower.count(600) == list(range(1, 601))


async def test_a_key_that_is_not_accepted_ends_the_client_with_what_to_do(start, http: Http):  # noqa: F811
    service = await start(replace(QUICK, api_keys=("right",)))
    for key in ("", "wrong"):
        with pytest.raises(Refused, match="API key"):
            await asyncio.wait_for(FilingsClient(service.ws, http, api_key=key).run(), 10)
    follower = Follower(http, service.ws, api_key="right", start=Start(since_ns=1))
    await service.log.append([alert(1)])
    async with follower.running():
        assert await follower.count(1) == [1]


async def test_an_impatient_client_says_that_nothing_answers(http: Http):
    with pytest.raises(Unreachable, match="catalyst up"):
        await FilingsClient("ws://127.0.0.1:1", http, patient=False).run()


@contextlib.asynccontextmanager
async def peer(*scripts: list[Any]) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A server that says `scripts[n]` on its n-th connection, after the subscription; and what it was asked."""
    asked: list[dict[str, Any]] = []
    turns = iter(scripts)

    async def talk(socket) -> None:
        script = next(turns, [])
        await socket.send(orjson.dumps(CONNECTED).decode())
        asked.append(orjson.loads(await socket.recv()))
        resume = asked[-1].get("resume")
        pos = resume["after"] if resume else 0
        await socket.send(orjson.dumps({"type": "subscribed", "pos": pos, "recovered": bool(resume)}).decode())
        for message in script:
            await socket.send(message if isinstance(message, (str, bytes)) else orjson.dumps(message).decode())
        await socket.wait_closed()

    async with serve(talk, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", asked


CONNECTED = {"type": "connected", "version": 1, "epoch": "e", "head": 0, "oldest": 1, "heartbeat_s": 0.2}


def said(seq: int, prev: int) -> dict[str, Any]:
    return {**orjson.loads(alert(seq).model_dump_json()), "seq": seq, "prev": prev, "ts_ns": 5, "replay": False}


@pytest.mark.parametrize(
    ("begin", "wanted", "resumed"),
    [
        (Start(after=0), Wanted(), True),
        (Start(after=0), Wanted(("$a",)), True),
        (Start(), Wanted(forms=("8-k",)), False),
    ],
)
async def test_a_subscription_that_comes_late_gets_what_it_asked_for_and_nothing_else(
    http: Http, begin: Start, wanted: Wanted, resumed: bool
):
    """The service takes who is silent for one that wants everything, live, and says so before it hears us."""

    async def talk(socket) -> None:
        answer: dict[str, Any] = {"type": "subscribed", "pos": 7, "recovered": False, "reason": "live"}
        silent = {**answer, "filters": Wanted().shown()}
        ours = {**answer, "filters": wanted.shown()}
        if resumed:
            ours |= {"pos": 0, "recovered": True, "reason": ""}
        script = [silent, said(8, 7), ours, said(2, 0), said(9, 2)]
        await socket.send(orjson.dumps(CONNECTED).decode())
        for message in script:
            await socket.send(orjson.dumps(message).decode())
        await socket.wait_closed()

    async with serve(talk, "127.0.0.1", 0) as server:
        follower = Follower(
            http, f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", start=begin, wanted=wanted
        )
        async with follower.running():
            await follower.count(2 if resumed else 1)
    assert follower.seqs == ([2, 9] if resumed else [9])


async def test_a_gap_is_noticed_and_resumed_from_before_it(http: Http):
    async with peer([said(1, 0), said(4, 3)], [said(3, 1), said(4, 3)]) as (url, asked):
        follower = Follower(http, url)
        async with follower.running():
            assert await follower.count(3) == [1, 3, 4]
    assert asked[1]["resume"] == {"epoch": "e", "after": 1}


async def test_a_repeat_is_dropped_and_an_unreadable_message_is_passed_over(http: Http):
    broken = {**said(2, 1), "analysis": {"sentiment": 7}}
    async with peer([said(1, 0), said(1, 0), broken, {"type": "news"}, said(3, 2)]) as (url, _):
        follower = Follower(http, url)
        async with follower.running():
            assert await follower.count(2) == [1, 3]


async def test_silence_for_two_heartbeats_means_a_dead_connection(http: Http):
    async with peer([said(1, 0)], [said(2, 1)]) as (url, _):
        follower = Follower(http, url)
        async with follower.running():
            assert await follower.count(2) == [1, 2]


async def test_what_is_no_message_of_ours_is_not_followed_on(http: Http):
    async with peer([b"\x00"], ["[]"], ["nonsense"], [said(1, 0)]) as (url, asked):
        follower = Follower(http, url)
        async with follower.running():
            assert await follower.count(1) == [1]
    assert len(asked) == 4


@pytest.mark.parametrize(
    "script",
    [
        {"type": "heartbeat"},
        {"type": "heartbeat", "pos": "9"},
        {"type": "filing_alert", "filing_id": 3, "seq": 1, "prev": 0, "ts_ns": 5},
        {"type": "filing_alert", "filing_id": "x", "seq": 1},
        {"type": ["connected"]},
    ],
)
async def test_a_message_without_what_its_kind_has_is_not_followed_on(http: Http, script: dict[str, Any]):
    async with peer([script], [said(1, 0)]) as (url, asked):
        follower = Follower(http, url)
        async with follower.running():
            assert await follower.count(1) == [1]
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("given", "socket", "rest"),
    [
        ("ws://h:1", "ws://h:1/ws/filings", "http://h:1"),
        ("http://h:1/", "ws://h:1/ws/filings", "http://h:1"),
        ("https://h/base/ws/filings", "wss://h/base/ws/filings", "https://h/base"),
        ("h:8765", "ws://h:8765/ws/filings", "http://h:8765"),
        ("ws://user:secret@[::1]:9/?key=x", "ws://[::1]:9/ws/filings", "http://[::1]:9"),
    ],
)
def test_one_address_names_the_socket_and_rest(given: str, socket: str, rest: str):
    assert Address.of(given) == Address(socket, rest)


@pytest.mark.parametrize("given", ["", "ftp://h", "ws://", "ws://h:port", "http://[x"])
def test_what_is_no_address_says_so(given: str):
    with pytest.raises(UsageError, match="no address"):
        Address.of(given)


async def entering(service: Service, http: Http, database: Database, then=lambda message: None, fail: int = 0):
    """A client whose one entry writes each message's number; the `fail`-th write fails."""
    client = FilingsClient(service.ws, http, checkpoint=SqliteCheckpoint(database), start=Start(after=0))

    async def decide(message: Message):
        def work(run) -> None:
            if message.seq == fail:
                raise StorageError("the disk says no")
            run.execute("INSERT INTO effects VALUES (?)", (message.seq,))

        return work

    client.enter("effects", decide, then)
    return client


async def test_a_burst_is_entered_in_order_each_message_once(service: Service, http: Http, tmp_path: Path):
    database = Database(tmp_path / "bot.db")
    database.migrate("effects", ("CREATE TABLE effects (seq INTEGER)",))
    done: list[int] = []
    await service.log.append([alert(n) for n in range(1, 401)])
    for _ in range(3):
        client = await entering(service, http, database, lambda message: done.append(message.seq))
        running = asyncio.create_task(client.run())
        await asyncio.sleep(0.15)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    client = await entering(service, http, database, lambda message: done.append(message.seq))
    running = asyncio.create_task(client.run())
    async with asyncio.timeout(20):
        while (await database.read(lambda run: run.execute("SELECT count(*) FROM effects").fetchone()))[0] < 400:
            await asyncio.sleep(0.01)
    running.cancel()
    rows = await database.read(lambda run: run.execute("SELECT seq FROM effects").fetchall())
    assert [row[0] for row in rows] == list(range(1, 401))
    assert done == sorted(set(done))
    database.close()


async def test_where_one_message_could_not_be_written_none_after_it_is(service: Service, http: Http, tmp_path: Path):
    database = Database(tmp_path / "bot.db")
    database.migrate("effects", ("CREATE TABLE effects (seq INTEGER)",))
    await service.log.append([alert(n) for n in range(1, 101)])
    with pytest.raises(StorageError):
        await asyncio.wait_for((await entering(service, http, database, fail=40)).run(), 20)
    rows = await database.read(lambda run: run.execute("SELECT seq FROM effects").fetchall())
    assert [row[0] for row in rows] == list(range(1, 40))
    running = asyncio.create_task((await entering(service, http, database)).run())
    async with asyncio.timeout(20):
        while (await database.read(lambda run: run.execute("SELECT count(*) FROM effects").fetchone()))[0] < 100:
            await asyncio.sleep(0.01)
    running.cancel()
    database.close()
