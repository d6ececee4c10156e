"""Notes: words must stand in them, a day must be in the words, and what contradicts or has passed moves nothing."""

from __future__ import annotations

from datetime import date

import pytest

from catalyst.cashflow.evidence import Found, NotesReading, weigh
from catalyst.cashflow.types import Note

TODAY = date(2026, 3, 25)


def promise(quote, day, note=0):
    return Found(kind="promised_date", about="payment", date=day, quote=quote, note=note)


def judged(notes, *found, confidence=0.9, dispute=False):
    given = [note if isinstance(note, Note) else Note(text=note) for note in notes]
    return weigh(NotesReading(evidence=list(found), confidence=confidence, dispute=dispute), given, TODAY)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("They will pay on 15 April.", "2026-04-15"),
        ("They will pay on April 15th, surely.", "2026-04-15"),
        ("payment 2026-04-15 confirmed", "2026-04-15"),
        ("payment 15/04/2026 confirmed", "2026-04-15"),
        ("سيتم السداد في ١٥ أبريل", "2026-04-15"),
    ],
)
def test_a_promise_with_its_day_in_its_words_moves_the_date(text, day):
    found = judged([text], promise(text, day))
    assert found.promised == date.fromisoformat(day)
    assert found.quote == text
    assert found.cited[0].moved


def test_a_weekday_counts_from_the_day_of_the_note():
    note = Note(text="will pay next Sunday", date=date(2026, 3, 24))
    assert judged([note], promise("pay next Sunday", "2026-03-29")).promised == date(2026, 3, 29)
    assert judged([note], promise("pay next Sunday", "2026-03-30")).promised is None
    assert judged(["will pay next Sunday"], promise("pay next Sunday", "2026-03-29")).promised is None


@pytest.mark.parametrize(
    ("text", "found", "warned"),
    [
        ("They are slow.", promise("They will pay on 15 April", "2026-04-15"), "not found in the notes"),
        ("They will pay soon.", promise("They will pay soon", "2026-04-15"), "not in the words"),
        ("They will pay on 15 April.", promise("They will pay on 15 April", "2026-05-20"), "not in the words"),
        ("They promised 15 February.", promise("They promised 15 February", "2026-02-15"), "passed unpaid"),
        ("They promised 15 April 2031.", promise("They promised 15 April 2031", "2031-04-15"), "more than a year"),
        ("Pay on 15 April.", promise("Pay on 15 April", "2026-04-15", note=7), "not found in the notes"),
    ],
)
def test_a_promise_that_does_not_hold_moves_nothing_and_says_why(text, found, warned):
    verdict = judged([text], found)
    assert verdict.promised is None
    assert any(warned in warning for warning in verdict.warnings), verdict.warnings
    assert not any(cited.moved for cited in verdict.cited)


def test_contradictory_notes_leave_the_estimate_and_cite_both():
    one, two = "Paying on 10 April.", "Paying on 30 May."
    verdict = judged([one, two], promise(one, "2026-04-10"), promise(two, "2026-05-30", 1))
    assert verdict.promised is None
    assert one in verdict.warnings[0]
    assert two in verdict.warnings[0]


def test_an_unsure_reading_leaves_the_estimate():
    text = "Paying on 10 April."
    assert judged([text], promise(text, "2026-04-10"), confidence=0.39).promised is None
    assert judged([text], promise(text, "2026-04-10"), confidence=0.4).promised is not None


def test_a_dispute_needs_its_words():
    said = Found(kind="dispute", quote="the goods were broken", note=0)
    assert judged(["Customer says the goods were broken."], said, dispute=True).disputed
    assert not judged(["All is well."], said, dispute=True).disputed
    assert not judged(["All is well."], dispute=True).disputed


def test_a_delivery_or_our_own_plan_is_no_promise_of_payment():
    text = "Delivery on 10 April."
    found = Found(kind="promised_date", about="delivery", date="2026-04-10", quote=text)
    assert judged([text], found).promised is None
