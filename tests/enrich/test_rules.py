"""Rules read dates, totals, currencies and parties in many ways of writing, and say when they are not sure."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.enrich.layout import Box, rows
from catalyst.enrich.rules import RULES
from catalyst.enrich.rules.dates import dates
from catalyst.enrich.rules.money import currencies, totals
from catalyst.enrich.rules.parties import addresses, companies


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Date: 25/12/2018 8:13 PM", "2018-12-25"),
        ("26-03-18 15:25", "2018-03-26"),
        ("2018-03-26", "2018-03-26"),
        ("2018/3/6", "2018-03-06"),
        ("14.02.2024", "2024-02-14"),
        ("14 . 02 . 2024", "2024-02-14"),
        ("20180326", "2018-03-26"),
        ("March 5, 2019", "2019-03-05"),
        ("5 Mar 2019", "2019-03-05"),
        ("05-MAR-19", "2019-03-05"),
        ("5th of August 2020", "2020-08-05"),
        ("3. Dezember 2021", "2021-12-03"),
        ("12 de octubre de 2022", "2022-10-12"),
        ("1er juin 2023", "2023-06-01"),
        ("17 Ogos 2017", "2017-08-17"),
        ("2021年5月9日", "2021-05-09"),
        ("31/12/201818:49:59", "2018-12-31"),
    ],
)
def test_a_date_is_read_however_it_is_written(text, value):
    (found, *others) = dates(text)
    assert found.value == value
    assert not others
    assert found.score > 0.3
    assert any(char.isdigit() for char in text[found.start : found.end])


@pytest.mark.parametrize("text", ["", "31/02/2018", "13/13/2018", "tel 03-1234-5678", "1.2.3.4", "1/2/3"])
def test_what_is_no_date_is_none(text):
    assert dates(text) == []


def test_a_date_that_could_be_swapped_has_both_readings_and_little_score():
    found = dates("03/04/2018")
    assert {one.value for one in found} == {"2018-04-03", "2018-03-04"}
    assert all(one.score < 0.5 for one in found)
    assert "swapped" in found[0].why


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("03/04/2018", "en-US", "2018-03-04"),
        ("03/04/2018", "en-GB", "2018-04-03"),
        ("03/04/2018 TOTAL RM 5.00", "", "2018-04-03"),
        ("Springfield, IL 62704\n03/04/2018", "", "2018-03-04"),
        ("03/04/2018 … and again on 25/04/2018", "", "2018-04-03"),
    ],
)
def test_locale_country_and_other_dates_decide_the_order(text, locale, value):
    assert dates(text, locale)[0].value == value


def test_the_labelled_date_wins_over_the_due_date():
    found = dates("Due date: 30/04/2018\nInvoice date: 31/03/2018\n")
    assert found[0].value == "2018-03-31"
    assert found[0].score > found[1].score + 0.2


@given(st.dates(date(1990, 1, 1), date(2070, 12, 31)))
def test_any_day_is_read_back(day):
    for written in (day.isoformat(), f"{day:%d %B %Y}", f"{day:%B %d, %Y}", f"{day:%Y/%m/%d}"):
        assert dates(written)[0].value == day.isoformat()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("SUBTOTAL | 8.00\nGST 6% | 0.48\nTOTAL | 8.48\nCASH | 10.00\nCHANGE | 1.52", "8.48"),
        ("Total Qty: 4.00\nGrand Total\nRM 1,234.50", "1234.50"),
        ("TOTAL EXCL. TAX 90.00\nTOTAL INCL. GST 95.40", "95.40"),
        ("Gesamtbetrag 1.234,56 EUR", "1234.56"),
        ("Total | 12.33\nRounding | 0.02\nCash | 12.35", "12.35"),
        ("AMOUNT DUE: $45.00\nTOTAL SAVINGS: $5.00", "45.00"),
        ("合計 | 150.00", "150.00"),
    ],
)
def test_the_amount_to_pay_is_told_from_the_others(text, value):
    found = totals(text)
    assert found[0].value == value


@pytest.mark.parametrize("text", ["", "no amounts", "TOTAL QTY: 4.00", "item 5.00\nitem 6.00", "TOTAL -5.00"])
def test_without_a_total_there_is_none(text):
    assert totals(text) == []


def test_a_total_of_nothing_and_contradicting_totals_are_not_sure():
    assert totals("TOTAL 0.00")[0].score < 0.2
    assert totals("TOTAL 10.00\nTOTAL 12.00")[0].score < 0.7
    sure = totals("TOTAL 8.48\nCASH 10.00\nCHANGE 1.52")[0]
    assert sure.score > 0.75


@pytest.mark.parametrize(
    ("text", "code"),
    [("RM 5", "MYR"), ("€5", "EUR"), ("SAR 100", "SAR"), ("5 USD", "USD"), ("$5", "USD"), ("¥5", "JPY")],
)
def test_currencies_by_sign_and_word(text, code):
    assert currencies(text)[0].value == code


def test_two_currencies_lower_both():
    assert {one.value: one.score < 0.6 for one in currencies("EUR 5 or USD 6")} == {"EUR": True, "USD": True}
    assert currencies("$5")[0].score < currencies("US$5")[0].score


HEAD = """TAX INVOICE
NORTHWIND TRADING SDN BHD
(123456-X)
NO 7, JALAN BUNGA 3,
TAMAN MAWAR,
43000 KAJANG, SELANGOR
TEL: 03-1
"""


def test_the_head_says_who_and_where():
    assert companies(HEAD)[0].value == "NORTHWIND TRADING SDN BHD"
    found = addresses(HEAD)[0]
    assert found.value == "NO 7, JALAN BUNGA 3, TAMAN MAWAR, 43000 KAJANG, SELANGOR"
    assert HEAD[found.start : found.end].startswith("NO 7")
    assert addresses("nothing here") == []


@pytest.mark.parametrize("label", ["Vendor: ", "seller name = ", "Sold by | ", "المورد: "])
def test_a_labelled_name_is_the_makers_wherever_it_stands(label):
    text = f"id: 7\namount: SAR 1,250.00\n{label}Globex\nnote: x"
    best = companies(text)[0]
    assert (best.value, text[best.start : best.end], best.why) == ("Globex", "Globex", "labelled")


def test_boxes_of_one_row_become_one_line():
    boxes = [Box(400, 100, 440, 115, "9.00"), Box(10, 102, 80, 114, "TOTAL"), Box(10, 10, 90, 25, "SHOP")]
    assert rows(boxes) == "SHOP\nTOTAL | 9.00"


@pytest.mark.parametrize("kind", RULES)
@given(text=st.text(max_size=300), locale=st.sampled_from(["", "en-US", "de"]))
def test_any_text_gives_candidates_that_stand_in_it(kind, text, locale):
    for found in RULES[kind](text, locale):
        assert 0 <= found.start < found.end <= len(text)
        assert 0 < found.score < 1


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("piece", ["1/1/18 ", "TOTAL 1.00\n", "9.99 CASH CHANGE\n", "a" * 50, "\n", "Due "])
def test_a_long_text_of_one_thing_ends(kind, piece):
    assert isinstance(RULES[kind](piece * (40_000 // len(piece)), ""), list)
