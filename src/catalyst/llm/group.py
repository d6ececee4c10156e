"""Operations that arrive together go to a store together: one transaction or script for many calls.

`call` waits for its result; `post` does not, and a posted operation is kept until the store has taken it. Order is
kept. A `call` whose waiter was cancelled is undone (`undo` gets None where it never reached the store).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from catalyst.errors import StorageError

Op = TypeVar("Op")
MOST = 256
"""Operations that go together at most."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Entry(Generic[Op]):
    op: Op
    waiter: asyncio.Future[Any] | None


class Group(Generic[Op]):
    """`apply` takes operations in order and returns one result each; it raises StorageError when it took none.

    At most `most` go together. Posted ones alone may wait `linger` seconds for company; after a failure they are
    tried again every `pause` seconds.
    """

    def __init__(
        self,
        apply: Callable[[Sequence[Op]], Awaitable[Sequence[Any]]],
        undo: Callable[[Op, Any], None] = lambda op, result: None,
        *,
        linger: float = 0.02,
        pause: float = 0.5,
        most: int = MOST,
        name: str = "group",
    ) -> None:
        self._apply = apply
        self._undo = undo
        self._linger = linger
        self._pause = pause
        self._most = most
        self._name = name
        self._queue: deque[_Entry[Op]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._hurry: asyncio.Event | None = None
        self._urgent = False
        self._in_hand: list[_Entry[Op]] = []
        self._came = 0
        self._went = 0
        self.failing = False

    def __len__(self) -> int:
        return len(self._queue)

    def post(self, op: Op) -> None:
        self._queue.append(_Entry(op, None))
        self._came += 1
        self._start()
        if len(self._queue) == self._most:
            self._wake()

    async def call(self, op: Op) -> Any:
        """The operation's result. Raises StorageError where the store does not take it."""
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append(_Entry(op, waiter))
        self._came += 1
        self._start()
        self._wake()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # it had come, but we were cancelled before we took it
                self._undo(op, None if waiter.exception() else waiter.result())
            raise

    def give_up(self, error: Exception) -> None:
        """Fail every waiting `call` with `error`; what the store still makes of it is undone."""
        for entry in (*self._in_hand, *self._queue):
            if entry.waiter is not None and not entry.waiter.done():
                entry.waiter.set_exception(error)

    async def flush(self) -> None:
        """Return once everything queued so far was taken, or the store failed once."""
        until = self._came
        while self._went < until and self._task is not None and not self.failing:
            self._wake()
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        """Flush, then stop trying; what the store has in hand is waited for, so that nothing is taken twice."""
        await self.flush()
        while self._in_hand:  # noqa: ASYNC110 (only while the store is slow)
            await asyncio.sleep(0.01)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def drain(self) -> list[Op]:
        """Take out the posted operations that the store never took."""
        left = [entry.op for entry in self._queue if entry.waiter is None]
        self._went += len(self._queue)
        self._queue.clear()
        return left

    def _start(self) -> None:
        if self._task is None:
            self._hurry = asyncio.Event()
            self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if self._queue and not task.cancelled():
            self._start()

    def _wake(self) -> None:
        self._urgent = True
        if self._hurry is not None and not self.failing:
            self._hurry.set()

    async def _run(self) -> None:
        assert self._hurry is not None
        while self._queue:
            if not self._urgent or self.failing:
                await self._waited(self._pause if self.failing else self._linger)
            self._urgent = False
            self._hurry.clear()
            taken = [self._queue.popleft() for _ in range(min(self._most, len(self._queue)))]
            self._urgent = len(self._queue) >= self._most or any(entry.waiter for entry in self._queue)
            await self._hand_over(taken)

    async def _waited(self, seconds: float) -> None:
        assert self._hurry is not None
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _hand_over(self, taken: list[_Entry[Op]]) -> None:
        taken = self._wanted(taken)
        if not taken:
            return
        self._in_hand = taken
        try:
            results = await self._apply([entry.op for entry in taken])
        except StorageError as error:
            self._failed(taken, error)
            return
        except Exception as error:  # noqa: BLE001 (a unit of work: one operation that no store can hold must not spoil the others)
            await self._one_by_one(taken, error)
            return
        finally:
            self._in_hand = []
        if self.failing:
            log.info("store.back", store=self._name)
        self.failing = False
        self._went += len(taken)
        for entry, result in zip(taken, results, strict=True):
            self._settle(entry, result)

    async def _one_by_one(self, taken: list[_Entry[Op]], error: Exception) -> None:
        if len(taken) > 1:
            for entry in taken:
                await self._hand_over([entry])
            return
        log.error("store.refused", store=self._name, error=repr(error)[:300])
        self._went += 1
        [entry] = taken
        if entry.waiter is not None and not entry.waiter.done():
            entry.waiter.set_exception(StorageError(f"{self._name} cannot hold this: {error!r}"))

    def _wanted(self, taken: list[_Entry[Op]]) -> list[_Entry[Op]]:
        for entry in taken:
            if entry.waiter is not None and entry.waiter.done():
                self._went += 1
                self._undo(entry.op, None)
        return [entry for entry in taken if entry.waiter is None or not entry.waiter.done()]

    def _settle(self, entry: _Entry[Op], result: Any) -> None:
        if entry.waiter is None:
            return
        if entry.waiter.done():
            self._undo(entry.op, result)
        else:
            entry.waiter.set_result(result)

    def _failed(self, taken: list[_Entry[Op]], error: StorageError) -> None:
        if not self.failing:
            log.error("store.failed", store=self._name, error=str(error))
        self.failing = True
        for entry in reversed(taken):
            if entry.waiter is None:
                self._queue.appendleft(entry)
                continue
            self._went += 1
            if entry.waiter.done():
                self._undo(entry.op, None)
            else:
                entry.waiter.set_exception(error)
