"""Evaluation: how filings' analyses are counted against labels, and how sure the figures are."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from catalyst.errors import LLMServiceError, UsageError
from catalyst.filings.evaluate import Case, Result, counted, difference, read_case, scores, wilson
from catalyst.filings.transcript import MADE, Recorder, Replayed, Transcript, begun
from catalyst.llm.types import LLMRequest, LLMResponse
from catalyst.stream.types import Analysis, Fact


def case(**fields: object) -> Case:
    return Case.model_validate({"file": "a.txt"} | fields)


def analysed(label: str, *facts: Fact) -> Analysis:
    return Analysis.model_validate({"label": label, "facts": list(facts), "priority": "high"})


def fact(name: str, value: str, *, verified: bool = True, scope: str = "current") -> Fact:
    return Fact.model_validate({"name": name, "value": Decimal(value), "verified": verified, "scope": scope})


LABELLED = case(
    label="bullish",
    priority="high",
    facts=[
        {"name": "revenue", "value": "1200034000", "also": ["1,200,000,000"], "scope": "current"},
        {"name": "cash", "value": "5"},
    ],
)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([fact("revenue", "1200034000"), fact("cash", "5")], (2, 0, 0)),
        ([fact("revenue", "1200000000")], (1, 0, 1)),
        ([fact("revenue", "7")], (0, 1, 2)),
        ([fact("revenue", "1200034000", verified=False)], (0, 0, 2)),
        ([fact("revenue", "9", scope="prior")], (0, 0, 2)),
        ([fact("net_income", "9")], (0, 0, 2)),
        ([fact("cash", "5", scope="prior"), fact("cash", "6")], (1, 1, 1)),
    ],
)
def test_facts_are_right_wrong_or_missed_by_the_names_labelled(
    facts: list[Fact], expected: tuple[int, int, int]
) -> None:
    assert counted(Result(LABELLED, analysed("bullish", *facts))) == expected


def test_figures_of_an_arm() -> None:
    good = Result(LABELLED, analysed("bullish", fact("revenue", "1200034000")), Decimal("0.01"), 100.0, model="m")
    bad = Result(LABELLED, analysed("bearish"), Decimal("0.03"), 300.0, model="m", fault="")
    failed = Result(LABELLED, analysed("bullish"), fault="a.txt: down")
    told = scores([good, bad, failed])
    assert told["label_accuracy"]["value"] == 0.6667
    assert told["fact_precision"]["value"] == 1.0
    assert told["fact_recall"]["value"] == round(1 / 6, 6)
    assert told["answered"] == 2
    assert told["usd_total"] == "0.04"
    assert told["usd_max"] == "0.03"
    assert told["latency_p95_ms"] == 300.0
    assert told["models"] == {"m": 2, "rules": 1}


def test_the_same_seed_gives_the_same_interval_and_pairs_differ_by_nothing_from_themselves() -> None:
    results = [Result(LABELLED, analysed("bullish", fact("revenue", str(n))), Decimal(n)) for n in range(1, 6)]
    assert scores(results, 3) == scores(results, 3)
    gap = difference(results, results)
    assert all(share["value"] in (0, None) for share in gap.values())


def test_an_empty_set_judges_nothing() -> None:
    told = scores([])
    assert told["label_accuracy"]["value"] is None
    assert told["fact_recall"]["value"] is None
    assert told["latency_p50_ms"] is None


@given(some.integers(1, 500).flatmap(lambda count: some.tuples(some.integers(0, count), some.just(count))))
def test_wilsons_interval_holds_the_share_and_stays_within_0_and_1(pair: tuple[int, int]) -> None:
    share = wilson(*pair)
    assert share.value is not None
    assert share.low is not None
    assert share.high is not None
    assert 0 <= share.low <= share.value + 1e-4
    assert share.value - 1e-4 <= share.high <= 1
    assert share.high - share.low > 0


@pytest.mark.parametrize("line", ["", "[]", '{"label": "up", "file": "a"}', '{"label": "bullish"}', '{"file": 3}'])
def test_a_line_that_is_no_labelled_filing_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(UsageError, match="line 7"):
        read_case(line, 7)


class _Answers:
    def __init__(self) -> None:
        self.asked = 0

    async def query(self, request: LLMRequest) -> LLMResponse:
        assert not request.enable_cache
        self.asked += 1
        return LLMResponse(text=f"answer {self.asked}", model="m", cost_usd=Decimal("0.002"), tokens_left_out=7)


async def test_what_is_recorded_is_replayed_and_not_asked_twice(tmp_path: Path) -> None:
    path, hub = tmp_path / "answers.jsonl", _Answers()
    request = LLMRequest(prompt="p")
    with begun(path, MADE) as out:
        recorder = Recorder(hub, Transcript(), out)
        recorder.filing, recorder.arm = "a.txt", "default"
        first = await recorder.query(request)
    with begun(path) as out:
        recorder = Recorder(hub, Transcript.load(path), out)
        recorder.filing, recorder.arm = "a.txt", "default"
        again = await recorder.query(request)
        changed = await recorder.query(LLMRequest(prompt="q"))
    assert (first.text, again.text, changed.text, hub.asked) == ("answer 1", "answer 1", "answer 2", 2)
    kept = Transcript.load(path)
    assert kept.source == MADE
    replayed = Replayed(kept)
    replayed.filing, replayed.arm = "a.txt", "default"
    told = await replayed.query(LLMRequest(prompt="q"))
    assert (told.text, told.cost_usd, told.tokens_left_out, replayed.stale) == ("answer 2", Decimal("0.002"), 7, 0)
    await replayed.query(LLMRequest(prompt="another wording"))
    assert replayed.stale == 1


async def test_a_filing_that_is_not_in_the_transcript_is_a_fault() -> None:
    with pytest.raises(LLMServiceError, match="--record"):
        await Replayed(Transcript()).query(LLMRequest(prompt="p"))


async def test_a_line_cut_short_by_a_kill_is_cut_off_and_recording_goes_on(tmp_path: Path) -> None:
    path, hub = tmp_path / "answers.jsonl", _Answers()
    for _ in range(2):
        with begun(path) as out:
            recorder = Recorder(hub, Transcript.load(path), out)
            recorder.filing, recorder.arm = "a.txt", f"arm {hub.asked}"
            await recorder.query(LLMRequest(prompt="p"))
        path.write_text(path.read_text() + '{"filing": "b.txt", "ar')
        assert len(Transcript.load(path).answers) == hub.asked
    assert len(Transcript.load(path).answers) == 2


@pytest.mark.parametrize(
    "text",
    ["", "{}", "not json", '{"transcript": 9, "source": "live"}', '{"transcript": 1, "source": "live"}\n{}\n{}'],
)
def test_what_is_no_transcript_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match="--record"):
        Transcript.load(path)


def test_the_shipped_transcript_says_that_it_was_made() -> None:
    path = Path(__file__).parents[1] / "data" / "evaluate" / "transcript.jsonl"
    kept = Transcript.load(path)
    assert kept.source == MADE
    assert {arm for _, arm in kept.answers} == {"default", "uncompressed", "largest"}
    assert all(json.loads(answer.text)["label"] for answer in kept.answers.values())
