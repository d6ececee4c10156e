"""The bot's price source: many vendors behind one `Quotes`, asked in the operator's order.

One question a symbol however many ask; what came together goes out together; an answer serves for 30 s. A source that
has not answered in a moment gets company, one that fails or may not be asked is passed over. Whoever asks waits until
the deadline and no longer: the asking goes on without.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from catalyst.bot.prices.gate import Gate
from catalyst.bot.prices.source import Source, SourceRefused, plain_symbol
from catalyst.bot.quotes import Bar, Quote
from catalyst.clock import Clock
from catalyst.errors import ParseError, TransportError

log = structlog.get_logger()

KEPT_S = 30.0
BARS_KEPT_S = 60.0
HEDGE_S = 0.25
"""A source that has not answered by then gets company."""
GATHER_S = 0.005
"""What is asked for within so long goes out as one request."""
BARS_S = 1.8
WIDE_PERCENT = 30.0
"""A change since yesterday that a second source is asked about: on the day of a split one vendor's previous close may
be the old share's."""
APART, APART_S = 0.2, 300.0
"""Two vendors' prices, or previous closes, of the same five minutes that differ by a fifth: one of them is wrong."""
INTERVALS = ("1m", "5m", "1d")
_AT_ONCE = 8
_MOST = 2000
_MOST_CHARTS = 200


@dataclass(slots=True)
class _Line:
    """One source with its gate."""

    source: Source
    gate: Gate
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    trouble: str = ""


class Board:
    """Satisfies `Quotes`. `close` ends what is under way."""

    def __init__(
        self, sources: Sequence[Source], clock: Clock, *, hedge_s: float = HEDGE_S, gather_s: float = GATHER_S
    ) -> None:
        self._clock = clock
        self._hedge_s = hedge_s
        self._gather_s = gather_s
        self._lines = [_Line(source, Gate(source.name, source.limits, clock.monotonic)) for source in sources]
        self._kept: OrderedDict[str, tuple[float, Quote | None]] = OrderedDict()
        self._last: OrderedDict[str, dict[str, Quote]] = OrderedDict()
        self._waited: dict[str, asyncio.Future[None]] = {}
        self._pending: list[str] = []
        self._bars: OrderedDict[tuple[str, str], tuple[float, Sequence[Bar]]] = OrderedDict()
        self._fetching: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def quotes(self, symbols: Sequence[str], deadline: float) -> Mapping[str, Quote]:
        """What is known within `deadline` seconds. Never raises for what a source does."""
        asked = {name: symbol for name in symbols if (symbol := plain_symbol(name))}
        waits = [self._wait(symbol) for symbol in dict.fromkeys(asked.values()) if not self._fresh(symbol)]
        if waits:
            with contextlib.suppress(TimeoutError):
                async with self._clock.timeout(deadline):
                    await asyncio.wait(waits)
        found = {name: self._known(symbol) for name, symbol in asked.items()}
        return {name: quote for name, quote in found.items() if quote is not None}

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        """The newest day's, of the first source that has any."""
        key = (plain_symbol(symbol), interval)
        if not key[0] or interval not in INTERVALS:
            return ()
        kept = self._bars.get(key)
        if kept is None or self._clock.monotonic() - kept[0] > BARS_KEPT_S:
            task = self._fetching.get(key)
            if task is None:
                task = self._fetching[key] = self._spawn(self._ask_bars(key))
                task.add_done_callback(lambda _: self._fetching.pop(key, None))
            with contextlib.suppress(TimeoutError):
                async with self._clock.timeout(BARS_S):
                    await asyncio.wait([task])
            kept = self._bars.get(key)
        return kept[1] if kept is not None else ()

    def troubles(self) -> Mapping[str, str]:
        """What each source that last failed said."""
        return {line.source.name: line.trouble for line in self._lines if line.trouble}

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- what is known

    def _fresh(self, symbol: str) -> bool:
        kept = self._kept.get(symbol)
        return kept is not None and self._clock.monotonic() - kept[0] <= KEPT_S

    def _known(self, symbol: str) -> Quote | None:
        return self._kept[symbol][1] if self._fresh(symbol) else None

    def _take_in(self, symbol: str, quote: Quote) -> None:
        """A source's word: kept unless it is stale or another is; marked where another source says something else."""
        if quote.stale(self._clock.now()):
            log.info("prices.stale", source=quote.provider, symbol=symbol, as_of=quote.as_of.isoformat())
            return
        said = self._last.setdefault(symbol, {})
        if any(name != quote.provider and apart(quote, other) for name, other in said.items()):
            prices = {each.provider: str(each.price) for each in (*said.values(), quote)}
            log.warning("prices.apart", symbol=symbol, prices=prices)
            quote = replace(quote, doubtful=True)
        said[quote.provider] = quote
        _bound(self._last, symbol, _MOST)
        known = self._known(symbol)
        if known is None:
            self._keep(symbol, quote)
        elif quote.doubtful:
            self._keep(symbol, replace(known, doubtful=True))
        if not self._wanting(symbol):
            self._settle(symbol)

    def _wanting(self, symbol: str) -> bool:
        """Nobody has told a price of it, or one alone a change so wide that a split may be half done there."""
        known = self._known(symbol)
        if known is None:
            return True
        wide = known.change is not None and abs(float(known.change)) >= WIDE_PERCENT
        beside = self._last.get(symbol, {}).values()
        return wide and not any(each.provider != known.provider and near(each, known) for each in beside)

    def _keep(self, symbol: str, quote: Quote | None) -> None:
        self._kept[symbol] = (self._clock.monotonic(), quote)
        _bound(self._kept, symbol, _MOST)

    # -- asking for quotes

    def _wait(self, symbol: str) -> asyncio.Future[None]:
        found = self._waited.get(symbol)
        if found is None:
            found = asyncio.get_running_loop().create_future()
            if len(self._waited) >= _MOST:
                found.set_result(None)
                return found
            self._waited[symbol] = found
            self._pending.append(symbol)
            if len(self._pending) == 1:
                self._spawn(self._ask())
        return found

    def _settle(self, symbol: str) -> None:
        waited = self._waited.pop(symbol, None)
        if waited is not None and not waited.done():
            waited.set_result(None)

    async def _ask(self) -> None:
        with self._clock.working():
            await self._clock.sleep(self._gather_s)
            symbols, self._pending = self._pending, []
            try:
                tries = [partial(self._try, line, symbols) for line in self._lines]
                await staggered(tries, self._hedge_s, self._clock, self._spawn)
            finally:
                for symbol in symbols:
                    self._settle(symbol)

    async def _try(self, line: _Line, symbols: Sequence[str]) -> bool:
        """Ask one source for what is still missing, as far as it may be asked; whether nothing is missing now."""
        missing = [symbol for symbol in symbols if self._wanting(symbol)]
        size = line.source.batch
        parts = [missing[start : start + size] for start in range(0, len(missing), size)][: line.gate.room()]
        for _ in parts:
            line.gate.take()
        await asyncio.gather(*(self._request(line, part) for part in parts))
        return not any(self._wanting(symbol) for symbol in symbols)

    async def _request(self, line: _Line, part: Sequence[str]) -> None:
        async with line.slots:
            found = await self._guarded(line, lambda: line.source.quotes(part))
        if found is None:
            return
        for symbol, quote in found.items():
            self._take_in(symbol, quote)
        for symbol in part:
            if not self._fresh(symbol) and line is self._lines[-1]:
                self._keep(symbol, None)  # the last source has no price of it: asking again at once helps nobody

    async def _guarded(self, line: _Line, ask: Callable[[], Awaitable[Any]]) -> Any:
        """What a source answers; None where it failed, which its gate learns."""
        try:
            found = await ask()
        except SourceRefused as error:
            log.warning("prices.refused", source=line.source.name, error=str(error))
            line.trouble = str(error)
            line.gate.rest(error.after)
        except (TransportError, ParseError) as error:
            line.trouble = str(error)
            line.gate.failed(str(error))
        except Exception as error:  # noqa: BLE001 (one vendor's answer is isolated: the others are asked)
            line.trouble = f"a fault of ours, {type(error).__name__}: {error}"[:200]
            line.gate.failed(line.trouble)
        else:
            line.trouble = ""
            line.gate.succeeded()
            return found
        return None

    # -- asking for bars

    async def _ask_bars(self, key: tuple[str, str]) -> None:
        with self._clock.working():
            lines = [line for line in self._lines if line.source.has_bars]
            tries = [partial(self._try_bars, line, key) for line in lines]
            await staggered(tries, self._hedge_s, self._clock, self._spawn)

    async def _try_bars(self, line: _Line, key: tuple[str, str]) -> bool:
        if not line.gate.room():
            return False
        line.gate.take()
        async with line.slots:
            found = await self._guarded(line, lambda: line.source.bars(*key))
        if found:
            self._bars[key] = (self._clock.monotonic(), tuple(found))
            _bound(self._bars, key, _MOST_CHARTS)
        return bool(found)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def apart(one: Quote, other: Quote) -> bool:
    """Whether two quotes of about the same moment cannot both be right."""
    pairs = [(one.price, other.price), (one.prev_close, other.prev_close)]
    return near(one, other) and any(a is not None and b is not None and abs(float(a / b - 1)) > APART for a, b in pairs)


def near(one: Quote, other: Quote) -> bool:
    """Whether two quotes are of about the same moment."""
    return abs((one.as_of - other.as_of).total_seconds()) <= APART_S


async def staggered(
    tries: Iterable[Callable[[], Coroutine[Any, Any, bool]]],
    hedge_s: float,
    clock: Clock,
    spawn: Callable[[Coroutine[Any, Any, bool]], asyncio.Task[bool]],
) -> None:
    """Begin one try after the other, the next when one ended in False or `hedge_s` passed, until one says True.

    Those still under way then are left to end: what they say is worth comparing.
    """
    waiting, running = list(tries), set[asyncio.Task[bool]]()
    while waiting or running:
        if waiting:
            running.add(spawn(waiting.pop(0)()))
        done: set[asyncio.Task[bool]] = set()
        with contextlib.suppress(TimeoutError):
            async with clock.timeout(hedge_s if waiting else None):
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        if any(task.result() for task in done):
            return


def _bound(kept: OrderedDict[Any, Any], key: object, most: int) -> None:
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)


__all__ = ["Board", "apart", "staggered"]
