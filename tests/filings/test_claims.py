"""What a quote must say: tables by their headings, adjusted figures apart from GAAP ones, ranges, losses, margins."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalyst.filings.amounts import amounts
from catalyst.filings.ground import Grounding
from catalyst.filings.types import Exhibit, Parsed
from catalyst.stream.types import Fact
from tests.filings.fixtures_analysis import fact


def release(text: str) -> Grounding:
    return Grounding(Parsed("a", "8-K", "eight_k", "", exhibits=(Exhibit("EX-99.1", "", text),)))


STATEMENT = """Birch Tools Reports Second Quarter Results
Condensed Statements of Income
(in thousands, except per share data)
 | Three Months Ended June 30, | Six Months Ended June 30,
 | 2025 | 2024 | 2025 | 2024
Net sales | $51,300 | $47,900 | $99,800 | $91,400
Operating profit | 6,120 | 5,450 | 11,900 | 9,880
Net earnings | $4,410 | $3,905 | $8,300 | $7,115
Earnings per share:
Basic | $0.62 | $0.55 | $1.17 | $1.00
Diluted | $0.61 | $0.54 | $1.15 | $0.98
Cash and cash equivalents, end of period | $9,450 | $8,020 | $9,450 | $8,020
"""
SALES, PROFIT, DILUTED = (next(x for x in STATEMENT.split("\n") if x.startswith(w)) for w in ("Net s", "Oper", "Dil"))
CASH = next(line for line in STATEMENT.split("\n") if line.startswith("Cash"))


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        (fact("revenue", "51300000", "USD", "2025-Q2", SALES), True),
        (fact("revenue", "51300000", "USD", "2025-06-30", SALES), True),
        (fact("revenue", "47900000", "USD", "2024-Q2", SALES, "prior"), True),
        (fact("revenue", "51300000", "USD", "2025-Q2", SALES, "prior"), False),
        (fact("revenue", "47900000", "USD", "2025-Q2", SALES), False),
        (fact("revenue", "99800000", "USD", "2025-Q2", SALES), False),
        (fact("revenue", "51300", "USD", "2025-Q2", SALES), False),
        (fact("revenue", "51300000", "USD", "2025", SALES), False),
        (fact("revenue", "51300000", "USD", "2025-Q3", SALES), False),
        (fact("operating_income", "6120000", "USD", "2025-Q2", PROFIT), True),
        (fact("net_income", "6120000", "USD", "2025-Q2", PROFIT), False),
        (fact("operating_income_adjusted", "6120000", "USD", "2025-Q2", PROFIT), False),
        (fact("eps_diluted", "0.61", "USD/share", "2025-Q2", DILUTED), True),
        (fact("eps_basic", "0.61", "USD/share", "2025-Q2", DILUTED), False),
        (fact("eps_adjusted", "0.61", "USD/share", "2025-Q2", DILUTED), False),
        (fact("eps_diluted", "-0.61", "USD/share", "2025-Q2", DILUTED), False),
        (fact("cash", "9450000", "USD", "2025-06-30", CASH), True),
        (fact("cash", "9450000", "USD", "2025-06-30", CASH, "prior"), False),
        (fact("cash", "8020000", "USD", "2025-06-30", CASH), False),
    ],
    ids=lambda told: f"{told.name} {told.value} {told.period} {told.scope}" if isinstance(told, Fact) else str(told),
)
def test_a_statements_row_is_judged_by_its_columns(told: Fact, holds: bool) -> None:
    assert release(STATEMENT).holds(told) is holds


RECONCILIATION = """Reconciliation of results (in millions, except per share data)
 | GAAP | Adjustments | Non-GAAP
Net income | $41.0 | $6.5 | $47.5
Diluted earnings per share | $0.82 | $0.13 | $0.95
"""


def test_a_column_of_adjusted_figures_is_told_from_the_reported_one() -> None:
    check = release(RECONCILIATION)
    net, eps = RECONCILIATION.split("\n")[2:4]
    assert check.holds(fact("net_income_adjusted", "47500000", "USD", "", net))
    assert check.holds(fact("eps_adjusted", "0.95", "USD/share", "", eps))
    assert check.holds(fact("net_income", "41000000", "USD", "", net))
    assert not check.holds(fact("net_income", "47500000", "USD", "", net))
    assert not check.holds(fact("net_income_adjusted", "41000000", "USD", "", net))
    assert not check.holds(fact("eps_diluted", "0.95", "USD/share", "", eps))


PERIOD_ROWS = """Selected measures (in millions, except per share data)
 | Revenue | Operating Income | Net Income | Diluted EPS
2025 As Reported (GAAP) | $310 | $62 | $44 | $0.88
2025 As Adjusted (non-GAAP) | $310 | $70 | $51 | $1.02
2024 As Adjusted (non-GAAP) | $280 | $61 | $43 | $0.85
"""


def test_a_table_whose_rows_are_periods_names_its_figures_in_the_heading() -> None:
    check = release(PERIOD_ROWS)
    _, _, reported, adjusted, before = PERIOD_ROWS.split("\n")[:5]
    assert check.holds(fact("net_income_adjusted", "51000000", "USD", "2025", adjusted))
    assert check.holds(fact("eps_adjusted", "0.85", "USD/share", "2024", before, "prior"))
    assert check.holds(fact("operating_income", "62000000", "USD", "2025", reported))
    assert not check.holds(fact("operating_income", "70000000", "USD", "2025", adjusted))
    assert not check.holds(fact("net_income_adjusted", "70000000", "USD", "2025", adjusted))
    assert not check.holds(fact("eps_adjusted", "0.85", "USD/share", "2025", before))
    assert not check.holds(fact("eps_adjusted", "0.85", "USD/share", "2024", before, "current"))


PROSE = (
    "For the first quarter of 2026 the Company expects revenue of $40.0 million, plus or minus 5%. "
    "It expects adjusted earnings per share of $1.10 to $1.25. "
    "A net loss of $8.0 million to $6.0 million, or $0.40 to $0.30 per diluted share, is expected. "
    "Adjusted net income was $9.0 million, or $0.44 per diluted share. "
    "A loss of $0.21 per diluted share was recorded. "
    "The Board declared a $0.17 per share dividend. "
    "Revenue of $36.4 million, an increase of 9%."
)
EXPECTS, ADJUSTED, LOSS, OTHER, RECORDED, DECLARED, ROSE = (f"{part}." for part in PROSE[:-1].split(". "))


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        (fact("guidance_revenue_low", "38000000", "USD", "2026-Q1", EXPECTS, "guidance"), True),
        (fact("guidance_revenue_high", "42000000", "USD", "2026-Q1", EXPECTS, "guidance"), True),
        (fact("guidance_revenue_high", "43000000", "USD", "2026-Q1", EXPECTS, "guidance"), False),
        (fact("guidance_eps_adjusted_low", "1.10", "USD/share", "", ADJUSTED, "guidance"), True),
        (fact("guidance_eps_adjusted_high", "1.25", "USD/share", "", ADJUSTED, "guidance"), True),
        (fact("guidance_eps_adjusted_low", "1.25", "USD/share", "", ADJUSTED, "guidance"), False),
        (fact("guidance_eps_adjusted_high", "1.10", "USD/share", "", ADJUSTED, "guidance"), False),
        (fact("guidance_eps_low", "-0.40", "USD/share", "", LOSS, "guidance"), True),
        (fact("guidance_eps_high", "-0.30", "USD/share", "", LOSS, "guidance"), True),
        (fact("guidance_eps_high", "0.30", "USD/share", "", LOSS, "guidance"), False),
        (fact("eps_adjusted", "0.44", "USD/share", "", OTHER), True),
        (fact("eps_diluted", "0.44", "USD/share", "", OTHER), False),
        (fact("eps_diluted", "-0.21", "USD/share", "", RECORDED), True),
        (fact("eps_diluted", "0.21", "USD/share", "", RECORDED), False),
        (fact("dividend_per_share", "0.17", "USD/share", "", DECLARED), True),
        (fact("eps_diluted", "0.17", "USD/share", "", DECLARED), False),
        (fact("revenue", "36400000", "USD", "", ROSE), True),
        (fact("revenue", "36400000", "USD", "", ROSE, "prior"), False),
    ],
    ids=lambda told: f"{told.name} {told.value} {told.scope}" if isinstance(told, Fact) else str(told),
)
def test_a_sentence_gives_its_numbers_to_one_figure(told: Fact, holds: bool) -> None:
    assert release(PROSE).holds(told) is holds


def test_a_long_quote_cut_within_its_last_word_still_stands() -> None:
    check = release(PROSE)
    told = fact("guidance_revenue_low", "38000000", "USD", "2026-Q1", PROSE[:240], "guidance")
    assert PROSE[240].isalnum()
    assert PROSE[239].isalnum()
    assert check.holds(told)
    assert not check.holds(told.model_copy(update={"quote": PROSE[:100] + "x" + PROSE[100:240]}))


def test_a_dash_between_two_figures_makes_none_of_them_negative() -> None:
    assert [one.value for one in amounts("Adjusted EPS | $2.95 - $3.07")] == [Decimal("2.95"), Decimal("3.07")]
    assert [one.value for one in amounts("Change | - $3.07")] == [Decimal("-3.07")]


def test_the_sign_that_begins_the_next_row_is_not_this_rows() -> None:
    first, second = amounts("Operating income | 1,115\n% of sales | 2.7%")
    assert (first.kind, second.kind) == ("plain", "percent")
