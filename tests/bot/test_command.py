"""`catalyst bot` as an operator runs it: a process against a real service and the strict Discord."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from catalyst.app.build.bot import register
from catalyst.app.commands.bot import bot
from catalyst.app.names import NAMES
from catalyst.bot.settings import BotSettings
from catalyst.errors import CatalystError
from catalyst.stream.types import AlertType
from tests.app.processes import environ
from tests.bot.killing import Clocked, Stage, staged, until
from tests.bot.rig import told
from tests.fakes.discord.server import APPLICATION, TOKEN
from tests.fakes.discord.signer import Signer, ping

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "catalyst.app.cli", "bot"]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, "webhook") as made:
        yield made


@contextlib.asynccontextmanager
async def running(stage: Stage, *options: str, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, following the service."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--data", str(stage.folder), *options, cwd=stage.folder, env=environ(**stage.environ, **more),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert await until(lambda: stage.service.app.state.fanout.clients > 0, 20)
        await asyncio.sleep(0.1)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def stopped(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), 15)
    return process.returncode or 0, out.decode(), err.decode()


async def test_an_alert_reaches_discord_and_sigterm_leaves_no_processing(stage: Stage):
    async with running(stage) as process:
        await stage.tell(2)
        assert await until(lambda: len(stage.discord.of(stage.place)) == 2, 10)
        await stage.finish([1])
        assert await until(lambda: any(m.edits for m in stage.discord.of(stage.place)), 10)
        code, _, err = await stopped(process)
    assert code == 0
    assert "nothing is lost" in err
    assert "webhook:7" in err
    assert "secret" not in err
    assert not any("processing" in m.value("AI analysis") for m in stage.discord.of(stage.place))
    assert stage.discord.refused == []


async def test_switched_off_filings_leave_headlines_and_it_says_so(stage: Stage):
    async with running(stage, SEC_DIGESTER_ENABLED="0") as process:
        headline = told(Clocked(), 900, kind=AlertType.HEADLINE_ALERT)
        await stage.service.log.append([told(Clocked(), 1), headline])
        assert await until(lambda: len(stage.discord.of(stage.place)) == 1, 10)
        _, _, err = await stopped(process)
    assert "only headlines" in err
    [message] = stage.discord.of(stage.place)
    assert message.value("Source")


async def test_a_dry_run_shows_alerts_and_sends_nothing(stage: Stage):
    async with running(stage, "--dry-run") as process:
        await stage.tell(1)
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
        await stopped(process)
    assert "ACME" in line
    assert stage.discord.requests == []


@pytest.mark.parametrize(
    ("action", "env", "what", "code"),
    [
        ("", {}, "DISCORD_WEBHOOK_URL", 2),
        ("nonsense", {}, "register", 2),
        ("", {"DISCORD_WEBHOOK_URL": "https://discord.com/"}, "no webhook's address", 1),
        ("", {"DISCORD_CHANNELS": "12"}, "DISCORD_TOKEN", 1),
        ("", {"DISCORD_CHANNELS": "x"}, "an id is a number", 1),
        ("", {"DISCORD_PUBLIC_KEY": "abc"}, "hexadecimal", 1),
        ("", {"ALERT_WEBHOOK_URL": "https://a.example/x"}, "ALERT_WEBHOOK_SECRET", 1),
        ("", {"ALERT_MIN_PRIORITY": "2"}, "from 0 to 1", 1),
        ("", {"SEC_DIGESTER_ENABLED": "perhaps"}, "neither on", 1),
        ("", {"DISCORD_WEBHOOK_URL": "https://discord.com/api/webhooks/1/t," * 2}, "named twice", 1),
        ("register", {}, "DISCORD_APPLICATION_ID", 1),
    ],
)
def test_faults_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, env: dict[str, str], what: str, code: int
):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalystError, match=what) as caught:
        bot(action, dry_run=False, register=False, url=None, data=None)
    assert caught.value.exit_code == code


async def test_every_webhook_gone_ends_it_with_a_reason(stage: Stage):
    stage.discord.delete_webhook(stage.place)
    async with running(stage) as process:
        await stage.tell(1)
        _, err = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 1
    assert "make a new one" in err.decode()


async def test_commands_are_registered(stage: Stage):
    env = {"DISCORD_TOKEN": TOKEN, "DISCORD_APPLICATION_ID": APPLICATION, "DISCORD_API_URL": stage.discord.api}
    assert await register(BotSettings.from_env(env)) == 8
    assert {command["name"] for command in stage.discord.commands} >= {"watch", "why"}


async def test_signed_interactions_are_served(stage: Stage):
    import time

    from tests.app.processes import free_port

    signer, port, body = Signer(), free_port(), ping()
    async with running(stage, DISCORD_PUBLIC_KEY=signer.public, CATALYST_BOT_PORT=str(port)):
        from catalyst.http import Http

        async with Http() as http:
            answer = await http.request(
                "POST", f"http://127.0.0.1:{port}/interactions", body=body, headers=signer.headers(body, time.time())
            )
    assert answer.body == b'{"type":1}'
