"""What a question asks: the canonical text, whatever its wording, and what keeps two questions apart."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.companies import Companies, Listing
from catalyst.companies.aliases import Aliases
from catalyst.llm.cache.meaning import Reader, compare

TODAY = date(2026, 3, 10)
READER = Reader(Aliases.build(Companies.load()))
PAIRS = Path(__file__).parents[2] / "data" / "cache_pairs.jsonl"
ROUNDS = PAIRS.with_name("cache_rounds.jsonl")

COMPANIES = ("Apple", "MSFT", "Coca-Cola", "KO", "Target", "Boeing", "Wells Fargo", "LOW", "Danone", "$XYZQ")
METRICS = (
    "revenue",
    "diluted EPS",
    "basic EPS",
    "R&D expense",
    "free cash flow",
    "long-term debt",
    "headcount",
    "net income",
)
TIMES = (
    "in Q3 2022",
    "in 2021",
    "in FY2022",
    "since 2019",
    "last year",
    "in the first half of 2023",
    "today",
    "on March 5, 2024",
)
WRAPPERS = (
    "What was {c}'s {m} {t}?",
    "Please tell me the {m} of {c} {t}",
    "{c} {m} {t}",
    "How much {m} did {c} report {t}?",
)

same = pytest.mark.parametrize


def verdict(a: str, b: str) -> str:
    return compare(READER.read(a, TODAY), READER.read(b, TODAY)).kind


@same(
    ("a", "b"),
    [
        ("What is AAPL revenue?", "Tell me Apple's revenue"),
        ("Nike net sales in 3Q22", "What was NKE's revenue for the third quarter of fiscal 2022?"),
        ("How many people does Walmart employ?", "What is WMT's headcount?"),
        ("Which segments have revenue above $1.5B?", "Which segments have revenue over $1,500 million?"),
        ("Is the fee at least five percent?", "Is the fee no less than 5%?"),
        ("Why did Boeing's margins decline in 2023?", "What caused the decline in Boeing's margins in 2023?"),
        ("How does a 10-K differ from a 10-Q?", "What is the difference between a 10-K and a 10-Q?"),
        ("Who is the CFO of Intel?", "Name Intel's chief financial officer, please"),
        ("Summarise the filing in five bullets", "Please summarize the filing in 5 bullet points"),
    ],
)
def test_the_same_question_in_other_words_is_served(a: str, b: str) -> None:
    assert verdict(a, b) == "serve"


@same(
    ("a", "b"),
    [
        ("Broadcom acquires Qualcomm", "Qualcomm acquires Broadcom"),
        ("Did Microsoft sue the regulator?", "Did the regulator sue Microsoft?"),
        ("GOOG share price", "GOOGL share price"),
        ("Alphabet share price", "GOOGL share price"),
        ("What is the target's revenue?", "What is TGT's revenue?"),
        ("Adobe subscription revenue 2022", "Adobe license revenue 2022"),
        ("Reverse stock split of AMC", "Stock split of AMC"),
        ("Year-over-year growth of AMD", "Sequential growth of AMD"),
        ("What is in exhibit 10.1?", "What is in exhibit 10.10?"),
        ("Summarize the 8-K", "Summarize the 8-K/A"),
        ("Nike revenue before 2020", "Nike revenue after 2020"),
        ("Nike revenue in 2020", "Nike revenue in calendar 2020"),
        ("Did costs rise 5%?", "Did costs rise to 5%?"),
        ("Who is the CEO of Intel?", "Who was the CEO of Intel?"),
        ("Revenue from A and B", "Revenue from A or B"),
        ("Uber EPS", "Uber earnings"),
        ("Which segments does IBM have?", "How many segments does IBM have?"),
        ('Define "material adverse effect"', 'Define "material adverse change"'),
        ("Nike revenue 2022", "Nike revenu 2022"),
        ("Was Twitter bought in 2022?", "Did Twitter buy in 2022?"),
        ("Is IT spending up?", "Is Gartner spending up?"),
        ("3M revenue", "3m revenue"),
    ],
)
def test_a_near_miss_is_never_served(a: str, b: str) -> None:
    assert verdict(a, b) != "serve"


@settings(deadline=None)
@given(st.sampled_from(COMPANIES), st.sampled_from(METRICS), st.sampled_from(TIMES), st.sampled_from(WRAPPERS))
def test_a_canonical_text_reads_as_itself_also_on_another_day(c: str, m: str, t: str, wrapper: str) -> None:
    read = READER.read(wrapper.format(c=c, m=m, t=t), TODAY)
    again = READER.read(read.canonical, date(2027, 1, 1))
    assert (again.canonical, again.slots, again.words) == (read.canonical, read.slots, read.words)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_alike_twice_and_its_canonical_text_as_itself(text: str) -> None:
    read = READER.read(text, TODAY)
    assert read == READER.read(text, TODAY)
    if not read.bypass:
        assert READER.read(read.canonical, TODAY).canonical == read.canonical


@settings(deadline=None)
@given(st.data())
def test_changing_any_slot_is_never_served(data: st.DataObject) -> None:
    first = [data.draw(st.sampled_from(values)) for values in (COMPANIES, METRICS, TIMES)]
    second = [data.draw(st.sampled_from(values)) for values in (COMPANIES, METRICS, TIMES)]
    wrappers = st.sampled_from(WRAPPERS)
    texts = [data.draw(wrappers).format(c=slots[0], m=slots[1], t=slots[2]) for slots in (first, second)]
    one_company = {"Coca-Cola": "KO"}
    same_slots = [one_company.get(slot, slot) for slot in first] == [one_company.get(slot, slot) for slot in second]
    if verdict(*texts) == "serve":
        assert same_slots
    else:
        assert not same_slots or first[0] == "Danone"  # an unknown name keeps its place in the sentence


@same("text", ["", "   ", "???", "🚀🚀", "苹果的收入是多少", "x == y", "SELECT a FROM t", "a" * 1001, "please", "{}"])
def test_what_cannot_be_read_matches_by_its_exact_text_only(text: str) -> None:
    read = READER.read(text, TODAY)
    assert read.why_bypass
    assert compare(read, read).kind == "refuse"


def test_emoji_and_other_languages_stay_words_that_must_match() -> None:
    assert verdict("AAPL 🚀?", "AAPL 📉?") != "serve"
    assert verdict("Wie hoch war der Umsatz von SAP?", "Wie hoch war der Gewinn von SAP?") != "serve"
    assert verdict("Wie hoch war der Umsatz von SAP?", "wie hoch war der Umsatz von SAP?") == "serve"


def test_relative_times_are_counted_from_the_day_of_the_question() -> None:
    text = "What did Boeing announce yesterday?"
    monday, tuesday = READER.read(text, date(2026, 3, 9)), READER.read(text, date(2026, 3, 10))
    assert compare(monday, tuesday).slot == "periods"
    assert compare(tuesday, READER.read("What did Boeing announce on March 9, 2026?", TODAY)).kind == "serve"


def test_everyday_words_are_companies_only_where_they_are_written_as_names() -> None:
    assert READER.read("Target revenue 2022", TODAY).slots.entities == ("$TGT",)
    assert READER.read("what is the target revenue for 2022", TODAY).slots.entities == ()
    assert READER.read("what is apple's revenue", TODAY).slots.entities == ("$AAPL",)


def test_a_name_that_two_companies_claim_stands_for_neither() -> None:
    rows = [
        Listing("0000000001", "AAAA", "", "First Harbor Inc"),
        Listing("0000000002", "BBBB", "", "First Harbor Corp"),
    ]
    reader = Reader(Aliases.build(Companies(rows)))
    assert reader.read("First Harbor revenue", TODAY).slots.entities == ()
    assert reader.read("AAAA revenue", TODAY).slots.entities == ("$AAAA",)


def test_our_own_near_misses_are_not_served_and_most_rewordings_are() -> None:
    rows = [json.loads(line) for line in PAIRS.read_text("utf-8").splitlines()]
    served = [row for row in rows if verdict(row["a"], row["b"]) == "serve"]
    assert [row for row in served if not row["label"]] == []
    assert sum(row["label"] for row in served) >= 0.85 * sum(row["label"] for row in rows)


def test_pairs_written_in_rounds_are_never_served_wrongly() -> None:
    """Each round was written without a look at the lexicons and judged once before they changed (decision 7)."""
    rows = [json.loads(line) for line in ROUNDS.read_text("utf-8").splitlines()]
    served = [row for row in rows if verdict(row["a"], row["b"]) == "serve"]
    assert [row for row in served if not row["label"]] == []
    assert sum(row["label"] for row in served) >= 0.65 * sum(row["label"] for row in rows)


@same(
    ("a", "b"),
    [
        ("Is the company being sued?", "Is the company suing?"),
        ("Which bank lent to the company?", "Which bank did the company lend to?"),
        ("Who audits Citigroup?", "Who does Citigroup audit?"),
        ("What does EBITDA mean?", "What was the EBITDA?"),
        ("What is revenue?", "What is the revenue?"),
        ("When will Micron report earnings?", "When did Micron report earnings?"),
        ("When does the merger close?", "When did the merger close?"),
    ],
)
def test_who_acts_on_whom_and_when_and_what_a_word_means_are_told_apart(a: str, b: str) -> None:
    assert verdict(a, b) != "serve"
