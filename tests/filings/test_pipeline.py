from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import NEW_YORK, SimClock
from catalyst.companies import Companies, Listing
from catalyst.db import Database
from catalyst.emulator import Recording, sample_path
from catalyst.errors import AllProvidersFailed, BudgetExceeded, StorageError
from catalyst.filings.accessions import Stage
from catalyst.filings.ranking import Ranking
from catalyst.filings.rules import from_feed
from catalyst.filings.types import Filing, Parsed, Party
from catalyst.filings.watchlist import Watchlist
from catalyst.stream.types import Analysis
from tests.filings.rig import DAY, acc, assert_exactly_once, day, entry, watching

NOON = datetime.fromisoformat(f"{DAY}T12:00:00").replace(tzinfo=NEW_YORK)


class Reader:
    """A model that agrees with the rules, or fails as told; with `asked_of` it says so and never answers."""

    def __init__(
        self,
        error: Exception | None = None,
        seconds: float = 0.0,
        clock: SimClock | None = None,
        asked_of: asyncio.Event | None = None,
    ) -> None:
        self.error = error
        self.asked_of = asked_of
        self.seconds = seconds
        self.clock = clock
        self.asked: list[str] = []

    async def read(self, filing: Filing, parsed: Parsed, rules: Analysis) -> Analysis:
        self.asked.append(filing.accession)
        if self.asked_of is not None:
            self.asked_of.set()
            await asyncio.Event().wait()
        if self.clock is not None:
            await self.clock.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return rules.model_copy(update={"source": "llm", "model": "test/reader", "summary": "read"})


def of(messages: list[dict], number: int) -> list[dict]:
    return [told for told in messages if told["filing_id"] == acc(number)]


def told(messages: list[dict], number: int) -> list[tuple]:
    """(type, version, source, final) of one filing's messages."""
    return [(m["type"], m["version"], m["analysis"]["source"], m["final"]) for m in of(messages, number)]


async def test_the_sample_day_gives_one_alert_and_one_final_message_for_each_accession(tmp_path):
    recording = Recording.load(sample_path())
    async with watching(recording, tmp_path, start=recording.starts_at) as rig:
        await rig.run_until(recording.ends_at + timedelta(minutes=1))
        messages = await rig.messages()
        assert recording.accessions >= 15
        assert_exactly_once(messages, [filing.accession for filing in recording.filings()])
        assert rig.server.limit.refused == 0
        counters = rig.pipeline.counters
        assert (counters.seen, counters.alerts, counters.finals) == (recording.accessions,) * 3
        assert (counters.errors, counters.unparsed) == (0, 0)  # `repeated` may be: the log refused it, as is seen above
        assert (await rig.ledger.count())["pending"] == 0


async def test_an_urgent_filing_is_told_from_its_feed_row_before_it_is_fetched(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "8-K", "12:00:01", items=("2.02",)))
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("missing", seconds=1.5)
        await rig.run_until(NOON + timedelta(seconds=20))
        messages = await rig.messages()
        assert told(messages, 1) == [("filing_alert", 1, "feed", False), ("filing_update", 2, "rules", True)]
        first, last = of(messages, 1)
        assert first["analysis"]["sentiment"] is None
        assert first["analysis"]["priority"] == "high"
        assert first["item_code"] == "2.02"
        made = [datetime.fromisoformat(one["timestamp"]) for one in (first, last)]
        seen = datetime.fromisoformat(first["seen_at"])
        assert made[0] - seen < timedelta(seconds=1)
        assert made[1] - made[0] > timedelta(milliseconds=200)
        kept = await rig.ledger.get(acc(1))
        assert kept is not None
        assert (kept.how, kept.version) == ("feed", 2)


async def test_any_other_filing_is_told_once_it_is_read(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "10-K405", "12:00:01"))
    async with watching(recording, tmp_path, start=NOON) as rig:
        await rig.run_until(NOON + timedelta(seconds=10))
        assert told(await rig.messages(), 1) == [("filing_alert", 1, "rules", True)]
        kept = await rig.ledger.get(acc(1))
        assert kept is not None
        assert kept.stages == Stage.SEEN | Stage.ALERTED | Stage.FETCHED | Stage.PARSED | Stage.FINAL


async def test_a_watched_ticker_makes_any_form_urgent(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "4", "12:00:01", role="Issuer", cik=52))
    listing = Listing("0000000052", "OAK", "Oak Co", "Nasdaq")
    db = Database(tmp_path / "w.db")
    lists = Watchlist(db, ["OAK"])
    async with watching(recording, tmp_path, start=NOON, watchlist=lists, listings=[listing]) as rig:
        await rig.run_until(NOON + timedelta(seconds=10))
        messages = await rig.messages()
        assert told(messages, 1)[0] == ("filing_alert", 1, "feed", False)
        assert (messages[0]["ticker"], messages[0]["tickers"]) == ("OAK", ["OAK"])
    db.close()


async def test_with_a_model_its_reading_is_the_final_message(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "8-K", "12:00:01", items=("2.02",)), entry(2, "4", "12:00:01"))
    async with watching(recording, tmp_path, start=NOON, analyst=Reader()) as rig:
        await rig.run_until(NOON + timedelta(seconds=20))
        messages = await rig.messages()
        assert told(messages, 1) == [
            ("filing_alert", 1, "feed", False),
            ("filing_update", 2, "rules", False),
            ("filing_update", 3, "llm", True),
        ]
        assert told(messages, 2) == [("filing_alert", 1, "rules", False), ("filing_update", 2, "llm", True)]


@pytest.mark.parametrize(
    "error",
    [BudgetExceeded("the month is spent"), AllProvidersFailed("nobody answers"), RuntimeError("a bug")],
    ids=lambda error: type(error).__name__,
)
async def test_when_the_model_fails_the_rules_have_the_last_word(tmp_path, error):
    recording = day(tmp_path / "edgar", entry(1, "8-K", "12:00:01", items=("2.02",)))
    async with watching(recording, tmp_path, start=NOON, analyst=Reader(error)) as rig:
        await rig.run_until(NOON + timedelta(seconds=20))
        assert told(await rig.messages(), 1)[1:] == [
            ("filing_update", 2, "rules", False),
            ("filing_update", 3, "rules", True),
        ]
        assert rig.pipeline.counters.model_failures == 1


async def test_what_scores_too_low_for_the_model_ends_with_the_rules(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "8-K", "12:00:01", items=("2.02",)), entry(2, "4", "12:00:01"))
    reader = Reader()
    async with watching(recording, tmp_path, start=NOON, analyst=reader, min_score=0.8) as rig:
        await rig.run_until(NOON + timedelta(seconds=20))
        assert reader.asked == [acc(1)]
        assert told(await rig.messages(), 2) == [("filing_alert", 1, "rules", True)]


async def test_a_slow_model_delays_no_alert(tmp_path, monkeypatch):
    monkeypatch.setattr("catalyst.filings.pipeline.MODEL_QUEUE", 10)
    rows = [entry(n, "10-Q", f"12:0{n // 60}:{n % 60:02}", cik=n) for n in reversed(range(1, 60))]
    recording = day(tmp_path / "edgar", *rows)
    clock = SimClock(NOON, 300)
    reader = Reader(seconds=0.05, clock=clock)  # held by the work in flight: real time
    async with watching(recording, tmp_path, clock=clock, analyst=reader) as rig:
        await rig.run_until(NOON + timedelta(minutes=2))
        messages = await rig.messages()
        assert_exactly_once(messages, [acc(n) for n in range(1, 60)])
        assert {m["analysis"]["source"] for m in messages if m["final"]} == {"llm"}


async def test_a_filing_that_edgar_never_gives_is_told_from_its_feed_row(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "10-Q", "12:00:01"), entry(2, "10-Q", "12:00:01", cik=2))
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("missing", url=f"*{acc(1)}*", seconds=86_000)
        await rig.run_until(NOON + timedelta(minutes=3), settle=False)
        assert told(await rig.messages(), 1) == [("filing_alert", 1, "feed", False)], "not silent meanwhile"
        await rig.run_until(NOON + timedelta(minutes=20))
        messages = await rig.messages()
        assert told(messages, 1)[1:] == [("filing_update", 2, "feed", True)]
        assert "no-text" in of(messages, 1)[1]["tags"]
        spent = [datetime.fromisoformat(one["timestamp"]) for one in of(messages, 1)]
        assert timedelta(minutes=5) < spent[1] - spent[0] < timedelta(minutes=12)
        assert told(messages, 2) == [("filing_alert", 1, "rules", True)]
        kept = await rig.ledger.get(acc(1))
        assert kept is not None
        assert "404" in kept.error


async def test_a_filing_that_comes_late_is_read_when_it_comes(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "10-Q", "12:00:01"))
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("missing", seconds=90)
        await rig.run_until(NOON + timedelta(minutes=5))
        assert told(await rig.messages(), 1) == [
            ("filing_alert", 1, "feed", False),
            ("filing_update", 2, "rules", True),
        ]


async def test_an_outage_counts_against_no_filing(tmp_path):
    """Everything is down for forty minutes, longer than any filing's own tries; then all is read, important first."""
    rows = [entry(1, "8-K", "12:00:01", items=("2.02",)), *[entry(n, "4", "12:00:01", cik=n) for n in range(2, 12)]]
    recording = day(tmp_path / "edgar", *rows)
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("down", url="/Archives/*", start=NOON.time(), end=(NOON + timedelta(minutes=40)).time())
        down = (NOON + timedelta(seconds=3)).time()
        rig.fault("down", url="/cgi-bin/*", start=down, end=(NOON + timedelta(minutes=40)).time())
        await rig.run_until(NOON + timedelta(minutes=45))
        messages = await rig.messages()
        assert_exactly_once(messages, [acc(n) for n in range(1, 12)])
        assert {m["analysis"]["source"] for m in messages if m["final"]} == {"rules"}
        assert not any("no-text" in m["tags"] for m in messages)


async def test_a_refusal_in_the_middle_loses_nothing(tmp_path):
    rows = [entry(n, "8-K", f"12:0{n // 20}:{n % 20:02}", cik=n, items=("2.02",)) for n in reversed(range(100))]
    recording = day(tmp_path / "edgar", *rows)
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("refused", url="/Archives/*", start=(NOON + timedelta(minutes=1)).time(), count=1)
        await rig.run_until(NOON + timedelta(minutes=30))
        messages = await rig.messages()
        assert_exactly_once(messages, [acc(n) for n in range(100)])
        assert not any("no-text" in m["tags"] for m in messages)
        assert rig.server.limit.refused == 0


async def test_bad_texts_end_with_a_tagged_message(tmp_path):
    rows = [entry(n, "10-Q", "12:00:01", cik=n) for n in range(1, 5)]
    recording = day(tmp_path / "edgar", *rows)
    async with watching(recording, tmp_path, start=NOON, fetch_seconds=0.3) as rig:
        rig.fault("garbage", url=f"*{acc(1)}.txt")
        rig.fault("truncated", url=f"*{acc(2)}.txt", after_bytes=900)
        rig.fault("encoding", url=f"*{acc(3)}.txt")
        await rig.run_until(NOON + timedelta(minutes=20))
        messages = await rig.messages()
        assert_exactly_once(messages, [acc(n) for n in range(1, 5)])
        last = {m["filing_id"]: m["tags"] for m in messages if m["final"]}
        assert "no-text" in last[acc(1)]
        assert "partial" in last[acc(2)]
        assert last[acc(4)] == ["synthesised"]


async def test_a_parser_with_a_bug_loses_nothing(tmp_path, monkeypatch):
    def broken(submission, form):
        raise IndexError("list index out of range")

    monkeypatch.setattr("catalyst.filings.pipeline.parse", broken)
    recording = day(tmp_path / "edgar", entry(1, "10-Q", "12:00:01"), entry(2, "8-K", "12:00:01", items=("2.02",)))
    async with watching(recording, tmp_path, start=NOON) as rig:
        await rig.run_until(NOON + timedelta(seconds=20))
        messages = await rig.messages()
        assert told(messages, 1) == [("filing_alert", 1, "feed", True)]
        assert told(messages, 2) == [("filing_alert", 1, "feed", False), ("filing_update", 2, "feed", True)]
        assert all("unparsed" in m["tags"] for m in messages if m["final"])


async def test_one_filing_that_cannot_be_told_at_all_silences_no_other(tmp_path, monkeypatch):
    whole = from_feed

    def choosy(filing, score, *more):
        if filing.accession == acc(2):
            raise ValueError("cannot say this")
        return whole(filing, score, *more)

    monkeypatch.setattr("catalyst.filings.pipeline.from_feed", choosy)
    recording = day(tmp_path / "edgar", *[entry(n, "8-K", "12:00:01", cik=n, items=("2.02",)) for n in range(1, 4)])
    async with watching(recording, tmp_path, start=NOON) as rig:
        await rig.run_until(NOON + timedelta(seconds=20))
        messages = await rig.messages()
        assert_exactly_once(messages, [acc(n) for n in range(1, 4)])
        assert told(messages, 2) == [("filing_alert", 1, "rules", True)]
        assert told(messages, 1)[0] == ("filing_alert", 1, "feed", False)


async def test_amendments_are_tagged_and_heavy_filings_parsed_in_a_thread(tmp_path, monkeypatch):
    monkeypatch.setattr("catalyst.filings.pipeline.HEAVY_BYTES", 1)
    recording = day(tmp_path / "edgar", entry(1, "8-K/A", "12:00:01", items=("8.01",)))
    async with watching(recording, tmp_path, start=NOON) as rig:
        await rig.run_until(NOON + timedelta(seconds=10))
        [message] = await rig.messages()
        assert "amendment" in message["tags"]


async def test_a_filing_of_shares_that_trade_over_the_counter_is_tagged(tmp_path):
    listings = [
        Listing("0000000001", "PNKS", "OTC", "Pinkwater"), Listing("0000000002", "MIXD", "NYSE", "Mixed"),
        Listing("0000000002", "MIXDF", "OTC", "Mixed"), Listing("0000000003", "VAGU", "", "Vague"),
    ]  # fmt: skip
    recording = day(tmp_path / "edgar", *(entry(n, "8-K", "12:00:01", items=("8.01",), cik=n) for n in (1, 2, 3, 4)))
    async with watching(recording, tmp_path, start=NOON, listings=listings) as rig:
        await rig.run_until(NOON + timedelta(seconds=10))
        tagged = {m["ticker"]: "otc" in m["tags"] for m in await rig.messages()}
        assert tagged == {"PNKS": True, "MIXD": False, "VAGU": False, "": False}


async def test_a_backlog_is_worked_off_by_importance(tmp_path):
    """Seen before the pipeline runs, as after an outage: high tier first, and alerts before any fetch."""
    rows = [entry(n, "8-K" if n % 50 == 0 else "4", "11:59:00", cik=n + 1, items=("2.02",)) for n in range(300)]
    recording = day(tmp_path / "edgar", *rows)
    async with watching(recording, tmp_path, start=NOON) as rig:
        poller = asyncio.create_task(rig.poller.run())
        await rig.clock.sleep(10)
        poller.cancel()
        await asyncio.gather(poller, return_exceptions=True)
        assert (await rig.ledger.count())["pending"] == 300
        await rig.run_until(NOON + timedelta(minutes=3))
        messages = await rig.messages()
        assert_exactly_once(messages, [acc(n) for n in range(300)])
        urgent = {acc(n) for n in range(0, 300, 50)}
        assert {m["filing_id"] for m in messages[:6]} == urgent
        finals = [m["filing_id"] for m in messages if m["final"]]
        assert all(finals.index(name) < 20 for name in urgent)
        assert rig.server.limit.refused == 0


async def test_a_full_disk_ends_the_pipeline_with_its_error(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "10-Q", "12:00:01"))
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.db.close()
        with pytest.raises(StorageError):
            await rig.run_until(NOON + timedelta(seconds=10))


@given(form=st.text(max_size=30), items=st.lists(st.text(max_size=8), max_size=5), role=st.text(max_size=9))
def test_no_feed_row_is_too_odd_to_be_ranked(form: str, items: list[str], role: str):
    """The ledger ranks every row it takes: a row that could not be ranked would stop the poll."""
    party = Party(role, "0000000001", form)
    filing = Filing(acc(1), form, (party,), NOON, None, tuple(items), "", NOON)
    score = Ranking(Companies()).score(filing)
    assert 0 <= score.priority_score <= 1
    assert math.isfinite(score.priority_score)


async def test_what_is_urgent_is_told_at_once_however_many_others_wait(tmp_path):
    """A window full of texts that never come keeps nothing urgent waiting."""
    rows = [entry(n, "4", "12:00:00", cik=n + 1) for n in range(400)]
    recording = day(tmp_path / "edgar", entry(999, "8-K", "12:00:20", items=("1.03",)), *rows)
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("slow", url="/Archives/*", seconds=3000)
        await rig.run_until(NOON + timedelta(seconds=25), settle=False)
        told = [message for message in await rig.messages() if message["filing_id"] == acc(999)]
        assert [message["version"] for message in told] == [1]
        assert len(await rig.messages()) == 1, "nobody else's text has come"


async def test_an_amendment_says_what_it_amends_from_its_first_message(tmp_path):
    recording = day(
        tmp_path / "edgar",
        entry(2, "8-K/A", "12:00:20", items=("2.02",)),
        entry(1, "8-K", "12:00:05", items=("2.02",)),
    )
    async with watching(recording, tmp_path, start=NOON) as rig:
        await rig.run_until(NOON + timedelta(minutes=1))
        told = {acc(1): "", acc(2): acc(1)}
        assert {(one["filing_id"], one["amends"]) for one in await rig.messages()} == set(told.items())
