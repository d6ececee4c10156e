"""Earnings releases: the right number from the right row and column, and nothing where there is a doubt."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.filings.forms import document_text, parse, read_submission
from catalyst.filings.forms.earnings import currency_of, earnings, is_release
from catalyst.filings.forms.earnings.blocks import power_of
from catalyst.filings.forms.earnings.cells import cell
from catalyst.filings.forms.earnings.columns import columns_of
from catalyst.filings.forms.earnings.names import figure_of
from catalyst.stream.types import Fact
from tests.filings.forms import releases
from tests.filings.forms.samples import BODY, document, submission


def facts_of(body: bytes) -> tuple[Fact, ...]:
    return earnings(document_text(body))


def values(body: bytes, scope: str = "current") -> dict[str, str]:
    return {fact.name: str(fact.value) for fact in facts_of(body) if fact.scope == scope}


def test_a_quarterly_statement_gives_the_quarter_not_the_nine_months() -> None:
    assert values(releases.QUARTERLY) == {
        "revenue": "400000000",
        "net_income": "-8300000",
        "eps_basic": "-0.21",
        "eps_diluted": "-0.21",
        "operating_income": "-5250000",
        "ebitda_adjusted": "33900000",
        "cash": "120500000",
        "dividend_per_share": "0.17",
    }


def test_the_prior_column_is_the_same_quarter_a_year_before() -> None:
    assert values(releases.QUARTERLY, "prior") == {
        "revenue": "368000000",
        "net_income": "22300000",
        "eps_basic": "0.56",
        "eps_diluted": "0.55",
        "operating_income": "31000000",
        "ebitda_adjusted": "50400000",
        "cash": "98700000",
    }


def test_guidance_is_low_and_high_and_a_scale_word_behind_a_range_counts_for_both() -> None:
    assert values(releases.QUARTERLY, "guidance") == {
        "guidance_revenue_low": "410000000",
        "guidance_revenue_high": "420000000",
        "guidance_eps_adjusted_low": "1.10",
        "guidance_eps_adjusted_high": "1.20",
    }


def test_every_fact_quotes_a_row_or_a_sentence_word_for_word() -> None:
    text = document_text(releases.QUARTERLY)
    flat = " ".join(text.split())
    for fact in facts_of(releases.QUARTERLY):
        assert fact.quote in flat
        assert len(fact.quote) <= 400
        assert fact.verified


def test_units_and_periods_are_told() -> None:
    told = {(fact.name, fact.scope): (fact.unit, fact.period) for fact in facts_of(releases.QUARTERLY)}
    assert told["revenue", "current"] == ("USD", "2025-Q3")
    assert told["revenue", "prior"] == ("USD", "2024-Q3")
    assert told["eps_diluted", "current"] == ("USD/share", "2025-Q3")
    assert told["cash", "prior"] == ("USD", "2024-12-31")


def test_a_non_gaap_table_is_told_apart_and_the_quarter_before_is_no_prior() -> None:
    assert values(releases.SUMMARY) == {
        "revenue": "812000000",
        "net_income": "101000000",
        "eps_diluted": "1.01",
        "operating_income": "120000000",
        "net_income_adjusted": "115000000",
        "eps_adjusted": "1.15",
    }
    assert values(releases.SUMMARY, "prior")["revenue"] == "701000000"
    assert values(releases.SUMMARY, "prior")["eps_adjusted"] == "0.81"


def test_a_margin_is_worked_out() -> None:
    guided = values(releases.SUMMARY, "guidance")
    assert Decimal(guided["guidance_revenue_low"]) == 784_000_000
    assert Decimal(guided["guidance_revenue_high"]) == 816_000_000


def test_gaap_and_non_gaap_columns_side_by_side() -> None:
    told = values(releases.GROUPED)
    assert (told["net_income"], told["net_income_adjusted"]) == ("40000000", "55000000")
    assert (told["eps_diluted"], told["eps_adjusted"]) == ("0.40", "0.55")
    assert values(releases.GROUPED, "prior")["eps_adjusted"] == "0.48"


def test_a_typed_release_with_wrapped_labels_is_read() -> None:
    assert values(releases.TYPED) == {
        "revenue": "19433000",
        "net_income": "134000",
        "eps_diluted": "0.01",
        "operating_income": "-599000",
    }
    assert values(releases.TYPED, "prior")["net_income"] == "-96000"
    assert values(releases.TYPED, "guidance")["guidance_revenue_high"] == "20500000"


def test_sentences_tell_what_no_table_does() -> None:
    assert values(releases.TOLD) == {
        "revenue": "1200000000",
        "net_income": "-4500000",
        "eps_diluted": "-0.12",
        "dividend_per_share": "0.05",
    }


def test_full_dollars_need_no_declared_scale_and_years_alone_tell_the_columns() -> None:
    assert values(releases.PLAIN_DOLLARS) == {
        "revenue": "48498000",
        "operating_income": "395000",
        "eps_basic": "-0.06",
        "eps_diluted": "-0.06",
    }
    assert values(releases.PLAIN_DOLLARS, "prior")["revenue"] == "53092000"


def test_guidance_rows_give_the_newer_column() -> None:
    assert values(releases.PLAIN_DOLLARS, "guidance") == {
        "guidance_revenue_low": "190000000",
        "guidance_revenue_high": "200000000",
        "guidance_eps_low": "0.80",
        "guidance_eps_high": "0.90",
    }


def test_nothing_is_told_of_segments_or_of_columns_without_a_length() -> None:
    assert "revenue" not in values(releases.SEGMENTS)


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("$(0.51)", "-0.51", "number"),
        ("($ 1,234)", "-1234", "number"),
        ("$ (3.71)", "-3.71", "number"),
        ("$.95", "0.95", "number"),
        ("(8.2)%", "-8.2", "percent"),
        ("-2.1%", "-2.1", "percent"),
        ("$—", "0", "nothing"),
        ("2025", "2025", "year"),
        ("1,537(1)", "1537", "number"),
        ("Up 8%", "0", "text"),
    ],
)
def test_cells_as_filings_print_them(text: str, value: str, kind: str) -> None:
    found = cell(text)
    assert (found.kind, found.value) == (kind, Decimal(value))


@pytest.mark.parametrize(
    ("label", "context", "name"),
    [
        ("Total net sales (1)", "", "revenue"),
        ("Product revenue", "", None),
        ("Net (Loss) Earnings Attributable to Quill & Anchor, Inc.", "", "net_income"),
        ("Net income attributable to noncontrolling interests", "", None),
        ("Income from operations before income taxes", "", None),
        ("Diluted", "Net income per share:", "eps_diluted"),
        ("Diluted", "Weighted average shares:", None),
        ("Total shares for basic and diluted earnings per share", "", None),
        ("Loss per share - basic and diluted", "", "eps_both"),
        ("Cash and cash equivalents, beginning of period", "", None),
        ("EBITDA", "", None),
        ("Gross profit", "", None),
    ],
)
def test_a_label_names_a_figure_as_a_whole_or_not_at_all(label: str, context: str, name: str | None) -> None:
    figure = figure_of(label, context)
    assert (figure.name if figure else None) == name


@pytest.mark.parametrize(
    ("text", "power"),
    [
        ("(in thousands, except per share data)", 3),
        ("(Dollars in millions)", 6),
        ("($ in billions except profit per share)", 9),
        ("(in 000s)", 3),
        ("or $7,281,000, or $0.51 per share (based on 14.4 million shares)", None),
        ("Total current assets", None),
    ],
)
def test_scales_as_headings_declare_them(text: str, power: int | None) -> None:
    assert power_of(text) == power


def test_a_change_heading_does_not_turn_the_periods_into_changes() -> None:
    columns = columns_of(
        [["4Q25 change from", "2025 change from 2024"], ["4Q25", "3Q25", "4Q24", "3Q25", "4Q24", "2025", "2024"]]
    )
    assert [column.change for column in columns[:5]] == [False, False, False, True, True]
    assert [column.span for column in columns[5:]] == ["year", "year"]


def test_another_currency_is_told_by_its_sign() -> None:
    assert currency_of("Revenue of €1.2 billion; net income of €30 million; $5") == "EUR"
    assert currency_of("$1 and $2") == "USD"


def test_an_8_k_carries_the_figures_of_its_release() -> None:
    exhibit = document("EX-99.1", releases.QUARTERLY.decode(), 2, "ex991.htm")
    parsed = parse(read_submission(submission(document("8-K", BODY), exhibit)))
    assert {fact.name for fact in parsed.facts} >= {"revenue", "net_income", "eps_diluted", "guidance_revenue_low"}


def test_a_release_is_known_by_how_it_begins() -> None:
    assert is_release(document_text(releases.QUARTERLY))
    assert not is_release("Acme Corp. appoints a new chief financial officer, effective Monday.")


FIGURES = ("$1,234", "(5)", "—", "%", "9" * 30, "2025", "Q1 2025", "$1 to $2 million", "\x00", "é")
LABELS = ("Net income", "Basic", "Diluted", "Total assets", "Cash", "GAAP", "Non-GAAP", "per diluted share")
HEADS = (
    "Three Months Ended March 31,",
    "(in thousands)",
    "expects revenue of ",
    "declared a dividend of $0.10 per share",
)
WORDS = (*FIGURES, *LABELS, *HEADS, " | ", "\n", "  ", ". ", "•")
PIECES = st.lists(st.sampled_from(WORDS) | st.text(max_size=12), max_size=120)


@settings(max_examples=150, deadline=None)
@given(PIECES)
def test_no_text_breaks_the_extractor(pieces: list[str]) -> None:
    for fact in earnings("".join(pieces)):
        assert len(fact.quote) <= 400


@pytest.mark.parametrize(
    "text",
    [
        "Net income | " + " | ".join(["$1,234"] * 40_000),
        "Three Months Ended March 31,\n2020 | 2019\n" + "Earnings per share | $1.00 | $2.00\n" * 8_000,
        "A. B. " * 60_000,
        "9" * 400_000,
        "expects revenue of $1 to $2 million " * 10_000,
    ],
    ids=["wide", "long", "abbreviations", "digits", "ranges"],
)
def test_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    start = time.process_time()
    earnings(text)
    assert time.process_time() - start < 5


@pytest.mark.corpus
@pytest.mark.slow
def test_the_labelled_releases_are_read_as_well_as_promised(corpus) -> None:
    from bench.extract import GOLD, accuracy
    from bench.extract import releases as labelled

    figures = accuracy(labelled(GOLD, corpus / "edgar"))
    assert figures["precision"] >= 0.97
    assert figures["recall"] >= 0.90


@pytest.mark.corpus
def test_the_labels_hold_what_their_spans_show(corpus) -> None:
    import json

    from bench.extract import GOLD
    from tools.label_check import faults

    labels = [json.loads(line) for line in GOLD.read_text().splitlines()][::9]
    assert [fault for label in labels for fault in faults(label, corpus / "edgar")] == []
