"""`catalyst bot` with price settings as an operator writes them: a process, a service, a vendor, a strict Discord."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalyst.bot.quotes import Bar
from tests.bot.killing import Clocked, staged, until
from tests.bot.rig import told
from tests.bot.test_command import running, stopped
from tests.fakes.quotes import FakeMarket

pytestmark = pytest.mark.slow


async def test_bounds_and_charts_work_from_the_environment(tmp_path: Path):
    market = await FakeMarket().start()
    now = datetime.now(UTC)
    bars = [Bar(now - timedelta(minutes=5 * back), 5.0, 5.2, 4.9, 5.1, 900.0) for back in range(30, 0, -1)]
    market.set("PNNY", 0.4, 0.4, now)
    market.set("GOOD", 5.0, 4.0, now, bars=bars)
    market.set("PINK", 5.0, 4.0, now, exchange="PNK")
    known = {
        "QUOTE_PROVIDERS": "yahoo", "YAHOO_BASE_URL": market.url("yahoo"), "PRICE_FLOOR": "1", "SKIP_OTC": "1",
        "CHART_THEME": "light", "CATALYST_LOG_LEVEL": "info",
    }  # fmt: skip
    async with staged(tmp_path, "webhook") as stage, running(stage, **known) as process:
        alerts = [told(Clocked(), number, ticker=name) for number, name in enumerate(("PNNY", "PINK", "GOOD"))]
        await stage.service.log.append(alerts)
        assert await until(lambda: bool(stage.discord.of(stage.place)), 20)
        final = told(Clocked(), 2, ticker="GOOD", version=2, final=True)
        await stage.service.log.append([final])
        assert await until(lambda: stage.discord.of(stage.place)[0].files == ["chart.png"], 20)
        code, _, err = await stopped(process)
        messages = stage.discord.of(stage.place)
        assert stage.discord.refused == []
    await market.close()
    assert code == 0
    assert [message.embed["title"][:4] for message in messages] == ["GOOD"]
    assert messages[0].value("Price").startswith("$5.00 (+25.0 %)")
    assert "below PRICE_FLOOR" in err
    assert "over the counter (SKIP_OTC)" in err
