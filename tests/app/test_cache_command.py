"""`catalyst cache` and a cache that several commands share, as processes against a fake OpenAI."""

from __future__ import annotations

import json

import pytest

from tests.app.test_ask_usage import command

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out


async def test_the_second_of_two_commands_is_answered_from_the_cache(wire, tmp_path):
    wire.openai.says("A yearly report.")
    words = ["ask", "What is a 10-K?", "--model", "gpt-4o-mini"]
    first = await command(*words, tmp_path=tmp_path, wire=wire)
    again = await command(*words, tmp_path=tmp_path, wire=wire)
    whole = await command(*words, "--json", tmp_path=tmp_path, wire=wire)
    assert first.stdout == again.stdout == "A yearly report.\n"
    assert "0.000000 USD" in again.stderr
    assert json.loads(whole.stdout)["cache_kind"] == "exact"
    assert len(wire.openai.requests) == 1
    stats = json.loads((await command("cache", "stats", "--json", tmp_path=tmp_path)).stdout)
    assert (stats["entries"], stats["hits"], stats["calls"]) == (1, 2, 1)
    assert stats["audits"]["false_hit_rate"] is None
    table = await command("cache", "stats", tmp_path=tmp_path)
    assert "no hit was audited yet" in table.stdout
    cleared = await command("cache", "clear", "--yes", tmp_path=tmp_path)
    assert cleared.stdout == "1 answers removed\n"
    assert not json.loads((await command(*words, "--json", tmp_path=tmp_path, wire=wire)).stdout)["cached"]


async def test_a_cache_that_is_switched_off_keeps_nothing(wire, tmp_path):
    words = ["ask", "What is a 10-K?", "--model", "gpt-4o-mini"]
    for _ in range(2):
        await command(*words, tmp_path=tmp_path, wire=wire, LLM_CACHE_ENABLED="0")
    assert len(wire.openai.requests) == 2
    assert not (tmp_path / "data" / "cache.db").exists()


async def test_an_unknown_outcome_is_one_line(tmp_path):
    done = await command("cache", "audit", "--outcome", "guessed", tmp_path=tmp_path)
    assert done.returncode == 2
    assert "--outcome" in done.stderr
    empty = await command("cache", "audit", tmp_path=tmp_path)
    assert (empty.returncode, empty.stdout) == (0, "")
