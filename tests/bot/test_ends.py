"""Whatever goes wrong, a message that says "processing" ends within 10.5 seconds of its post or of the start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from catalyst.bot.quotes import Bar
from tests.bot.rig import Prices, Rig, told

LIMIT_S = 10.5
Trouble = Callable[[Rig, pytest.MonkeyPatch], Awaitable[None] | None]


async def _updates_never_come(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    """Nothing more is said of it."""


async def _the_card_raises(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    patch.setattr("catalyst.bot.lane.card", broken)
    await rig.take(told(rig.clock, version=2, final=True))


async def _the_price_hangs(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    rig.beside._quotes.hang = True  # type: ignore[attr-defined]


async def _the_price_raises(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    rig.beside._quotes.error = ZeroDivisionError()  # type: ignore[attr-defined]
    await rig.take(told(rig.clock, version=2, final=True))


async def _the_chart_is_garbage(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    rig.beside._charts[told(rig.clock).filing_id] = b"\x00" * 100
    await rig.take(told(rig.clock, version=2, final=True))


async def _the_update_is_garbage(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    await rig.db.write(lambda run: run.execute("UPDATE bot_alerts SET version = 2, final = 1, body = '{}'"))
    await rig.restart()


async def _discord_fails_once(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    rig.discord.fault("edit", status=502)


async def _discord_resets(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    rig.discord.fault("edit", reset=True)
    await rig.take(told(rig.clock, version=2, final=True))


async def _discord_refuses_the_words(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    rig.discord.fault("edit", status=400, body={"code": 50035})
    await rig.take(told(rig.clock, version=2, final=True))


async def _the_edit_is_cancelled(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    rig.discord.fault("edit", hang=True)
    await rig.take(told(rig.clock, version=2, final=True))
    await rig.until(lambda: rig.lane._flying)
    for task in rig.lane._flying.values():
        task.cancel()


async def _killed_and_restarted(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    await rig.restart()


TROUBLES: tuple[Trouble, ...] = (
    _updates_never_come,
    _the_card_raises,
    _the_price_hangs,
    _the_price_raises,
    _the_chart_is_garbage,
    _the_update_is_garbage,
    _discord_fails_once,
    _discord_resets,
    _discord_refuses_the_words,
    _the_edit_is_cancelled,
    _killed_and_restarted,
)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__.strip("_"))
async def test_a_message_comes_to_an_end(rig: Rig, monkeypatch: pytest.MonkeyPatch, trouble: Trouble):
    rig.prices = prices = Prices(rig.clock)
    prices.bar = [Bar(rig.clock.now(), 1, 2, 0.5, 1.5, 100)]
    rig.boot()
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    begun = rig.clock.now().timestamp()
    waiting = trouble(rig, monkeypatch)
    assert waiting is not None
    await waiting
    [message] = rig.discord.of(hook)
    real = time.monotonic()
    while "processing" in message.value("AI analysis"):
        assert time.monotonic() < real + 20
        await rig.sleep(0.1)
        await asyncio.sleep(0.002)
    assert message.edits[-1][0] - begun <= LIMIT_S
    assert len(rig.discord.of(hook)) == 1


async def test_rows_that_nobody_can_read_hold_no_other_back(rig: Rig):
    hook = rig.webhook()
    await rig.take(*(told(rig.clock, number) for number in range(4)))
    await rig.db.write(
        lambda run: run.execute("UPDATE bot_alerts SET body = 'x' WHERE subject LIKE '%00000_' AND rowid % 2")
    )
    rig.run()
    await rig.until_states(posted=2, gone=2)
    assert len(rig.discord.of(hook)) == 2
