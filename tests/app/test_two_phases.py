"""With a model configured, every filing is told twice: at once by rules, then by the model, checked."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.app.processes import assert_whole, environ, log_of
from tests.fakes.plugin import Wire

SAMPLE = 25
READING = {
    "label": "neutral",
    "sentiment": 0.1,
    "confidence": 0.7,
    "evidence": [],
    "summary": "The company filed with the SEC. Revenue was $987.65 million.",
    "keywords": ["filing"],
    "event_types": ["other"],
    "facts": [
        {"name": "revenue", "value": "987650000", "unit": "USD", "period": "", "scope": "current", "quote": "no such"}
    ],
    "risks": [],
}
pytestmark = pytest.mark.slow


async def up(folder: Path, **more: str) -> tuple[int, str]:
    arguments = ("serve", "--speed", "max", "--until-end", "--port", "0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "catalyst.app.cli", *arguments,
        cwd=folder, env=environ(**more), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def finals(folder: Path) -> dict[str, dict[str, Any]]:
    rows = await asyncio.to_thread(log_of, folder / "data" / "sample")
    assert_whole(rows, SAMPLE)
    return {body["filing_id"]: body for _, body in rows if body["final"]}


@pytest.mark.parametrize("provider", ["openai", "gemini", "anthropic"])
async def test_every_filing_is_read_by_the_model_after_its_alert(tmp_path: Path, wire: Wire, provider: str):
    server = wire[provider]
    server.says(json.dumps(READING), times=4 * SAMPLE)
    code, errors = await up(
        tmp_path,
        **{f"{provider.upper()}_API_KEY": server.vendor.key, f"{provider.upper()}_BASE_URL": server.url},
    )
    assert code == 0, errors
    last = await finals(tmp_path)
    assert {body["analysis"]["source"] for body in last.values()} == {"llm"}, errors
    assert all(body["version"] >= 2 for body in last.values())
    assert all(body["analysis"]["model"] for body in last.values())
    # The figure stands in no filing of the sample: it is marked, and kept out of every headline.
    assert all("[unverified]" in body["analysis"]["summary"] for body in last.values())
    assert not any("987" in body["headline"] for body in last.values())
    assert not any(
        fact["verified"] for body in last.values() for fact in body["analysis"]["facts"] if "98765" in str(fact)
    )
    assert len(server.requests) >= SAMPLE
    assert server.vendor.key not in errors


async def test_when_the_model_fails_the_rules_have_the_last_word(tmp_path: Path, wire: Wire):
    wire.openai.answers(500, times=400)
    code, errors = await up(
        tmp_path, OPENAI_API_KEY=wire.openai.vendor.key, OPENAI_BASE_URL=wire.openai.url, LLM_RETRY_DELAY="0.01"
    )
    assert code == 0, errors
    assert {body["analysis"]["source"] for body in (await finals(tmp_path)).values()} == {"rules"}


async def test_switched_off_no_model_is_called(tmp_path: Path, wire: Wire):
    code, errors = await up(
        tmp_path,
        OPENAI_API_KEY=wire.openai.vendor.key,
        OPENAI_BASE_URL=wire.openai.url,
        FEATURE_UNIFIED_LLM_SERVICE="0",
    )
    assert code == 0, errors
    assert wire.openai.requests == []
    assert {body["analysis"]["source"] for body in (await finals(tmp_path)).values()} == {"rules"}
