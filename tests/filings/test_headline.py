"""Headlines: one line, verified numbers only."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalyst.filings.ground import UNVERIFIED
from catalyst.filings.headline import MAX_CHARS, headline
from catalyst.stream.types import Analysis
from tests.filings.fixtures_analysis import TRUE, filing

VERIFIED = [told.model_copy(update={"verified": True}) for told in TRUE]


def test_a_headline_names_company_event_form_and_figures() -> None:
    told = Analysis(event_types=["earnings results"], facts=VERIFIED)
    assert headline(filing(), "Acme Widgets Inc.", ["ACME"], told) == (
        "ACME (Acme Widgets Inc.): earnings results (8-K 2.02): "
        "revenue $1.2 billion; net income $84.3 million; EPS $0.45"
    )


def test_unverified_and_prior_figures_are_kept_out() -> None:
    told = Analysis(event_types=["earnings results"], facts=[*TRUE, VERIFIED[4]], summary="")
    assert headline(filing(), "Acme", [], told) == "Acme: earnings results (8-K 2.02)"


def test_without_figures_the_summary_stands_in_unless_a_number_of_it_is_unverified() -> None:
    plain = Analysis(
        event_types=["management change"], summary="Jane Roe was appointed chief executive of Acme Widgets."
    )
    assert headline(filing(items=("5.02",)), "Acme", [], plain).endswith(
        "Jane Roe was appointed chief executive of Acme Widgets."
    )
    marked = plain.model_copy(update={"summary": f"Jane Roe bought 9,000 {UNVERIFIED} shares of Acme Widgets today."})
    assert headline(filing(items=("5.02",)), "Acme", [], marked) == "Acme: management change (8-K 5.02)"


def test_the_feeds_headline_says_what_was_filed() -> None:
    told = Analysis(source="feed", summary="Acme filed form 8-K.", event_types=["bankruptcy"])
    assert headline(filing(items=("1.03",)), "", [], told) == "Acme Widgets Inc.: bankruptcy (8-K 1.03)"


def test_a_long_summary_is_cut_at_a_word() -> None:
    told = Analysis(event_types=["other events"], summary="Acme agreed to supply widgets to many customers " * 10)
    line = headline(filing(items=("8.01",)), "Acme", ["ACME"], told)
    assert len(line) <= MAX_CHARS
    assert line.endswith("…")
    assert line[:-1].split()[-1] in told.summary.split()


@given(st.text(max_size=400), st.text(max_size=300), st.lists(st.text(max_size=20), max_size=3), st.text(max_size=30))
def test_any_headline_is_one_line_of_at_most_200_characters(
    name: str, summary: str, tickers: list[str], form: str
) -> None:
    told = Analysis(summary=summary, facts=VERIFIED[:3])
    for given_facts in (told, told.model_copy(update={"facts": []})):
        line = headline(filing(form=form), name, tickers, given_facts)
        assert len(line) <= MAX_CHARS
        assert line == " ".join(line.split())
