"""The nearest kept questions: embedder and index in a thread of their own, filled from the store in the background.

The index is a view. At start it is taken from where it was saved (`saved.py`); what it holds and the store does not is
dropped, what the store got since is read, so a process killed at any moment heals here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import structlog

from catalyst.clock import Clock
from catalyst.errors import CatalystError, StorageError
from catalyst.llm.cache.embedder import Embedder, Worker
from catalyst.llm.cache.kept import CacheStore, Vector

if TYPE_CHECKING:
    from catalyst.llm.cache.index import VectorIndex

COUNT = 8
"""Candidates of a question."""

CHUNK = 5_000
GROWN = 256
"""Vectors that go into a graph at a time after loading, between which questions have their turn."""

AGAIN = 1.0
"""Seconds between looks for what other processes placed."""

State = Literal["idle", "loading", "ready", "missing"]
log = structlog.get_logger()


class Near:
    """Idle until the first question by meaning; then loading; then ready, or missing for good.

    Without `load` it is missing from the start: for commands that end before it would be of use.
    """

    def __init__(
        self,
        store: CacheStore,
        clock: Clock,
        load: Callable[[], Embedder] | None,
        folder: Path,
        *,
        flat: int | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._load = load
        self._folder = folder
        self._flat = flat
        self._worker = Worker()
        self._embedder: Any = None
        self._index: Any = None
        self._position = ""
        self._looked = 0.0
        self._unsaved = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.state: State = "idle" if load is not None else "missing"
        self.loaded = asyncio.Event()
        """Loading ended, well or not."""
        self.load_seconds = 0.0

    @property
    def version(self) -> str:
        """Of the embedder; empty while there is none."""
        return self._embedder.version if self._embedder is not None else ""

    def __len__(self) -> int:
        return len(self._index) if self._index is not None else 0

    def wake(self) -> bool:
        """Whether it is ready; the first call begins to load."""
        if self.state == "idle":
            self.state, self.loaded = "loading", asyncio.Event()
            self._spawn(self._fill())
        return self.state == "ready"

    async def find(self, bucket: bytes, text: str) -> tuple[bytes | None, list[tuple[int, float]]]:
        """The text's vector (None where it has none), and the ids nearest to it with their cosines."""
        if self._clock.monotonic() - self._looked > AGAIN:
            self._looked = self._clock.monotonic()
            self._spawn(self._catch_up())
        found: tuple[bytes | None, list[tuple[int, float]]] = await self._worker.run(self._find, bucket, text)
        return found

    async def place(self, key: bytes, number: int, bucket: bytes, text: str, steps: bytes | None) -> None:
        """Index an entry here and for the other processes. Raises StorageError."""
        if steps is None:
            steps = await self._worker.run(self._steps, text)
        if steps is None:
            return
        vector = Vector(number, bucket, steps)
        await self._store.place(key, vector)
        await self._worker.run(self._add, [vector])
        self._unsaved += 1

    async def forget(self, number: int) -> None:
        """The store holds it no more."""
        if self._index is not None:
            await self._worker.run(self._index.remove, number)

    async def prune(self) -> None:
        """Let go of what the store let go: else the index fills with what is served no more, and takes nothing new."""
        if self.state != "ready":
            return
        held: set[int] = await self._worker.run(self._index.ids)
        standing = await self._store.ids()
        gone = sorted(held - standing) if standing is not None else []
        for start in range(0, len(gone), GROWN):
            await self._worker.run(self._drop, gone[start : start + GROWN])

    async def settled(self) -> None:
        """Until nothing loads or grows, for benches and tests."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def pause(self) -> None:
        """End what goes on; a load that was cut begins again with the next question."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        await self.pause()
        if self.state == "ready" and self._unsaved:
            await self._save()
        await asyncio.get_running_loop().run_in_executor(None, self._worker.close)

    async def _fill(self) -> None:
        try:
            await self._filled()
        finally:
            if self.state == "loading":
                self.state = "idle"
            self.loaded.set()
        if self.state == "ready":
            await self._grow()

    async def _filled(self) -> None:
        began = self._clock.monotonic()
        try:
            self._embedder = await self._worker.run(self._load)
            self._index = await self._worker.run(self._new_index)
            generation = await self._store.generation()
            position: str = await self._worker.run(self._adopt, generation)
            await self._read(await self._stripped(position))
        except CatalystError as error:
            self.state = "missing" if self._embedder is None else "idle"
            log.warning("cache.meaning.off", reason=str(error))
            return
        except Exception as error:  # noqa: BLE001 (whatever a broken package raises: exact levels go on)
            self.state = "missing"
            log.warning("cache.meaning.off", reason=f"{type(error).__name__}: {error}")
            return
        self.load_seconds = self._clock.monotonic() - began
        self.state = "ready"
        log.info("cache.meaning.ready", vectors=len(self), seconds=round(self.load_seconds, 3))

    async def _grow(self) -> None:
        """Build the graphs of large buckets a little at a time, then save them."""
        while await self._worker.run(self._index.grow, GROWN):
            self._unsaved += GROWN
            await asyncio.sleep(0)
        if self._unsaved:
            await self._save()

    async def _stripped(self, position: str) -> str:
        """From where to read on, once what the saved index holds and the store does not is gone from it."""
        standing = await self._store.ids() if position else None
        if standing is None:
            await self._worker.run(self._index.clear)
            return ""
        held = self._index.ids()
        gone = [number for number in held if number not in standing]
        if len(gone) * 2 > len(held):  # reading anew is cheaper than to take so many out of a graph
            await self._worker.run(self._index.clear)
            return ""
        await self._worker.run(self._drop, gone)
        return position

    async def _read(self, after: str) -> None:
        while True:
            rows, position = await self._store.vectors(after, CHUNK)
            if not rows:
                self._position = position
                return
            await self._worker.run(self._add, rows)
            after = position

    async def _catch_up(self) -> None:
        try:
            await self._read(self._position)
        except StorageError as error:
            log.warning("cache.index.behind", error=str(error))

    async def _save(self) -> None:
        try:
            await self._read(self._position)
            generation, position = await self._store.generation(), self._position
            await self._worker.run(self._write, generation, position)
            self._unsaved = 0
        except (StorageError, OSError, RuntimeError) as error:
            log.warning("cache.index.unsaved", error=str(error))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What follows runs in the worker's thread.

    def _new_index(self) -> VectorIndex:
        from catalyst.llm.cache.index import FLAT, VectorIndex

        return VectorIndex(self._embedder.dimensions, flat=self._flat if self._flat is not None else FLAT)

    def _find(self, bucket: bytes, text: str) -> tuple[bytes | None, list[tuple[int, float]]]:
        import numpy as np

        steps = self._steps(text)
        if steps is None:
            return None, []
        return steps, self._index.nearest(bucket, np.frombuffer(steps, np.int8), COUNT)

    def _steps(self, text: str) -> bytes | None:
        from catalyst.llm.cache.index import stepped

        vector = self._embedder.embed(text)
        return stepped(vector).tobytes() if vector is not None else None

    def _add(self, rows: list[Vector]) -> None:
        import numpy as np

        ready = self.state == "ready"
        for row in rows:
            if len(row.steps) == self._embedder.dimensions:
                self._index.add(row.bucket, row.id, np.frombuffer(row.steps, np.int8), growing=ready)

    def _drop(self, numbers: list[int]) -> None:
        for number in numbers:
            self._index.remove(number)

    def _adopt(self, generation: str) -> str:
        """Take what was saved of this very store, and how far in it that goes; empty where there is any doubt."""
        from catalyst.llm.cache.saved import adopt

        return adopt(self._folder, self._index, (generation, self.version))

    def _write(self, generation: str, position: str) -> None:
        from catalyst.llm.cache.saved import write

        write(self._folder, self._index, (generation, self.version), position)
