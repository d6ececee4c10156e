"""POST /enrich over a real application: each field of each record comes back, and sizes are bounded."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from catalyst.clock import SystemClock
from catalyst.enrich import Enricher
from catalyst.llm.prompts import PromptRegistry
from catalyst.web.enrich import enrich_router


@pytest.fixture
def client():
    app = FastAPI()
    app.include_router(enrich_router(Enricher(None, PromptRegistry.load(), SystemClock())))
    with TestClient(app) as client:
        yield client


def test_fields_come_back_with_evidence_and_decision(client):
    asked = {
        "artifacts": [{"id": "a", "text": "Date: 25/12/2018\nTOTAL RM 5.00"}, {"text": "nothing"}],
        "fields": [{"name": "date"}, {"name": "total"}],
    }
    told = client.post("/enrich", json=asked)
    assert told.status_code == 200
    first, second = told.json()["results"]
    assert [result["value"] for result in first] == ["2018-12-25", "5.00"]
    assert first[0]["artifact_id"] == "a"
    assert first[0]["evidence"] == {"start": 6, "end": 16, "text": "25/12/2018"}
    assert [result["status"] for result in second] == ["missing", "missing"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"artifacts": [], "fields": [{"name": "date"}]},
        {"artifacts": [{"text": "x"}], "fields": []},
        {"artifacts": [{"text": "x"}] * 101, "fields": [{"name": "date"}]},
        {"artifacts": [{"text": "x" * 400_001}], "fields": [{"name": "date"}]},
        {"artifacts": [{"text": "x"}], "fields": [{"name": "date", "kind": "colour"}]},
    ],
)
def test_what_makes_no_sense_is_refused(client, asked):
    assert client.post("/enrich", json=asked).status_code == 422
