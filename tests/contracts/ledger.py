"""What every accession ledger promises. A backend joins with a class that inherits `LedgerContract`.

Its `ledgers` fixture opens the ledger of this test (again, after `close`): same storage each time.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from catalyst.filings.feed import parse_feed
from catalyst.filings.ledger import Ledger, Mark, Stage
from catalyst.filings.types import FeedEntry, Filing
from tests.filings.rig import acc, entry, page

SEEN = datetime(2025, 6, 10, 21, 0, tzinfo=UTC)


class Ledgers(Protocol):
    """The storage of one test."""

    async def open(self) -> Ledger: ...

    async def close(self) -> None: ...


def rank(filing: Filing) -> float:
    return 0.9 if filing.form == "8-K" else 0.2


def rows(*entries: str) -> tuple[FeedEntry, ...]:
    return parse_feed(page(*entries)).entries


class LedgerContract:
    """The suite; `ledger` is a fresh, empty one."""

    @pytest.fixture
    async def ledger(self, ledgers: Ledgers) -> Ledger:
        return await ledgers.open()

    async def test_all_rows_of_an_accession_are_one_filing(self, ledger: Ledger):
        [filing] = await ledger.see(
            rows(
                entry(1, "4", "10:00:00", name="Roe Jane", cik=51, role="Reporting"),
                entry(1, "4", "10:00:00", name="Oak Co", cik=52, role="Issuer"),
            ),
            SEEN,
        )
        assert [(party.role, party.name) for party in filing.parties] == [
            ("reporting", "Roe Jane"),
            ("issuer", "Oak Co"),
        ]
        assert filing.subject.name == "Oak Co"
        assert filing.seen_at == SEEN
        kept = await ledger.get(acc(1))
        assert kept is not None
        assert kept.filing == filing

    async def test_only_what_was_never_seen_is_returned_in_the_pages_order(self, ledger: Ledger):
        await ledger.see(rows(entry(2, "4", "10:00:00")), SEEN)
        new = await ledger.see(rows(*[entry(n, "4", "10:00:00") for n in (4, 3, 2, 1)]), SEEN)
        assert [filing.accession for filing in new] == [acc(4), acc(3), acc(1)]
        assert await ledger.see(rows(*[entry(n, "4", "10:00:00") for n in (4, 3, 2, 1)]), SEEN) == []

    async def test_a_late_role_is_added_and_changes_the_subject(self, ledger: Ledger):
        await ledger.see(rows(entry(1, "4", "10:00:00", name="Roe Jane", cik=51, role="Reporting")), SEEN)
        late = rows(entry(1, "4", "10:00:00", name="Oak Co", cik=52, role="Issuer", items=("2.02",)))
        assert await ledger.see(late, SEEN + timedelta(minutes=1)) == []
        kept = await ledger.get(acc(1))
        assert kept is not None
        assert [party.name for party in kept.filing.parties] == ["Roe Jane", "Oak Co"]
        assert kept.filing.subject.name == "Oak Co"
        assert kept.filing.items == ("2.02",)
        assert kept.filing.seen_at == SEEN, "the first sight counts"

    async def test_pending_is_ordered_by_score_then_by_age(self, ledger: Ledger):
        # A page shows the newest first.
        await ledger.see(rows(*[entry(n, "8-K" if n % 2 else "4", "10:00:00") for n in (6, 5, 4, 3, 2, 1)]), SEEN)
        found = (await ledger.pending(0, 10)).entries
        assert [one.filing.accession for one in found] == [acc(n) for n in (1, 3, 5, 2, 4, 6)]
        assert [one.filing.accession for one in (await ledger.pending(0, 2)).entries] == [acc(1), acc(3)]

    async def test_marks_add_up_in_any_order_and_may_be_repeated(self, ledger: Ledger):
        await ledger.see(rows(entry(1, "8-K", "10:00:00")), SEEN)
        marks = [
            Mark(acc(1), Stage.FETCHED | Stage.PARSED, version=2, how="rules"),
            Mark(acc(1), Stage.ALERTED, version=1, how="feed"),
        ]
        await ledger.mark(*marks)
        await ledger.mark(*marks)
        kept = await ledger.get(acc(1))
        assert kept is not None
        assert kept.stages == Stage.SEEN | Stage.ALERTED | Stage.FETCHED | Stage.PARSED
        assert (kept.version, kept.how) == (2, "rules")

    async def test_a_final_one_is_pending_no_more(self, ledger: Ledger):
        await ledger.see(rows(entry(1, "8-K", "10:00:00"), entry(2, "8-K", "09:00:00")), SEEN)
        await ledger.mark(Mark(acc(1), Stage.ALERTED | Stage.FINAL, version=1))
        assert [one.filing.accession for one in (await ledger.pending(0, 10)).entries] == [acc(2)]
        counts = {"seen": 2, "alerted": 1, "final": 1, "pending": 1, "withdrawn": 0, "before": 0}
        assert await ledger.count() == counts

    async def test_a_deferred_one_waits_for_its_time(self, ledger: Ledger):
        await ledger.see(rows(entry(1, "8-K", "10:00:00")), SEEN)
        await ledger.mark(Mark(acc(1), attempts=2, next_try_at=1000.0, error="gone" * 200))
        early = await ledger.pending(999.0, 10)
        assert (early.entries, early.next_due) == ([], 1000.0)
        late = await ledger.pending(1000.0, 10)
        assert late.next_due is None
        assert (late.entries[0].attempts, len(late.entries[0].error)) == (2, 300)

    async def test_what_a_clock_put_off_that_was_set_back_since_is_due(self, ledger: Ledger):
        await ledger.see(rows(entry(1, "8-K", "10:00:00")), SEEN)
        await ledger.mark(Mark(acc(1), attempts=2, next_try_at=100_000.0))
        found = await ledger.pending(1000.0, 10)
        assert acc(1) in [one.filing.accession for one in found.entries]
        assert found.next_due is None

    async def test_what_has_a_stage_can_be_left_for_later(self, ledger: Ledger):
        await ledger.see(rows(entry(1, "8-K", "10:00:00"), entry(2, "8-K", "09:00:00")), SEEN)
        await ledger.mark(Mark(acc(1), Stage.PARSED))
        assert [one.filing.accession for one in (await ledger.pending(0, 9, Stage.PARSED)).entries] == [acc(2)]

    async def test_an_amendment_is_linked_to_the_newest_original_of_its_company(self, ledger: Ledger):
        await ledger.see(
            rows(
                entry(1, "8-K", "09:00:00", cik=1),
                entry(2, "8-K", "10:00:00", cik=1),
                entry(3, "8-K", "10:00:00", cik=2),
                entry(4, "10-Q", "10:30:00", cik=1),
            ),
            SEEN,
        )
        await ledger.see(rows(entry(5, "8-K/A", "11:00:00", cik=1), entry(6, "10-K/A", "11:00:00", cik=1)), SEEN)
        linked, unknown = await ledger.get(acc(5)), await ledger.get(acc(6))
        assert linked is not None
        assert unknown is not None
        assert (linked.amends, unknown.amends) == (acc(2), "")

    async def test_what_vanished_is_marked_and_unmarked_when_it_shows_again(self, ledger: Ledger):
        found = await ledger.see(rows(*[entry(n, "4", f"1{n}:00:00") for n in (4, 3, 2, 1)]), SEEN)
        span = (found[-1].accepted, found[0].accepted)
        missing = await ledger.unseen_between(*span, SEEN + timedelta(seconds=1), [acc(1), acc(2), acc(4)])
        assert missing == {acc(3)}
        assert await ledger.unseen_between(*span, SEEN, []) == frozenset(), "seen only since the walk began"
        await ledger.mark(Mark(acc(3), withdrawn=True))
        assert (await ledger.count())["withdrawn"] == 1
        later = SEEN + timedelta(seconds=1)
        assert await ledger.unseen_between(*span, later, [acc(1), acc(2), acc(4)]) == frozenset(), "it is known"
        assert await ledger.returned([acc(1), acc(3)]) == [acc(3)]
        await ledger.mark(Mark(acc(3), withdrawn=False))
        assert await ledger.returned([acc(1), acc(3)]) == []

    async def test_an_amendment_of_a_known_period_is_linked_to_that_periods_original(self, ledger: Ledger):
        await ledger.see(rows(entry(1, "10-Q", "09:00:00", cik=1), entry(2, "10-Q", "10:00:00", cik=1)), SEEN)
        await ledger.mark(Mark(acc(1), period="2025-03-31"), Mark(acc(2), period="2025-06-30"))
        [amendment] = await ledger.see(rows(entry(5, "10-Q/A", "11:00:00", cik=1)), SEEN)
        assert await ledger.original(amendment, "2025-03-31") == acc(1)
        assert await ledger.original(amendment, "2025-06-30") == acc(2)
        assert await ledger.original(amendment, "2024-12-31") == "", "both are of other periods"
        assert await ledger.original(amendment) == acc(2)

    async def test_an_amended_stake_is_linked_to_its_own_holders_report(self, ledger: Ledger):
        def stake(number: int, holder: int, form: str, at: str) -> list[str]:
            subject = entry(number, form, at, cik=7, role="Subject", name="Oak Co")
            return [subject, entry(number, form, at, cik=holder, role="Filed by", name=f"Fund {holder}")]

        forms = [*stake(1, 100, "SCHEDULE 13D", "09:00:00"), *stake(2, 200, "SCHEDULE 13D", "10:00:00")]
        await ledger.see(rows(*forms), SEEN)
        await ledger.see(rows(*stake(3, 100, "SCHEDULE 13D/A", "11:00:00")), SEEN)
        await ledger.see(rows(*stake(4, 300, "SCHEDULE 13D/A", "11:00:01")), SEEN)
        own, strange = await ledger.get(acc(3)), await ledger.get(acc(4))
        assert own is not None
        assert strange is not None
        assert (own.amends, strange.amends) == (acc(1), "")

    async def test_what_is_done_and_old_is_forgotten_and_never_news_again(self, ledger: Ledger):
        old = rows(*[entry(n, "4", f"2025-01-0{n}T10:00:00", filed=f"2025-01-0{n}") for n in (5, 4, 3, 2, 1)])
        await ledger.see(old, SEEN - timedelta(days=150))
        await ledger.mark(*[Mark(acc(n), Stage.ALERTED | Stage.FINAL, version=1) for n in (1, 2, 4)])
        await ledger.see(rows(entry(9, "4", "10:00:00")), SEEN)
        before = await ledger.count()
        assert await ledger.trim(SEEN - timedelta(days=120), limit=2) == 2
        assert await ledger.trim(SEEN - timedelta(days=120)) == 1
        assert await ledger.get(acc(1)) is None
        assert (await ledger.get(acc(3))) is not None, "its last message is still to come"
        assert await ledger.count() == before
        assert await ledger.see(old, SEEN) == []
        assert await ledger.unknown([acc(1), acc(3), acc(9)]) == [acc(1)]

    async def test_the_newest_is_never_forgotten_so_that_the_count_goes_on(self, ledger: Ledger):
        await ledger.see(rows(entry(1, "4", "2025-01-01T10:00:00")), SEEN - timedelta(days=150))
        await ledger.mark(Mark(acc(1), Stage.ALERTED | Stage.FINAL, version=1))
        assert await ledger.trim(SEEN - timedelta(days=120)) == 0
        await ledger.see(rows(entry(2, "4", "10:00:00")), SEEN)
        assert (await ledger.count())["seen"] == 2

    async def test_two_pages_at_once_make_each_filing_new_once(self, ledger: Ledger):
        pages = [rows(*[entry(n, "4", "10:00:00") for n in range(start, start + 40)]) for start in (0, 10, 20, 30)]
        found = await asyncio.gather(*[ledger.see(some, SEEN) for some in pages])
        names = [filing.accession for some in found for filing in some]
        assert sorted(names) == [acc(n) for n in range(70)]

    async def test_everything_survives_a_restart(self, ledger: Ledger, ledgers: Ledgers):
        await ledger.see(rows(entry(1, "8-K/A", "10:00:00", items=("1.01",), name="Café")), SEEN)
        await ledger.mark(Mark(acc(1), Stage.ALERTED, version=1, how="feed"))
        kept, count = await ledger.get(acc(1)), await ledger.count()
        await ledgers.close()
        again = await ledgers.open()
        assert await again.get(acc(1)) == kept
        assert await again.count() == count

    async def test_what_the_feed_held_before_the_first_start_is_known_and_never_told(self, ledger: Ledger):
        assert not await ledger.begun()
        assert await ledger.since(SEEN) == SEEN
        assert await ledger.since(SEEN + timedelta(hours=1)) == SEEN, "what the very first start said"
        await ledger.see(rows(entry(3, "8-K", "10:00:02")), SEEN)
        await ledger.begin(rows(*[entry(n, "8-K", f"10:00:0{n}") for n in (3, 2, 1)]), SEEN)
        assert await ledger.begun()
        assert [one.filing.accession for one in (await ledger.pending(0, 9)).entries] == [acc(3)]
        counts = await ledger.count()
        assert (counts["seen"], counts["before"], counts["pending"]) == (1, 2, 1)
        assert await ledger.see(rows(entry(1, "8-K", "10:00:01")), SEEN) == []

    async def test_many_that_wait_do_not_hide_what_can_be_done(self, ledger: Ledger):
        await ledger.see(rows(*[entry(n, "8-K", "10:00:00") for n in range(1, 31)]), SEEN)
        await ledger.mark(*[Mark(acc(n), next_try_at=100.0 + n) for n in range(1, 31) if n != 17])
        found = await ledger.pending(50.0, 3)
        assert [one.filing.accession for one in found.entries] == [acc(17)]
        assert found.next_due == 101.0
        assert len((await ledger.pending(110.0, 50)).entries) == 11

    async def test_what_only_a_later_source_times_gets_its_acceptance(self, ledger: Ledger):
        midnight = rows(entry(1, "4", "00:00:00"))[0]
        early = FeedEntry(midnight.accession, "4", midnight.party, midnight.accepted, midnight.filed, source="index")
        await ledger.see([early], SEEN)
        timed = rows(entry(1, "4", "16:20:00"))
        assert await ledger.see(timed, SEEN) == []
        kept = await ledger.get(acc(1))
        assert kept is not None
        assert (kept.filing.accepted, kept.filing.timed) == (timed[0].accepted, True)
        span = (timed[0].accepted - timedelta(minutes=1), timed[0].accepted)
        assert await ledger.unseen_between(*span, SEEN + timedelta(seconds=1), []) == {acc(1)}
