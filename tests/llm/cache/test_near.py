"""The index is a view: it heals after kill -9, follows other processes, and never mixes two embedders' vectors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.clock import SystemClock
from catalyst.llm.cache.index import VectorIndex, nearest_of, stepped
from catalyst.llm.cache.kept import Vector
from catalyst.llm.cache.near import Near
from catalyst.llm.cache.sqlite import SqliteCache
from tests.contracts.cache import NOW, entry, key
from tests.llm.cache.cached import Words, cache_of, cached_hub, warm
from tests.llm.cache.test_ladder import Q2, always, question

BUCKET = b"b" * 32


def vectors(count: int, dimensions: int = 64) -> np.ndarray:
    rng = np.random.default_rng(7)
    return np.array([stepped(row.astype(np.float32)) for row in rng.normal(size=(count, dimensions))])


def near_of(folder: Path, flat: int = 20_000) -> tuple[SqliteCache, Near]:
    store = SqliteCache(folder / "cache.db")
    return store, Near(store, SystemClock(), Words, folder / "cache-index", flat=flat)


async def loaded(near: Near) -> None:
    near.wake()
    await near.settled()
    assert near.state == "ready"


@pytest.mark.parametrize("flat", [10, 1_000])
def test_the_nearest_is_found_flat_and_in_a_graph(flat: int) -> None:
    rows = vectors(300)
    index = VectorIndex(64, flat=flat)
    for number, row in enumerate(rows):
        index.add(BUCKET, number, row)
    while index.grow(64):
        pass
    for number in range(0, 300, 7):
        found = index.nearest(BUCKET, rows[number], 8)
        assert found[0][0] == number
        assert found[0][1] == pytest.approx(1.0, abs=0.01)
    assert index.nearest(b"another bucket", rows[0], 8) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, 40)), max_size=120), st.integers(2, 50))
def test_whatever_is_added_and_removed_only_what_stands_is_found(steps: list[tuple[str, int]], flat: int) -> None:
    rows = vectors(41)
    index = VectorIndex(64, flat=flat)
    standing: set[int] = set()
    for what, number in steps:
        if what == "add":
            index.add(BUCKET, number, rows[number])
            standing.add(number)
        else:
            index.remove(number)
            standing.discard(number)
    assert index.ids() == standing
    for number in range(41):
        found = index.nearest(BUCKET, rows[number], 8)
        assert (number in [one for one, _ in found[:1]]) == (number in standing)


def test_more_vectors_than_fit_are_left_out() -> None:
    index = VectorIndex(64, most=5)
    for number, row in enumerate(vectors(9)):
        index.add(BUCKET, number, row)
    assert len(index) == 5


def test_an_empty_bucket_has_no_nearest() -> None:
    ids, distances = nearest_of(np.empty((0, 4), np.int8), np.empty(0, np.uint64), np.ones(4, np.int8), 3)
    assert (len(ids), len(distances)) == (0, 0)


async def test_a_saved_graph_is_loaded_and_compared_with_the_store(tmp_path: Path) -> None:
    rows = vectors(60)
    store, near = near_of(tmp_path, flat=20)
    await loaded(near)
    for number in range(1, 51):
        found = await store.keep(entry(number))
        assert found is not None
        await near.place(key(number), found, BUCKET, "", rows[number].tobytes())
    await near._grow()
    await near.close()
    assert len(list((tmp_path / "cache-index").glob("*.usearch"))) == 1
    await store.reject(key(7), 0, 1)
    late = await store.keep(entry(55))
    assert late is not None
    await store.place(key(55), Vector(late, BUCKET, rows[55].tobytes()))
    again = Near(store, SystemClock(), Words, tmp_path / "cache-index", flat=20)
    await loaded(again)
    assert again._index.graphs() != {}
    assert again._index.ids() == {row.id for row in (await store.vectors("", 1_000))[0]}
    assert again._index.nearest(BUCKET, rows[55], 1)[0][0] == late
    assert again._index.nearest(BUCKET, rows[7], 1)[0][1] < 0.9
    await again.close()
    await store.close()


class Asked(SqliteCache):
    """A store that remembers from where its vectors were read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[str] = []

    async def vectors(self, after: str, limit: int) -> tuple[list[Vector], str]:
        self.asked.append(after)
        return await super().vectors(after, limit)


@pytest.mark.parametrize("flat", [20, 100])
async def test_what_was_saved_is_not_read_from_the_store_again(tmp_path: Path, flat: int) -> None:
    rows = vectors(60)
    store, near = near_of(tmp_path, flat=flat)
    await loaded(near)
    for number in range(1, 51):
        found = await store.keep(entry(number))
        assert found is not None
        bucket = BUCKET if number < 40 else b"another"
        await near.place(key(number), found, bucket, "", rows[number].tobytes())
    await near._grow()
    await near.close()
    await store.close()
    asked = Asked(tmp_path / "cache.db")
    again = Near(asked, SystemClock(), Words, tmp_path / "cache-index", flat=flat)
    await loaded(again)
    assert "" not in asked.asked
    assert len(again) == 50
    for number, bucket in ((9, BUCKET), (45, b"another")):
        assert again._index.nearest(bucket, rows[number], 1)[0][1] == pytest.approx(1.0, abs=0.01)
    await again.close()
    await asked.close()


async def test_where_most_of_what_was_saved_is_gone_it_is_read_anew(tmp_path: Path) -> None:
    store, near = near_of(tmp_path, flat=20)
    await loaded(near)
    for number in range(1, 31):
        found = await store.keep(entry(number, expires=NOW + number))
        assert found is not None
        await near.place(key(number), found, BUCKET, "", vectors(31)[number].tobytes())
    await near._grow()
    await near.close()
    assert await store.sweep(NOW + 25) == 25
    again = Near(store, SystemClock(), Words, tmp_path / "cache-index", flat=20)
    await loaded(again)
    assert again._index.ids() == await store.ids()
    assert again._index.graphs() == {}
    await again.close()
    await store.close()


@pytest.mark.parametrize("harm", ["torn", "gone", "rows", "note", "generation"])
async def test_a_saved_graph_that_does_not_fit_is_read_anew_from_the_store(tmp_path: Path, harm: str) -> None:
    rows = vectors(40)
    store, near = near_of(tmp_path, flat=20)
    await loaded(near)
    for number in range(1, 31):
        found = await store.keep(entry(number))
        assert found is not None
        await near.place(key(number), found, BUCKET, "", rows[number].tobytes())
    await near._grow()
    await near.close()
    graph = next((tmp_path / "cache-index").glob("*.usearch"))
    if harm == "torn":
        graph.write_bytes(graph.read_bytes()[:-100])
    elif harm == "gone":
        graph.unlink()
    elif harm == "rows":
        next((tmp_path / "cache-index").glob("*.rows")).write_bytes(b"more than nothing")
    elif harm == "note":
        (tmp_path / "cache-index" / "index.json").write_bytes(b'{"generation": [')
    else:
        await store._store.write(lambda db: db.execute("DELETE FROM meta"))
    again = Near(store, SystemClock(), Words, tmp_path / "cache-index", flat=20)
    await loaded(again)
    assert len(again) == 30
    assert again._index.nearest(BUCKET, rows[9], 1)[0][1] == pytest.approx(1.0, abs=0.01)
    await again.close()
    await store.close()


async def test_another_processs_vectors_are_followed(wire, tmp_path):
    async with cached_hub(wire, tmp_path, judge=always("serve"), floor=0.5) as (hub, cache):
        await warm(cache)
        other = cache_of(tmp_path, judge=always("serve"), floor=0.5)
        await warm(other)
        await hub.query(question())
        await cache.settled()
        await other._near._catch_up()
        visit = await other.visit(hub.prepare(question(Q2)))
        assert visit.hit is not None
        await other.close()


class Newer(Words):
    version = "words-2"


async def test_vectors_of_another_embedder_are_never_compared(wire, tmp_path):
    async with cached_hub(wire, tmp_path, judge=always("serve"), floor=0.5) as (hub, cache):
        await warm(cache)
        await hub.query(question())
        await cache.settled()
    async with cached_hub(wire, tmp_path, judge=always("serve"), floor=0.5, load=Newer) as (hub, cache):
        await warm(cache)
        assert not (await hub.query(question(Q2))).cached
        assert (await hub.query(question())).cached


async def test_what_was_asked_while_the_embedder_loads_is_indexed_afterwards(wire, tmp_path):
    async with cached_hub(wire, tmp_path, judge=always("serve"), floor=0.5) as (hub, cache):
        await hub.query(question())
        await warm(cache)
        assert len(cache._near) == 1


async def test_an_entry_that_the_store_lost_is_dropped_from_the_index(wire, tmp_path):
    async with cached_hub(wire, tmp_path, judge=always("serve"), floor=0.5) as (hub, cache):
        await warm(cache)
        await hub.query(question())
        await cache.settled()
        await cache._store.clear()
        assert not (await hub.query(question(Q2, max_tokens=1024))).cached
        await cache.settled()
        assert len(cache._near) == 1  # the new one


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A folder in which a process kept answers and saved graphs until it was killed in the middle of it."""
    script = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from tests.llm.cache.test_near import near_of, loaded, vectors, BUCKET
        from tests.contracts.cache import NOW, entry, key

        async def main():
            store, near = near_of(Path(sys.argv[1]), flat=20)
            await loaded(near)
            rows = vectors(64)
            for number in range(1, 10**6):
                found = await store.keep(entry(number))
                await near.place(key(number), found, BUCKET, "", rows[number % 64].tobytes())
                if number % 10 == 0:
                    await near._grow()
                    print("at", number, flush=True)

        asyncio.run(main())
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b"at ") and int(line[3:]) >= 60:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return tmp_path


async def test_index_and_database_agree_again_after_kill_9(killed: Path) -> None:
    store, near = near_of(killed, flat=20)
    await loaded(near)
    placed = {row.id for row in (await store.vectors("", 100_000))[0]}
    assert near._index.ids() == placed
    assert len(placed) >= 60
    found = await store.by_ids([number for number, _ in near._index.nearest(BUCKET, vectors(64)[1], 4)])
    assert key(1) in {one.key for one in found.values()}
    await near.close()
    await store.close()


def test_the_cache_loads_nothing_heavy_before_it_is_used() -> None:
    code = "import sys, catalyst.llm.cache.ladder; assert not {'numpy', 'onnxruntime', 'usearch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_what_the_store_let_go_leaves_the_index_which_takes_new_ones_again(tmp_path: Path) -> None:
    """A service runs for weeks, and its answers for a day: an index that only grows is full after some days."""
    store, near = near_of(tmp_path)
    await store.open()
    await loaded(near)
    near._index._most = 3
    for number in (1, 2, 3):
        found = await store.keep(entry(number, expires=NOW + number))
        assert found is not None
        await near.place(key(number), found, BUCKET, f"question {number}", None)
    assert await store.sweep(NOW + 2) == 2
    await near.prune()
    assert near._index.ids() == await store.ids()
    found = await store.keep(entry(4))
    assert found is not None
    await near.place(key(4), found, BUCKET, "question 4", None)
    assert [number for number, _ in (await near.find(BUCKET, "question 4"))[1]][:1] == [found]
    await near.close()
    await store.close()
