"""The headline scorer: what it says of plain cases, how it turns at a negation, and what it costs."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.errors import SettingsError
from catalyst.sentiment import Scorer, wanted
from catalyst.sentiment.signs import signs
from catalyst.sentiment.table import Table, dump, read, shipped
from catalyst.sentiment.tokens import TEXT_CHARS, tokens

SCORER = Scorer()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Elm Robotics beats estimates and raises full-year guidance", "bullish"),
        ("Elm Robotics misses on revenue, cuts guidance", "bearish"),
        ("Elm Robotics narrows its loss", "bullish"),
        ("Elm Robotics loss widens to $3 million", "bearish"),
        ("Shares of Elm Robotics plunge 20% after profit warning", "bearish"),
        ("Shares of Elm Robotics soar 20% after takeover offer", "bullish"),
        ("Elm Robotics downgraded to sell at Brook Securities", "bearish"),
        ("Elm Robotics upgraded to buy at Brook Securities", "bullish"),
        ("Elm Robotics price target cut to $6 from $9 at Brook", "bearish"),
        ("Elm Robotics price target raised to $9 from $6 at Brook", "bullish"),
        ("Elm Robotics files for Chapter 11 bankruptcy", "bearish"),
        ("Elm Robotics to present at the Brook investor conference", "neutral"),
        ("Repeat customers eat peas", "neutral"),
        ("", "neutral"),
    ],
)
def test_a_headline_is_read_by_what_happens_to_what(text: str, label: str) -> None:
    assert SCORER.score(text).label == label


@pytest.mark.parametrize(
    "text",
    [
        "Analysts are not bullish on Elm Robotics",
        "not bullish",
        "We're no longer bullish on Elm",
        "Nobody is bullish? Brook isn't bullish",
        "Elm Robotics fails to beat estimates",
    ],
)
def test_what_is_negated_is_not_read_as_itself(text: str) -> None:
    assert SCORER.score(text).label != "bullish"
    assert SCORER.score(text).rule <= 0


@pytest.mark.parametrize(
    ("text", "better_than"),
    [
        ("Elm cuts costs", "Elm cuts its dividend"),
        ("Unemployment falls", "Unemployment rises"),
        ("Q3 EPS 98 cents vs. 78 cents", "Q3 EPS 78 cents vs. 98 cents"),
        ("Net sales were EUR 9.1 mn compared to EUR 8.2 mn", "Net sales were EUR 8.2 mn compared to EUR 9.1 mn"),
        ("Loss of $2 million vs. $5 million", "Loss of $5 million vs. $2 million"),
        ("Elm +5.2%", "Elm -5.2%"),
        ("Elm gains despite weak economy", "Elm falls despite strong economy"),
    ],
)
def test_the_same_words_count_by_what_moves(text: str, better_than: str) -> None:
    assert signs(text).rule > signs(better_than).rule
    assert SCORER.score(text).value > SCORER.score(better_than).value


def test_a_keyword_is_never_found_inside_another_word() -> None:
    """Earlier bots found `pea` in `repeat`; here `fine` in `define`, `sue` in `issue`, `win` in `window`."""
    assert signs("Repeat: define the issue in this window, refined").hits == []


def test_bearish_items_pass_the_filter_as_bullish_ones_do() -> None:
    assert wanted(SCORER.score("Elm Robotics plunges on weak sales"))
    assert wanted(SCORER.score("Elm Robotics soars on strong sales"))
    assert not wanted(SCORER.score("Where to eat in Lisbon this spring"))


def test_a_mandatory_word_passes_whatever_the_score() -> None:
    score = SCORER.score("Elm Robotics agrees to merger")
    assert score.must
    assert wanted(score, min_relevance=1.0)


def test_hits_name_the_words_and_say_what_was_turned() -> None:
    assert SCORER.score("Analysts are not bullish").hits == ("not bullish",)


def test_names_cashtags_and_addresses_are_not_read() -> None:
    plain = signs("shares rise")
    assert signs("$GAIN @bullish shares rise https://example.test/plunge").words == plain.words


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=4000))
def test_any_text_gets_a_score_in_its_bounds(text: str) -> None:
    score = SCORER.score(text)
    assert -1 <= score.value <= 1
    assert 0 <= score.relevance <= 1
    assert -1 <= score.rule <= 1


def test_what_stands_beyond_two_kilobytes_is_never_read() -> None:
    head = "word " * (TEXT_CHARS // 5) + "word"
    assert SCORER.score(head + " bankruptcy" * 100_000) == SCORER.score(head[:TEXT_CHARS])


@pytest.mark.parametrize(
    "phrase", ["revenue rises but profit falls 3% ", "not ", "up ", "5 vs 4 ", "-- ", "a.b, ", "'" * 8]
)
def test_the_work_grows_with_the_text_and_no_faster(phrase: str) -> None:
    """Counted in calls of Python functions, not in seconds: the machine may be busy."""

    def calls(text: str) -> int:
        count = 0

        def seen(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(seen)
        try:
            SCORER.score(text)
        finally:
            sys.setprofile(None)
        return count

    if sys.gettrace() is not None:
        pytest.skip("a tracer's own calls would be counted")
    short, long = phrase * (512 // len(phrase)), phrase * (2048 // len(phrase))
    assert calls(long) < 5 * calls(short) + 200


def test_a_megabyte_makes_the_same_tokens_as_its_first_two_kilobytes() -> None:
    text = "profit rises 3% " * 65_536
    assert tokens(text) == tokens(text[:TEXT_CHARS])


def test_a_headline_takes_less_than_100_microseconds_at_p99() -> None:
    if sys.gettrace() is not None:
        pytest.skip("under coverage every line costs more")
    text = "Elm Robotics beats estimates as third-quarter revenue rises 12%, but lowers its outlook for 2026"
    taken = []
    for _ in range(3000):
        start = time.thread_time()
        SCORER.score(text)
        taken.append(time.thread_time() - start)
    assert sorted(taken)[2969] < 300e-6, "three times the figure: this machine is shared; bench/sentiment.py measures"


def test_the_shipped_table_is_whole_and_holds_words_only() -> None:
    table = shipped()
    assert len(table.words) > 1000
    assert all(len(name.split()) <= 2 for name in table.words)
    assert not any("@" in name or "$" in name[:-1] or "http" in name for name in table.words)


def test_a_table_survives_writing_and_a_damaged_one_is_refused() -> None:
    table = Table("1", "", (-1.0, -2.0), {"up:sales": (0.1, 0.5)}, {"beats on": (-0.25, 1.0)})
    text = dump(table, {"trained on": "nothing"})
    again = read(text)
    assert (again.version, again.bias, again.signs, again.words) == (
        table.version,
        table.bias,
        table.signs,
        table.words,
    )
    with pytest.raises(SettingsError, match="damaged"):
        read(text.replace("0.500", "0.501"))
    with pytest.raises(SettingsError, match="damaged"):
        read("")


def test_scoring_needs_neither_numpy_nor_vaders_module() -> None:
    code = (
        "import sys; from catalyst.sentiment import Scorer; Scorer().score('profit rises');"
        "print([m for m in ('numpy', 'sklearn', 'requests', 'vaderSentiment.vaderSentiment') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
