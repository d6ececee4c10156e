"""What every log promises. A backend joins with a class that inherits `LogContract` and a `logs` fixture.

`logs()` opens the log of this test (again, after `close`): same storage each time.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import orjson
import pytest

from catalyst.stream.filters import EVERYTHING, Filter
from catalyst.stream.log import Archive, Query
from catalyst.stream.types import Alert, AlertType, Analysis, Record

DAY_NS = 86_400 * 10**9
NOON = datetime(2025, 12, 12, 17, 0, tzinfo=UTC)


class Logs(Protocol):
    """The storage of one test; `time_ns` is its clock, which a test may set."""

    time_ns: Callable[[], int]

    async def open(self) -> Archive: ...

    async def close(self) -> None: ...


def alert(
    number: int, *, tickers: tuple[str, ...] = ("ACME",), form: str = "8-K", score: float = 0.5, version: int = 1
) -> Alert:
    """Message `version` of invented filing `number`."""
    return Alert(
        type=AlertType.FILING_ALERT if version == 1 else AlertType.FILING_UPDATE,
        filing_id=f"0009999999-25-{number:06}",
        ticker=tickers[0] if tickers else "",
        tickers=list(tickers),
        filing_type=form,
        timestamp=NOON,
        version=version,
        headline=f"Acme files {number}",
        analysis=Analysis(priority_score=score),
    )


def _newest(records: list[Record], ticker: str, form: str, score: float) -> list[int]:
    """Offsets that a query gives: the newest message of each filing, where it fits."""
    last = {record.filing_id: record for record in records}
    return [
        record.offset
        for record in reversed(records)
        if last[record.filing_id] is record
        and (not form or record.filing_type == form)
        and record.priority_score >= score
        and (not ticker or ticker in {*record.tickers, *(name for names, _ in record.earlier for name in names)})
    ]


class LogContract:
    """The suite; `log` is a fresh, empty log."""

    @pytest.fixture
    async def log(self, logs: Logs) -> Archive:
        return await logs.open()

    async def test_an_empty_log_has_no_bounds_and_nothing_to_read(self, log: Archive):
        assert await log.bounds() == (1, 0)
        assert await log.read(0, 10) == []
        assert await log.append([]) == []

    async def test_offsets_are_dense_from_one(self, log: Archive):
        assert await log.append([alert(1), alert(2)]) == [1, 2]
        assert await log.append([alert(3)]) == [3]
        assert await log.bounds() == (1, 3)
        assert [record.offset for record in await log.read(0, 10)] == [1, 2, 3]

    async def test_a_repeated_key_gets_its_old_offset_and_leaves_no_hole(self, log: Archive):
        await log.append([alert(1), alert(2)])
        assert await log.append([alert(2), alert(3), alert(1), alert(3)]) == [2, 3, 1, 3]
        assert await log.append([alert(4)]) == [4]
        assert [record.offset for record in await log.read(0, 10)] == [1, 2, 3, 4]

    async def test_a_repeat_does_not_change_what_was_stored(self, log: Archive):
        await log.append([alert(1, score=0.2)])
        await log.append([alert(1, score=0.9)])
        assert (await log.read(0, 1))[0].priority_score == 0.2

    async def test_concurrent_appends_share_the_numbers_without_hole_or_repeat(self, log: Archive):
        batches = [[alert(10 * group + n) for n in range(5)] for group in range(40)]
        offsets = await asyncio.gather(*(log.append(batch) for batch in batches))
        assert sorted(offset for batch in offsets for offset in batch) == list(range(1, 201))
        stored = {record.offset: record.filing_id for record in await log.read(0, 500)}
        for batch, numbers in zip(batches, offsets, strict=True):
            assert [stored[number] for number in numbers] == [each.filing_id for each in batch]

    async def test_everyone_who_appends_the_same_alert_at_once_gets_the_same_offset(self, log: Archive):
        offsets = await asyncio.gather(*(log.append([alert(1)]) for _ in range(20)))
        assert offsets == [[1]] * 20
        assert await log.bounds() == (1, 1)

    async def test_read_gives_at_most_the_limit_in_order(self, log: Archive):
        await log.append([alert(n) for n in range(1, 8)])
        assert [record.offset for record in await log.read(2, 3)] == [3, 4, 5]
        assert [record.offset for record in await log.read(6, 3)] == [7]
        assert await log.read(7, 3) == []
        assert await log.read(99, 3) == []

    async def test_the_body_is_the_alert_with_epoch_and_time_stamped(self, log: Archive):
        sent = alert(1, tickers=("acme", "ACMW"), score=0.7)
        await log.append([sent])
        record = (await log.read(0, 1))[0]
        body = orjson.loads(record.body)
        assert record.body.startswith(b'{"type":"filing_alert",')
        assert body.pop("epoch") == log.epoch
        assert body.pop("ts_ns") > 0
        expected = orjson.loads(sent.model_dump_json())
        expected.pop("epoch")
        expected.pop("ts_ns")
        assert body == expected
        assert record.tickers == ("ACME", "ACMW")
        assert (record.filing_type, record.priority_score) == ("8-K", 0.7)

    async def test_what_was_read_from_memory_equals_what_is_read_after_reopening(self, log: Archive, logs: Logs):
        await log.append([alert(1), alert(2, tickers=()), alert(1, version=2, score=0.9), alert(1, version=3)])
        before = await log.read(0, 10)
        await logs.close()
        assert await (await logs.open()).read(0, 10) == before

    async def test_epoch_and_numbering_survive_reopening(self, log: Archive, logs: Logs):
        await log.append([alert(1), alert(2)])
        epoch = log.epoch
        await logs.close()
        again = await logs.open()
        assert again.epoch == epoch
        assert await again.wait(1) == 2
        assert await again.append([alert(2), alert(3)]) == [2, 3]

    async def test_wait_returns_at_once_when_there_is_more_and_wakes_on_an_append(self, log: Archive):
        waiting = [asyncio.ensure_future(log.wait(after)) for after in (0, 0, 1)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        await log.append([alert(1)])
        assert await asyncio.wait_for(asyncio.gather(*waiting[:2]), 1) == [1, 1]
        assert not waiting[2].done()
        await log.append([alert(2)])
        assert await asyncio.wait_for(waiting[2], 1) == 2
        assert await log.wait(0) == 2

    async def test_a_cancelled_append_still_wakes_those_who_wait(self, log: Archive):
        waiting = asyncio.ensure_future(log.wait(0))
        appending = asyncio.ensure_future(log.append([alert(1)]))
        await asyncio.sleep(0)
        appending.cancel()
        assert await asyncio.wait_for(waiting, 5) == 1

    async def test_a_cancelled_wait_leaves_the_others_waiting(self, log: Archive):
        first, second = asyncio.ensure_future(log.wait(0)), asyncio.ensure_future(log.wait(0))
        await asyncio.sleep(0)
        first.cancel()
        await log.append([alert(1)])
        assert await asyncio.wait_for(second, 1) == 1

    async def test_an_update_remembers_what_its_filing_was_about(self, log: Archive):
        await log.append([alert(1, score=0.9), alert(2), alert(1, score=0.1, version=2), alert(1, version=3)])
        earlier = [record.earlier for record in await log.read(0, 10)]
        assert earlier == [(), (), ((("ACME",), 0.9),), ((("ACME",), 0.9), (("ACME",), 0.1))]


class ArchiveContract(LogContract):
    """What REST and retention need beside it."""

    async def test_a_query_gives_each_filing_once_newest_first(self, log: Archive):
        await log.append([alert(1), alert(2), alert(3), alert(2, version=2)])
        page = await log.query(Query())
        assert [record.offset for record in page.records] == [4, 3, 1]
        assert page.next is None

    async def test_pages_follow_each_other_and_ignore_what_came_later(self, log: Archive):
        await log.append([alert(n) for n in range(1, 8)])
        first = await log.query(Query(limit=3))
        assert [record.offset for record in first.records] == [7, 6, 5]
        await log.append([alert(8), alert(2, version=2)])
        second = await log.query(Query(limit=3, cursor=first.next))
        assert [record.offset for record in second.records] == [4, 3, 2]
        third = await log.query(Query(limit=3, cursor=second.next))
        assert [record.offset for record in third.records] == [1]
        assert third.next is None

    async def test_queries_by_ticker_form_score_and_time(self, log: Archive):
        await log.append([alert(1, tickers=("ACME", "ACMW"))])
        await log.append([alert(2, tickers=("ZZZ",), form="10-q", score=0.9)])
        await log.append([alert(3, tickers=(), score=0.4)])
        body = orjson.loads((await log.read(1, 1))[0].body)

        async def found(**terms) -> list[int]:
            return [record.offset for record in (await log.query(Query(**terms))).records]

        assert await found(ticker="acmw") == [1]
        assert await found(ticker="NONE") == []
        assert await found(form="10-Q") == [2]
        assert await found(form="8-K", ticker="ACME") == [1]
        assert await found(min_priority=0.5) == [2, 1]
        assert set(await found(since_ns=body["ts_ns"])) == {2, 3}
        assert await found(since_ns=body["ts_ns"] + 10**15) == []

    async def test_one_filing_is_all_its_messages_in_order(self, log: Archive):
        await log.append([alert(1), alert(2), alert(1, version=2)])
        assert [record.offset for record in await log.filing(alert(1).filing_id)] == [1, 3]
        assert await log.filing("0009999999-25-00000") == []

    async def test_last_match_agrees_with_reading_everything(self, log: Archive):
        await log.append([alert(1), alert(2, tickers=("ZZZ",), form="4", score=0.9), alert(3, tickers=(), score=0.1)])
        await log.append([alert(2, tickers=("ZZZ",), form="4", score=0.2, version=2), alert(4)])
        records = await log.read(0, 10)
        filters = [EVERYTHING, Filter.of(["zzz"]), Filter.of(["ACME", "ZZZ"], ["4"]), Filter.of((), ["8-K", "4"], 0.5)]
        for wanted in [*filters, Filter.of(min_priority=0.8), Filter.of(["ZZZ"], (), 0.8), Filter.of(["NONE"])]:
            for at in range(6):
                expected = max([r.offset for r in records if r.offset <= at and wanted.matches(r)], default=0)
                assert await log.last_match(wanted, at) == expected, (wanted, at)

    async def test_every_question_agrees_with_reading_everything(self, log: Archive):
        records = await self.filled(log)
        for ticker, form, score in itertools.product(("", "T1", "T4", "NONE"), ("", "8-K", "25"), (0.0, 0.31, 0.9)):
            expected = _newest(records, ticker, form, score)
            found, cursor = [], None
            while True:
                page = await log.query(Query(7, ticker, form, score, cursor=cursor))
                found += [record.offset for record in page.records]
                if (cursor := page.next) is None:
                    break
            assert found == expected, (ticker, form, score)

    async def test_the_last_match_of_any_filter_agrees_with_reading_everything(self, log: Archive):
        records = await self.filled(log)
        tickers, forms = ((), ("T1",), ("T2", "T4"), ("NONE",)), ((), ("8-K",), ("25", "10-Q"))
        for names, kinds, score, at in itertools.product(tickers, forms, (0.0, 0.31, 0.97, 1.0), (300, 150, 7, 0)):
            wanted = Filter.of(names, kinds, score)
            expected = max([r.offset for r in records if r.offset <= at and wanted.matches(r)], default=0)
            assert await log.last_match(wanted, at) == expected, (wanted, at)

    async def filled(self, log: Archive) -> list[Record]:
        """300 messages of 200 filings, some about other tickers in an update, and what reading gives."""
        chance = random.Random(5)
        forms = {n: chance.choices(("4", "8-K", "10-Q", "25"), (60, 30, 9, 1))[0] for n in range(200)}
        batch: list[Alert] = []
        for number in [*range(200), *chance.sample(range(200), 100)]:
            version = 1 + sum(each.filing_id == alert(number).filing_id for each in batch)
            names = tuple(f"T{int(5 * chance.random() ** 2)}" for _ in range(chance.choice((0, 1, 1, 2))))
            score = round(chance.betavariate(2, 4), 2)
            batch.append(alert(number, tickers=names, form=forms[number], score=score, version=version))
        for start in range(0, 300, 50):
            await log.append(batch[start : start + 50])
        return await log.read(0, 1000)

    async def test_retention_by_count_keeps_the_newest(self, log: Archive, logs: Logs):
        await log.append([alert(n, tickers=(f"T{n}",)) for n in range(1, 11)])
        assert await log.retain(count=4) == 6
        assert await log.bounds() == (7, 10)
        assert [record.offset for record in (await log.query(Query())).records] == [10, 9, 8, 7]
        assert (await log.query(Query(ticker="T3"))).records == ()
        await logs.close()
        again = await logs.open()
        assert [record.offset for record in await again.read(0, 100)] == [7, 8, 9, 10]

    async def test_retention_never_passes_the_slowest_consumer(self, log: Archive):
        await log.append([alert(n) for n in range(1, 11)])
        await log.commit("bot", 3)
        await log.commit("other", 8)
        assert await log.retain(count=1) == 3
        assert await log.bounds() == (4, 10)
        await log.forget("bot")
        assert await log.retain(count=1) == 5
        assert await log.positions() == {"other": 8}

    async def test_a_position_never_moves_back(self, log: Archive):
        await log.commit("bot", 5)
        await log.commit("bot", 3)
        assert await log.positions() == {"bot": 5}

    async def test_retention_of_everything_keeps_the_newest_so_that_numbering_goes_on(self, log: Archive, logs: Logs):
        await log.append([alert(n) for n in range(1, 6)])
        assert await log.retain(seconds=-60) == 4
        await logs.close()
        assert await (await logs.open()).append([alert(6)]) == [6]

    async def test_retention_by_age_keeps_the_young(self, log: Archive):
        await log.append([alert(1), alert(2)])
        assert await log.retain(seconds=3600) == 0
        assert await log.bounds() == (1, 2)

    async def test_a_clock_that_leapt_ahead_makes_nothing_old(self, log: Archive, logs: Logs):
        await log.append([alert(n) for n in range(1, 6)])
        logs.time_ns = lambda: time.time_ns() + 400 * DAY_NS
        assert await log.retain(seconds=90 * 86_400) == 0, "nothing was written under the leapt clock"
        await log.append([alert(6)])
        assert await log.retain(seconds=90 * 86_400) == 0, "two days have records, however far apart"
        assert await log.bounds() == (1, 6)

    async def test_what_is_older_than_the_span_goes_once_enough_days_have_records(self, log: Archive, logs: Logs):
        began = time.time_ns() // DAY_NS * DAY_NS
        for day in range(40):
            logs.time_ns = lambda day=day: began + day * DAY_NS  # type: ignore[misc]
            await log.append([alert(2 * day + 1), alert(2 * day + 2)])
        assert await log.retain(seconds=30 * 86_400) == 18, "days 0 to 8 are more than 30 days before day 39"
        assert await log.bounds() == (19, 80)
        logs.time_ns = lambda: began + 4000 * DAY_NS
        assert await log.retain(seconds=30 * 86_400) == 0
        await log.append([alert(99)])
        assert await log.retain(seconds=30 * 86_400) == 28, "18 days stay: the leapt one, days 23 to 39"

    async def test_commit_times_stand_still_while_the_clock_is_set_back(self, log: Archive, logs: Logs):
        now = time.time_ns()
        logs.time_ns = lambda: now
        await log.append([alert(1)])
        logs.time_ns = lambda: now - 3600 * 10**9
        await log.append([alert(2)])
        assert await log.retain(seconds=1800) == 0
        logs.time_ns = lambda: now + 5
        await log.append([alert(3)])
        times = [orjson.loads(record.body)["ts_ns"] for record in await log.read(0, 10)]
        assert times == [now, now, now + 5]
        assert [record.offset for record in (await log.query(Query(since_ns=now + 1))).records] == [3]

    async def test_a_clock_that_was_a_year_ahead_is_believed_again_when_it_is_put_right(self, log: Archive, logs: Logs):
        now = time.time_ns()
        logs.time_ns = lambda: now + 365 * DAY_NS
        await log.append([alert(1)])
        logs.time_ns = lambda: now
        await log.append([alert(2)])
        assert orjson.loads((await log.read(1, 1))[0].body)["ts_ns"] == now
        assert await log.retain(seconds=90 * 86_400) == 0
