"""What leaves the outbox, and that nothing which left is told again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from catalyst.bot.beside import _MOST
from catalyst.bot.outbox import _EDITS, _FORGET, _FROM, _GIVE_UP, _UNTOLD, KEPT_S
from catalyst.bot.quotes import Bar
from tests.bot.rig import PNG, Prices, Rig, told


async def _rows(rig: Rig, table: str) -> int:
    found = await rig.db.read(lambda run: run.execute(f"SELECT count(*) FROM {table}").fetchone())
    return int(found[0])


async def _all(rig: Rig) -> list[int]:
    return [await _rows(rig, table) for table in ("bot_outbox", "bot_alerts", "bot_tickers")]


async def test_what_ended_leaves_after_a_week_and_a_late_update_is_not_posted_as_news(rig: Rig):
    hook = rig.webhook()
    rig.run()
    first = told(rig.clock)
    await rig.take(first)
    await rig.take(told(rig.clock, version=2, final=True))
    await rig.until_states(enriched=1)
    now = rig.stamps.now()
    assert await rig.outbox.retain(now + KEPT_S - 60) == 0
    assert await _all(rig) == [1, 1, 1]
    assert await rig.outbox.retain(now + KEPT_S + 60) == 0
    assert await _all(rig) == [0, 0, 0]
    late = told(rig.clock, version=3, final=True)
    await rig.take(late.model_copy(update={"accepted_at": late.timestamp - timedelta(seconds=KEPT_S + 60)}))
    await rig.sleep(20)
    assert len(rig.discord.of(hook)) == 1


async def test_an_old_filing_that_is_news_to_us_is_still_told(rig: Rig):
    hook = rig.webhook()
    rig.run()
    old = told(rig.clock)
    await rig.take(old.model_copy(update={"accepted_at": old.timestamp - timedelta(seconds=KEPT_S + 60)}))
    await rig.until_states(posted=1)
    assert len(rig.discord.of(hook)) == 1


async def test_what_nobody_took_for_a_week_is_given_up_and_counted(rig: Rig):
    rig.webhook()
    await rig.take(told(rig.clock))
    now = rig.stamps.now()
    assert await rig.outbox.retain(now + KEPT_S - 60) == 0
    assert (await rig.states())["detected"] == 1
    assert await rig.outbox.retain(now + KEPT_S + 60) == 1
    assert await _rows(rig, "bot_outbox") == 0
    assert rig.outbox.metrics.registry.get_sample_value("catalyst_bot_ends_total", {"state": "gone"}) == 1


async def test_rows_of_a_place_that_is_no_longer_set_leave_in_the_end(rig: Rig):
    rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    await rig.stop()
    await rig.outbox.retain(rig.stamps.now() + 2 * KEPT_S + 60)
    assert await _all(rig) == [0, 0, 0]


async def test_a_chart_that_is_no_longer_kept_does_not_edit_for_ever(rig: Rig):
    prices = Prices(rig.clock)
    prices.bar = [Bar(rig.clock.now(), 1, 2, 0.5, 1.5, 100)]
    rig.beside = type(rig.beside)(prices, lambda *_: PNG, rig.clock)
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until(lambda: rig.beside.chart(told(rig.clock).filing_id), leap=False)
    for number in range(_MOST + 1):
        rig.beside._charts[f"other {number}"] = PNG
    del rig.beside._charts[told(rig.clock).filing_id]
    await rig.take(told(rig.clock, version=2, final=True))
    await rig.until_states(enriched=1)
    await rig.sleep(60)
    [message] = rig.discord.of(hook)
    assert len(message.edits) <= 2


async def test_what_a_lane_looks_for_is_found_without_walking_through_the_past(rig: Rig):
    asked = {
        "edits": f"{_FROM} WHERE {_EDITS}",
        "forget": _FORGET,
        "give up": _GIVE_UP,
        "untold": _UNTOLD,
        "posts": f"{_FROM} WHERE o.target = ? AND o.state = 'detected'",
    }
    for name, statement in asked.items():
        steps = await _plan(rig, statement)
        assert not any(step.startswith("SCAN") for step in steps), (name, steps)
    assert any("bot_outbox_behind" in step for step in await _plan(rig, asked["edits"]))


async def _plan(rig: Rig, statement: str) -> list[str]:
    values = ("1",) * statement.count("?")
    found = await rig.db.read(lambda run: run.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())
    return [str(row[3]) for row in found]


async def test_a_hundred_alerts_leave_no_task_and_nothing_remembered(rig: Rig):
    prices = rig.prices = Prices(rig.clock)
    prices.bar = [Bar(rig.clock.now(), 1, 2, 0.5, 1.5, 100)]
    rig.chart = lambda *_: PNG
    rig.boot()
    rig.webhook()
    rig.run()
    tasks = []
    for number in range(0, 100, 20):
        rig.discord.fault("edit", status=502)
        await rig.take(*(told(rig.clock, each, high=each % 10 == 0) for each in range(number, number + 20)))
        await rig.sleep(60)
        await rig.take(*(told(rig.clock, each, version=2, final=True) for each in range(number, number + 20)))
        await rig.until_states(leap=True, enriched=number + 20)
        await rig.sleep(60)
        tasks.append(_tasks())
    assert tasks == [tasks[0]] * 5
    left = (rig.lane._flying, rig.lane._retries, rig.lane._charted, rig.beside._tasks, rig.desk._waking)
    assert not any(left)


def _tasks() -> int:
    """Ours: Discord's side has one for each connection that is kept."""
    return sum("RequestHandler" not in repr(task.get_coro()) for task in asyncio.all_tasks())
