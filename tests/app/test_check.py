from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.app.processes import run
from tests.fakes.plugin import Wire

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out


async def check(folder: Path, *more: str, **environ: Any):
    done = await asyncio.to_thread(lambda: run("check", "--json", *more, cwd=folder, **environ))
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout)
    return done.returncode, {one["what"]: one for one in found["findings"]}


async def test_defaults_are_sound_and_say_what_is_missing(tmp_path: Path):
    code, found = await check(tmp_path)
    assert code == 0
    assert found["SEC_USER_AGENT"]["state"] == "warning"
    assert found["models"]["state"] == "warning"


@pytest.mark.parametrize("name", ["openai", "gemini", "anthropic", "deepseek", "openrouter"])
async def test_a_provider_that_takes_the_key_is_ok_and_one_that_does_not_fails(tmp_path: Path, wire: Wire, name: str):
    server = wire[name]
    base = {f"{name.upper()}_BASE_URL": server.url}
    code, found = await check(tmp_path, **base, **{f"{name.upper()}_API_KEY": server.vendor.key})
    assert (code, found[f"model provider {name}"]["state"]) == (0, "ok")
    code, found = await check(tmp_path, **base, **{f"{name.upper()}_API_KEY": "sk-canary-999999"})
    assert (code, found[f"model provider {name}"]["state"]) == (1, "failed")
    assert "canary" not in json.dumps(found)


async def test_an_edgar_that_cannot_be_reached_fails(tmp_path: Path):
    environ = {"SEC_USER_AGENT": "Test test@example.com", "EDGAR_BASE_URL": "http://127.0.0.1:9"}
    code, found = await check(tmp_path, **environ)
    assert (code, found["EDGAR"]["state"]) == (1, "failed")
    code, _ = await check(tmp_path, "--offline", **environ)
    assert code == 0


async def test_every_malformed_setting_is_a_finding(tmp_path: Path):
    code, found = await check(tmp_path, CATALYST_PORT="x", LLM_RETRY_DELAY="soon")
    assert code == 1
    assert "CATALYST_PORT" in found["settings"]["detail"] or "LLM_RETRY_DELAY" in found["settings"]["detail"]
