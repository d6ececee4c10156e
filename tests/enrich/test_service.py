"""The enricher over a real hub and a fake provider: proven values, honest doubts, quotas that queue, no item lost."""

from __future__ import annotations

import asyncio
import json

import pytest

from catalyst.clock import SystemClock
from catalyst.enrich import Artifact, Calibration, Calibrations, Enricher, EnrichSettings, FieldSpec
from catalyst.enrich.labelled import asked_of_model, calibrated
from catalyst.errors import LLMServiceError, QuotaExceeded, SettingsError
from catalyst.llm.prompts import PromptRegistry
from tests.llm.hub import hub_of, rows, settings_of

PROMPTS = PromptRegistry.load()
ORDER = FieldSpec(name="order", prompt="the purchase order's number")
TEXT = "Acme Sdn Bhd\nYour order PO-4711 of 12/05/2024\nTOTAL | RM 90.00"
SURE = Calibrations({
    "order/model": Calibration((0.0, 1.0), (0.1, 0.99), 100),
    "date/rules": Calibration((0.0, 1.0), (0.9, 0.99), 100),
})  # fmt: skip


def says(server, value, evidence, confidence=0.99, *, found=True, times=1):
    body = {"found": found, "value": value, "evidence": evidence, "confidence": confidence}
    server.says(json.dumps(body), times=times)


def enricher(hub, clock=None, **settings):
    known = settings.pop("calibrations", SURE)
    ours = EnrichSettings(**{"model": "cheap"} | settings)
    return Enricher(hub, PROMPTS, clock or SystemClock(), known, ours)


@pytest.fixture
async def hub(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as service:
        yield service


async def test_a_proven_value_is_applied_with_its_place(hub, wire):
    says(wire.openai, "PO-4711", "order PO-4711")
    result = await enricher(hub).enrich_field(Artifact(text=TEXT, id="a"), ORDER)
    assert (result.status, result.value, result.decision) == ("found", "PO-4711", "auto_apply")
    assert result.evidence is not None
    assert TEXT[result.evidence.start : result.evidence.end] == "order PO-4711"
    assert (result.provider, result.model, result.calibration) == ("openai", "cheap", "calibrated")
    assert result.usage.cost_usd > 0
    assert result.artifact_id == "a"


async def test_the_artifact_and_the_meaning_are_in_what_the_provider_gets(hub, wire):
    says(wire.openai, "PO-4711", "PO-4711")
    await enricher(hub).enrich_field(TEXT, "order", "the purchase order's number")
    sent = json.dumps(wire.openai.last["messages"])
    assert "Your order PO-4711 of 12/05/2024" in sent
    assert "the purchase order's number" in sent
    assert "{{" not in sent


@pytest.mark.parametrize(
    ("value", "evidence", "why"),
    [
        ("PO-4712", "order PO-4712", "do not stand in the artifact"),
        ("PO-4712", "order PO-4711", "do not say the value"),
        ("PO-4711", "", "do not stand in the artifact"),
        ("订单4711", "order PO-4711", "a script that the artifact does not use"),
        ("Заказ", "order PO-4711", "a script that the artifact does not use"),
        ("Bestellung PO-4711", "order PO-4711", "do not say the value"),
    ],
)
async def test_a_value_that_is_not_proven_is_for_review_however_sure_the_model_is(hub, wire, value, evidence, why):
    says(wire.openai, value, evidence, 1.0)
    result = await enricher(hub).enrich_field(TEXT, ORDER)
    assert result.decision == "review"
    assert why in result.reason


@pytest.mark.parametrize(("value", "decision"), [("2024-05-12", "auto_apply"), ("12 May 2024", "review")])
async def test_a_model_s_date_must_have_the_asked_form_and_mean_what_is_quoted(hub, wire, value, decision):
    says(wire.openai, value, "of 12/05/2024")
    known = Calibrations({"shipped/model": Calibration((0.0, 1.0), (0.1, 0.99), 100)})
    # `shipped` is a date, whose rule is not calibrated: so the model is asked
    result = await enricher(hub, calibrations=known).enrich_field(TEXT, FieldSpec(name="shipped", kind="date"))
    assert (result.value, result.decision) == (value, decision)


async def test_before_calibration_a_model_s_value_is_never_applied_unseen(hub, wire):
    says(wire.openai, "PO-4711", "PO-4711", 1.0)
    result = await enricher(hub, calibrations=Calibrations(), auto=0.5).enrich_field(TEXT, ORDER)
    assert (result.decision, result.calibration, result.calibrated) == ("review", "uncalibrated", False)
    assert result.confidence <= 0.9


async def test_a_models_confidence_is_calibrated_by_what_it_says_of_labelled_records(hub, wire):
    """Four of five values are right, all said with .99: a new one is as likely as that, and may be applied unseen."""
    says(wire.openai, "PO-4711", "order PO-4711", times=60)
    labels = ["PO-4711"] * 24 + ["PO-4712"] * 6
    records = [{"text": f"{TEXT} {n}", "labels": {"order": label}} for n, label in enumerate(labels)]
    unproven = [{"text": f"nothing of it {n}", "labels": {"order": "PO-4711"}} for n in range(5)]
    bare, known = enricher(hub, calibrations=Calibrations()), Calibrations()
    seen = await asked_of_model([*records, *unproven, {"text": TEXT}], [ORDER], bare)
    assert calibrated(seen, known) == {"order by the model": "30 rows, 80.0% right"}
    result = await enricher(hub, calibrations=known, auto=0.7).enrich_field(Artifact(text=f"{TEXT} x"), ORDER)
    assert 0.7 < result.confidence < 0.85
    assert (result.calibrated, result.decision) == (True, "auto_apply")
    assert (await bare.enrich_field(Artifact(text=f"{TEXT} y"), ORDER)).decision == "review"


async def test_calibration_says_when_no_model_answers(hub, wire):
    wire.openai.answers(500, times=50)
    wire.deepseek.answers(500, times=50)
    wire.anthropic.answers(500, times=50)
    records = [{"text": TEXT, "labels": {"order": "PO-4711"}}]
    for service in (hub, None):
        with pytest.raises(LLMServiceError):
            await asked_of_model(records, [ORDER], enricher(service, model=""))


async def test_rules_that_are_sure_ask_no_model(hub, wire):
    result = await enricher(hub).enrich_field("Date: 25/12/2018 8:13 PM", "date")
    assert (result.value, result.decision, result.model) == ("2018-12-25", "auto_apply", "rule:date")
    assert wire.openai.requests == []


async def test_the_rule_s_value_stays_for_review_where_the_model_fails_or_differs(hub, wire):
    wire.openai.answers(500, times=9)
    result = await enricher(hub, auto=0.999).enrich_field("Date: 25/12/2018", "date")
    assert (result.value, result.decision) == ("2018-12-25", "review")
    assert "500" in result.reason


async def test_what_the_artifact_does_not_hold_is_missing_and_a_broken_answer_failed(hub, wire):
    says(wire.openai, "", "", found=False)
    missing = await enricher(hub).enrich_field(TEXT, ORDER)
    assert (missing.status, missing.value, missing.decision) == ("missing", None, "reject")
    wire.openai.says("no JSON at all", times=9)
    failed = await enricher(hub).enrich_field(TEXT, ORDER)
    assert (failed.status, failed.value, failed.decision) == ("failed", None, "reject")
    assert "schema" in failed.reason


async def test_without_a_hub_rules_speak_alone_and_say_so():
    ours = enricher(None)
    assert (await ours.enrich_field("TOTAL 5.00", "total")).value == "5.00"
    result = await ours.enrich_field("nothing", ORDER)
    assert (result.status, "no model is configured" in result.reason) == ("missing", True)


async def test_an_artifact_larger_than_one_question_is_read_in_parts(hub, wire):
    filler = "".join(f"Line {number} says nothing that anybody asked about.\n" for number in range(300))
    says(wire.openai, "", "", found=False, times=2)
    says(wire.openai, "PO-4711", "PO-4711")
    result = await enricher(hub, max_chars=6_000).enrich_field(filler + TEXT, ORDER)
    assert (result.value, result.decision) == ("PO-4711", "auto_apply")
    assert "read in parts" in result.reason
    asked = [request.body["messages"][-1]["content"] for request in wire.openai.requests]
    assert len(asked) == 3
    assert all(f"Line {number} " in "".join(asked) for number in range(300))


async def test_what_is_too_large_even_for_that_says_what_was_not_read(hub, wire):
    says(wire.openai, "", "", found=False, times=4)
    text = "".join(f"Figure {number * 7919} stands here.\n" for number in range(2_000))
    result = await enricher(hub, max_chars=2_000, max_parts=4).enrich_field(text, ORDER)
    assert (result.status, result.decision) == ("missing", "review")
    assert "only the first" in result.reason
    assert len(wire.openai.requests) == 4


class Refusing:
    """A hub whose tenant has used up its quota for a while."""

    def __init__(self, hub, times):
        self._hub, self.times, self.tenants = hub, times, set()

    async def query(self, request):
        self.tenants.add(request.tenant)
        if self.times > 0:
            self.times -= 1
            raise QuotaExceeded("used up: try again", retry_after=40.0)
        return await self._hub.query(request)


async def test_an_item_over_its_tenant_s_quota_waits_and_is_answered(hub, wire, clock):
    says(wire.openai, "PO-4711", "PO-4711", times=30)
    refusing = Refusing(hub, 25)
    ours = enricher(refusing, clock, tenant_field="roaster_id", patience_seconds=3_000)
    records = [{"text": f"{TEXT} {number}", "roaster_id": f"r{number % 3}"} for number in range(30)]
    results = await ours.batch_enrich(records, [ORDER])
    assert [row[0].status for row in results] == ["found"] * 30
    assert refusing.tenants == {"r0", "r1", "r2"}


async def test_an_item_whose_quota_never_frees_is_given_back_as_failed(hub, clock):
    refusing = Refusing(hub, 10**6)
    ours = enricher(refusing, clock, patience_seconds=100)
    results = await ours.batch_enrich([TEXT] * 5, [ORDER])
    assert [(row[0].status, "used up" in row[0].reason) for row in results] == [("failed", True)] * 5


async def test_one_item_that_fails_never_spoils_the_batch(hub, wire):
    says(wire.openai, "PO-4711", "PO-4711", times=2)

    class Breaking:
        calls = 0

        async def query(self, request):
            Breaking.calls += 1
            if "poison" in request.documents[0]:
                raise RuntimeError("a fault of ours")
            return await hub.query(request)

    results = await enricher(Breaking()).batch_enrich([TEXT + " 1", "poison", TEXT + " 2"], [ORDER])
    assert [row[0].status for row in results] == ["found", "failed", "found"]
    assert "a fault of ours" in results[1][0].reason


async def test_a_hundred_at_once(tmp_path, wire):
    settings = settings_of(wire, tmp_path, LLM_MAX_CONCURRENT="128", LLM_MAX_CONCURRENT_REQUESTS="128")
    says(wire.openai, "PO-4711", "PO-4711", times=100)
    inside = most = 0

    async with hub_of(settings, tmp_path) as service:

        class Counting:
            async def query(self, request):
                nonlocal inside, most
                inside += 1
                most = max(most, inside)
                try:
                    await asyncio.sleep(0)
                    return await service.query(request)
                finally:
                    inside -= 1

        results = await enricher(Counting()).batch_enrich([f"{TEXT} {number}" for number in range(100)], [ORDER])
    assert most == 100
    assert all(row[0].decision == "auto_apply" for row in results)
    assert len(rows(tmp_path)) == 100
    assert {row[0].split("@")[0] for row in rows(tmp_path, "variant")} == {"field.enrich"}


def test_thresholds_are_a_field_s_own():
    ours = enricher(None, thresholds={"date": 0.99}, auto=0.8)
    assert (ours.get_confidence_threshold("date"), ours.get_confidence_threshold("total")) == (0.99, 0.8)
    with pytest.raises(SettingsError, match="threshold of date"):
        EnrichSettings(thresholds={"date": 1.5})


def test_settings_are_read_and_faults_named():
    read = EnrichSettings.from_env(
        {"ENRICH_CONFIDENCE_THRESHOLDS": "date=0.9, total=0.8", "ENRICH_TENANT_FIELD": "roaster_id"}
    )
    assert read.thresholds == {"date": 0.9, "total": 0.8}
    assert read.tenant_field == "roaster_id"
    for values in ({"ENRICH_AUTO_CONFIDENCE": "high"}, {"ENRICH_CONFIDENCE_THRESHOLDS": "date"}):
        with pytest.raises(SettingsError, match="ENRICH_"):
            EnrichSettings.from_env(values)


def test_a_record_without_text_is_its_fields_and_the_payload_s_hash_is_its_key():
    artifact = Artifact.of({"id": 7, "supplier": "Acme", "lines": [1, 2], "note": ""})
    assert artifact.text == "id: 7\nsupplier: Acme\nlines: [1,2]"
    assert Artifact(text="a").key != Artifact(text="b").key
    assert Artifact(text="a", raw_payload_hash="h").key == Artifact(text="b", raw_payload_hash="h").key == "h"
