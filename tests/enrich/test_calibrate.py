"""Calibration: a rising curve from labelled rows, kept in a file, and honest about how far it is off."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.enrich.calibrate import LEAST_ROWS, Calibration, Calibrations, expected_error
from catalyst.enrich.labelled import calibrated, rows_of, same
from catalyst.enrich.types import FieldSpec
from catalyst.errors import SettingsError, UsageError


def drawn(count: int, seed: int) -> list[tuple[float, bool]]:
    """Scores that overstate: right with the square of the score."""
    draw = random.Random(seed)
    scores = [draw.random() for _ in range(count)]
    return [(score, draw.random() < score * score) for score in scores]


def test_a_calibrated_score_is_a_probability_on_rows_it_has_not_seen():
    curve, fresh = Calibration.fit(drawn(4_000, 1)), drawn(4_000, 2)
    assert expected_error(fresh) > 0.1
    assert expected_error([(curve.of(score), right) for score, right in fresh]) < 0.03


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=LEAST_ROWS, max_size=200))
def test_the_curve_never_falls_and_is_never_certain(pairs):
    curve = Calibration.fit(pairs)
    told = [curve.of(number / 50) for number in range(51)]
    assert told == sorted(told)
    assert all(0 < value < 1 for value in told)


def test_a_few_rows_say_nothing():
    with pytest.raises(UsageError, match="19 labelled rows are too few"):
        Calibration.fit([(0.5, True)] * 19)


def test_curves_are_kept_in_a_file(tmp_path):
    path = tmp_path / "deep" / "calibration.json"
    assert Calibrations.load(path).of("date", "rules") is None
    Calibrations({"date/rules": Calibration.fit(drawn(100, 3))}).save(path)
    curve = Calibrations.load(path).of("date", "rules")
    assert curve == Calibration.fit(drawn(100, 3))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", '{"version": 9, "fields": {}}', '{"version": 1}',
        '{"version": 1, "fields": {"a/rules": {"scores": [1, 0], "shares": [0, 1], "rows": 5}}}',
        '{"version": 1, "fields": {"a/rules": {"scores": [0], "shares": [2], "rows": 5}}}',
        '{"version": 1, "fields": {"a/rules": {"scores": [], "shares": [], "rows": 5}}}',
    ],
)  # fmt: skip
def test_a_file_that_is_no_calibration_is_refused(tmp_path, text):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(SettingsError, match="is no calibration"):
        Calibrations.load(tmp_path / "c.json")


def test_labels_say_the_same_however_they_are_written():
    assert same("date", "2018-12-25", "25/12/2018", "en-MY")
    assert not same("date", "2018-12-25", "24/12/2018", "en-MY")
    assert same("total", "1234.50", "RM 1,234.50")
    assert same("company", "ACME (M) SDN. BHD.", "Acme M Sdn Bhd")


def test_labelled_records_make_curves_and_say_where_there_are_too_few():
    records = [
        {"text": f"Date: {day:02d}/03/2018 TOTAL RM 5.00", "labels": {"date": f"2018-03-{day:02d}", "total": "5.00"}}
        for day in range(1, 26)
    ]
    known = Calibrations()
    said = calibrated(rows_of([*records, {"text": "no labels"}], [FieldSpec(name="date")]), known)
    assert said == {"date": "25 rows, 100.0% right"}
    curve = known.of("date", "rules")
    assert curve is not None
    assert 0.9 < curve.of(0.9) < 1
    assert "20 are needed" in calibrated(rows_of(records[:5], [FieldSpec(name="total")]), known)["total"]
