"""What stands beside the words of an alert: its price and its chart. Neither ever holds an alert up.

A price is waited for a moment and else comes with the next edit; where sources are dead nobody waits at all. A chart
is drawn in a thread of its own; one that never ends costs a slot, and without a slot there are no charts.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from catalyst.bot.quotes import Bar, Chart, Quote, Quotes
from catalyst.clock import Clock
from catalyst.stream.types import Alert

log = structlog.get_logger()

SOON_S = 0.025
"""How long an alert waits for its price, where nothing depends on it (`Screen.wait_s` where something does)."""
LATEST_S = 2.0
"""How long a source may take."""
KEPT_S = 30.0
_DEAD_AFTER = 2
_MOST = 64
_DRAWING = 2
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_BYTES = 1 << 20


class Beside:
    """Prices and charts for the lanes of one process."""

    def __init__(self, quotes: Quotes, chart: Chart | None, clock: Clock) -> None:
        self._quotes = quotes
        self._chart = chart
        self._clock = clock
        self._prices: OrderedDict[str, tuple[float, Quote]] = OrderedDict()
        self._charts: OrderedDict[str, bytes] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._misses = 0
        self._said: dict[str, str] = {}
        self._drawing = threading.Semaphore(_DRAWING)

    def price(self, ticker: str) -> Quote | None:
        """What is known now."""
        found = self._prices.get(ticker)
        if found is None or self._clock.monotonic() - found[0] > KEPT_S:
            return None
        return found[1]

    async def soon(self, ticker: str, wait_s: float = SOON_S) -> Quote | None:
        """The price, where it comes within `wait_s` seconds; it is asked for in any case."""
        if not ticker or (known := self.price(ticker)) is not None:
            return known if ticker else None
        task = self._start(f"price {ticker}", lambda: self._ask(ticker))
        if task is None or self._misses >= _DEAD_AFTER:
            return None
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout(wait_s):
                await asyncio.shield(task)
        found = self.price(ticker)
        self._misses = 0 if found else self._misses + 1
        return found

    def draw(self, subject: str, alert: Alert, ready: Callable[[], None]) -> None:
        """Begin the chart; `ready` is called when there is one."""
        if self._chart is not None and alert.ticker and subject not in self._charts:
            self._start(f"chart {subject}", lambda: self._draw(subject, alert, ready))

    def drawing(self, subject: str) -> bool:
        return f"chart {subject}" in self._tasks

    def chart(self, subject: str) -> bytes | None:
        """The PNG, once it is drawn."""
        return self._charts.get(subject)

    async def close(self) -> None:
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None] | None:
        if name in self._tasks:
            return self._tasks[name]
        if len(self._tasks) >= _MOST:
            return None
        task = asyncio.create_task(self._guarded(name, work()))
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))
        return task

    async def _guarded(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """A source or a painter is somebody else's code: whatever it raises, the alert goes on without."""
        try:
            with self._clock.working():
                await work
        except Exception as error:  # noqa: BLE001
            what, said = name.partition(" ")[0], f"{type(error).__name__}: {error}"[:200]
            if self._said.get(what) != said:  # a dead source fails with every alert: it is said once
                self._said[what] = said
                log.warning("beside.failed", what=what, error=said)

    async def _ask(self, ticker: str) -> None:
        async with self._clock.timeout(LATEST_S):
            found = await self._quotes.quotes([ticker], LATEST_S)
        quote = found.get(ticker)
        if isinstance(quote, Quote) and not quote.stale(self._clock.now()):
            self._misses = 0
            _keep(self._prices, ticker, (self._clock.monotonic(), quote), 2000)

    async def _draw(self, subject: str, alert: Alert, ready: Callable[[], None]) -> None:
        async with self._clock.timeout(LATEST_S):
            bars = await self._quotes.bars(alert.ticker, "5m")
        if not bars:
            return
        async with self._clock.timeout(LATEST_S):
            image = await self._drawn(list(bars), self.price(alert.ticker), alert)
        if isinstance(image, bytes) and image.startswith(_PNG) and len(image) <= _PNG_BYTES:
            _keep(self._charts, subject, image, _MOST)
            ready()

    async def _drawn(self, bars: list[Bar], quote: Quote | None, alert: Alert) -> bytes | None:
        """In a daemon thread: one that hangs must not keep the process from ending."""
        chart, loop = self._chart, asyncio.get_running_loop()
        if chart is None or not self._drawing.acquire(blocking=False):
            return None
        drawn: asyncio.Future[bytes | None] = loop.create_future()

        def settle(image: bytes | None, error: Exception | None) -> None:
            if not drawn.done():
                drawn.set_exception(error) if error else drawn.set_result(image)

        def work() -> None:
            image, failed = None, None
            try:
                image = chart(bars, quote, alert)
            except Exception as error:  # noqa: BLE001 (carried over to the task)
                failed = error
            self._drawing.release()
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, image, failed)

        threading.Thread(target=work, name="chart", daemon=True).start()
        return await drawn


def _keep(known: OrderedDict[str, Any], key: str, value: Any, most: int) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > most:
        known.popitem(last=False)
