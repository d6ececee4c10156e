"""The pre-score: the table's figures, the arithmetic, amendments, keywords."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.filings.prescore import item_row, keywords, lead_item, normal_form, prescore, rows, tier


@pytest.mark.parametrize(
    ("item", "urgency"),
    [
        ("2.02", 0.9),
        ("1.03", 0.9),
        ("1.01", 0.8),
        ("4.02", 0.8),
        ("3.02", 0.7),
        ("5.02", 0.6),
        ("7.01", 0.5),
        ("8.01", 0.3),
    ],
)
def test_an_8k_item_has_the_urgency_of_the_contract(item: str, urgency: float) -> None:
    assert prescore("8-K", [item]).urgency == urgency


@pytest.mark.parametrize(("form", "urgency"), [("S-1", 0.8), ("424B5", 0.5)])
def test_a_form_has_the_urgency_of_the_contract(form: str, urgency: float) -> None:
    assert prescore(form).urgency == urgency


def test_every_current_8k_item_stands_in_the_table() -> None:
    current = [
        "1.01",
        "1.02",
        "1.03",
        "1.04",
        "1.05",
        *(f"2.0{n}" for n in range(1, 7)),
        "3.01",
        "3.02",
        "3.03",
        "4.01",
        "4.02",
    ]
    current += [*(f"5.0{n}" for n in range(1, 9)), *(f"6.0{n}" for n in range(1, 7)), "7.01", "8.01", "9.01"]
    assert [code for code in current if item_row(code) is None] == []


def test_the_score_is_half_urgency_half_impact_and_a_bonus_for_the_watched() -> None:
    plain = prescore("8-K", ["7.01"])
    assert plain.priority_score == pytest.approx(0.5 * plain.urgency + 0.5 * plain.impact)
    assert prescore("8-K", ["7.01"], True).priority_score == pytest.approx(plain.priority_score + 0.2)
    assert prescore("8-K", ["1.03"], True).priority_score == 1.0


@pytest.mark.parametrize(
    ("score", "name"), [(1, "high"), (0.8, "high"), (0.79, "medium"), (0.6, "medium"), (0.4, "low"), (0.39, "none")]
)
def test_tiers_begin_at_point_eight_six_and_four(score: float, name: str) -> None:
    assert tier(score) == name


def test_several_items_count_by_the_highest_figures() -> None:
    assert prescore("8-K", ["9.01", "2.02", "7.01"]).priority_score == prescore("8-K", ["2.02"]).priority_score
    assert lead_item(["9.01", "2.02", "7.01"]) == "2.02"
    assert lead_item(["99.99"]) == "99.99"
    assert lead_item([]) == ""


def test_an_amendment_scores_below_its_original() -> None:
    for form, items in (("8-K", ["2.02"]), ("S-1", []), ("SC 13D", []), ("DEF 14A", [])):
        assert prescore(form + "/A", items).priority_score < prescore(form, items).priority_score
    assert "amended" in prescore("8-K/A", ["2.02"]).rules[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [("12", "2.02"), ("Item 12.", "2.02"), ("3", "1.03"), ("5", "8.01"), ("item 2.02", "2.02"), ("2.2", "2.02")],
)
def test_item_codes_are_read_in_their_old_and_odd_spellings(old: str, new: str) -> None:
    assert item_row(old) == item_row(new) != None  # noqa: E711


def test_schedule_13d_is_the_same_form_under_both_names() -> None:
    assert prescore("SCHEDULE 13D").priority_score == prescore("sc  13d").priority_score
    assert normal_form(" schedule 13g/a ") == "SC 13G/A"


def test_an_unknown_form_is_low_but_has_a_reason() -> None:
    found = prescore("ZZ-99")
    assert found.tier == "none"
    assert found.rules == ("Form ZZ-99 (Filing): urgency 0.2, impact 0.2",)


def test_an_8k_without_known_items_counts_as_its_form() -> None:
    assert rows("8-K", ["99.99"]) == rows("8-K") == rows("8-K", [])


def test_the_rules_say_what_made_the_score() -> None:
    found = prescore("8-K", ["5.02", "8.01"], True)
    assert found.rules[0].startswith("8-K item 5.02 (Departure")
    assert found.rules[-1] == "on a watchlist: +0.2"
    split = prescore("8-K", ["1.02", "5.01"])
    assert split.urgency == 0.8
    assert split.impact == 0.9


@given(st.text(max_size=60), st.lists(st.text(max_size=12), max_size=5), st.booleans())
def test_any_form_and_items_score_between_zero_and_one(form: str, items: list[str], watched: bool) -> None:
    found = prescore(form, items, watched)
    assert 0 <= found.priority_score <= 1
    assert found.tier == tier(found.priority_score)
    assert found.rules


def test_a_prescore_takes_less_than_a_millisecond() -> None:
    prescore("8-K", ["2.02"])
    start = time.process_time()
    for _ in range(200):
        prescore("8-K/A", ["2.02", "7.01", "9.01"], True)
    assert (time.process_time() - start) / 200 < 0.001


def test_keywords_are_whole_words_and_the_weightiest_come_first() -> None:
    found = keywords("The merger agreement calls for repeated dividends; no FDAX, no emergers.")
    assert [keyword.word for keyword in found] == ["merger agreement", "dividends"]
    assert found[0].category == "merger"


def test_keywords_read_a_bounded_part_of_a_text() -> None:
    assert keywords("x " * 100_000 + "bankruptcy") == ()
