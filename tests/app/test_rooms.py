"""`catalyst up` answers for every room over REST, without any model: enrichment, writing, forecasts, classification."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.app.processes import free_port, started, wait_for

pytestmark = pytest.mark.slow
Call = Callable[..., tuple[int, Any]]
DEAL = {"name": "Pumps", "customer": "Globex", "stage": "Order Received", "value": "12500.50", "owner": "Huda"}


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """POST a body, or GET without one: status and JSON."""
    folder = tmp_path_factory.mktemp("rooms")
    port = free_port()

    def ask(path: str, body: object = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    with started("up", "--speed", "max", "--port", str(port), cwd=folder, log=folder / "log") as process:
        wait_for(port, process)
        yield ask
        assert process.poll() is None
    assert "Traceback" not in (folder / "log").read_text()


def test_fields_come_from_rules(call: Call):
    records = [{"id": "a", "text": "ACME\nDate: 25/12/2018\nTOTAL 12.50"}, {"id": "b", "text": "nothing"}]
    status, told = call("/enrich", {"artifacts": records, "fields": [{"name": "date"}, {"name": "order"}]})
    assert status == 200
    (date, order), (none, _) = told["results"]
    assert (date["value"], date["artifact_id"], date["evidence"]["text"]) == ("2018-12-25", "a", "25/12/2018")
    assert (order["status"], order["decision"]) == ("missing", "reject")
    assert (none["status"], none["value"]) == ("missing", None)


@pytest.mark.parametrize(
    ("path", "body", "holds"),
    [
        ("draft-email", {"intent": "ask for the drawings", "deals": [DEAL]}, "ask for the drawings"),
        ("draft-reminder", {"channel": "whatsapp", "deals": [DEAL], "language": "ar"}, "Pumps"),
        ("draft-reminder", {"channel": "email", "deals": [DEAL]}, "12,500.50"),
        ("summarize-deal", {"deal": DEAL}, "Order Received"),
        ("compliance", {"deal": DEAL, "requirements": ["a signed order"]}, "a signed order"),
        ("order", {"deal": DEAL, "order_text": "Deliver to the Jubail plant"}, "Jubail"),
        ("notes", {"notes": [{"text": "Huda promised the drawings", "date": "2026-01-02"}]}, "promised the drawings"),
    ],
)
def test_the_writer_gives_a_minimal_draft_that_says_so(call: Call, path: str, body: dict[str, Any], holds: str):
    status, told = call(f"/writer/{path}", body)
    assert status == 200
    assert holds in json.dumps(told, ensure_ascii=False)
    assert (told["confidence"], told["model"]) == (0.0, "")
    assert told["warnings"]
    assert f'lang="{body.get("language", "en")}"' in told["html"]


def test_a_forecast_is_made_and_explained(call: Call):
    deals = [
        {"deal_id": "a", "stage": "Order Received", "value": "12.34", "notes": [{"text": "they will pay on 5 May"}]},
        {"deal_id": "b", "stage": "Awaiting GR", "value": "-3", "currency": "EUR"},
    ]
    status, made = call("/cashflow/predict", {"deals": deals, "granularity": "month"})
    assert status == 200
    sums = {one["currency"]: one for one in made["table"]["totals"]}
    whole = {name: Decimal(one["payment_value"]) + Decimal(one["beyond_payment_value"]) for name, one in sums.items()}
    assert whole == {"SAR": Decimal("12.34"), "EUR": Decimal(-3)}
    assert any("notes of 1 deals were not read" in warning for warning in made["run"]["warnings"])
    status, told = call(f"/cashflow/explain?forecast_id={made['forecast_id']}")
    assert (status, [one["deal_id"] for one in told["deals"]]) == (200, ["a", "b"])
    assert all(one["reasoning"] for one in told["deals"])
    assert call("/cashflow/explain?forecast_id=none")[0] == 404


def test_headlines_are_classified(call: Call):
    status, told = call("/classify", {"texts": ["Acme beats estimates and raises guidance"]})
    assert status == 200
    assert "bullish" in json.dumps(told)


@pytest.mark.parametrize("path", ["/enrich", "/writer/order", "/cashflow/predict", "/classify"])
def test_what_makes_no_sense_is_refused_with_its_reason(call: Call, path: str):
    status, told = call(path, {"nonsense": 1})
    assert status == 422
    assert "nonsense" in json.dumps(told) or "required" in json.dumps(told)


def test_a_data_folder_holds_the_forecast(call: Call, tmp_path_factory: pytest.TempPathFactory):
    call("/cashflow/predict", {"deals": [{"deal_id": "a", "value": "1"}]})
    found = [path for path in Path(tmp_path_factory.getbasetemp()).rglob("cashflow.db") if "rooms" in str(path)]
    assert found


def test_a_long_document_is_read(call: Call):
    page = "Terms and conditions apply.\n" * 5_000
    fields = [{"name": "date"}]
    status, told = call("/enrich", {"artifacts": [{"text": f"Date: 25/12/2018\n{page}"}], "fields": fields})
    assert (status, told["results"][0][0]["value"]) == (200, "2018-12-25")
