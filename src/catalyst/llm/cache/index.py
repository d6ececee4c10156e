"""Nearest vectors within a bucket: flat while a bucket is small, an HNSW graph (Malkov and Yashunin 2016) above.

A view of the store, never the truth: an id found here is looked up there before anything is served. Vectors are
int8, each scaled to its own largest component, so only their direction is kept. One thread at a time uses an index.
"""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FLAT = 20_000
"""Vectors of a bucket up to which every one is compared."""

MOVED = 64
"""Vectors that go into a growing graph with each addition: no addition takes long, and the graph overtakes."""

MOST = 250_000
"""Vectors held in all; beyond, the store still serves exact and canonical questions."""

CONNECTIVITY, EXPANSION = 12, 64

Steps = npt.NDArray[np.int8]


def stepped(vector: npt.NDArray[np.float32]) -> Steps:
    """A float vector in 8 bits, its largest component at 127."""
    largest = float(np.abs(vector).max(initial=0.0))
    return np.rint(vector * (127.0 / largest)).astype(np.int8) if largest else vector.astype(np.int8)


@dataclass(slots=True)
class _Bucket:
    """Rows of a matrix that doubles; with many of them a graph grows beside it, and replaces it when complete."""

    rows: Steps
    ids: npt.NDArray[np.uint64]
    size: int = 0
    graph: Any = None
    moved: int = 0
    complete: bool = False

    def append(self, number: int, vector: Steps) -> None:
        if self.complete:
            self.graph.add(np.array([number], np.uint64), vector[None, :], threads=1)
            return
        if self.size == len(self.ids):
            room = max(2, self.size * 2)
            self.rows = np.resize(self.rows, (room, self.rows.shape[1]))
            self.ids = np.resize(self.ids, room)
        self.rows[self.size], self.ids[self.size] = vector, number
        self.size += 1

    def drop(self, number: int) -> None:
        if self.graph is not None:
            self.graph.remove(number)
        if self.complete:
            return
        place = int(np.flatnonzero(self.ids[: self.size] == number)[0])
        if self.graph is not None:
            self.rows[place] = 0  # near to nothing; the graph takes the rows in their order
            return
        self.size -= 1
        self.rows[place], self.ids[place] = self.rows[self.size], self.ids[self.size]

    def grow(self, most: int) -> None:
        """Move up to `most` rows into the graph."""
        if self.graph is None:
            self.graph = new_graph(self.rows.shape[1])
        part = slice(self.moved, min(self.size, self.moved + most))
        self.graph.add(self.ids[part], self.rows[part], threads=1)
        self.moved = part.stop
        if self.moved == self.size:
            self.complete, self.rows, self.ids = True, self.rows[:0].copy(), self.ids[:0].copy()


class VectorIndex:
    """Buckets of vectors by id. Similarities are cosines."""

    def __init__(self, dimensions: int, *, flat: int = FLAT, most: int = MOST) -> None:
        self.dimensions = dimensions
        self._flat = flat
        self._most = most
        self._buckets: dict[bytes, _Bucket] = {}
        self._where: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, number: int) -> bool:
        return number in self._where

    def ids(self) -> set[int]:
        """Every id that is held."""
        return set(self._where)

    def add(self, bucket: bytes, number: int, vector: Steps, *, growing: bool = True) -> None:
        """Hold a vector; one that is held already stays as it is, one too many is left out. While many are loaded no
        graph grows: comparing each is quick to begin with, and `grow` follows.
        """
        if number in self._where or len(self._where) >= self._most:
            return
        found = self._buckets.get(bucket)
        if found is None:
            found = self._buckets[bucket] = _Bucket(np.empty((1, self.dimensions), np.int8), np.empty(1, np.uint64))
        found.append(number, vector)
        self._where[number] = bucket
        if growing and not found.complete and found.size > self._flat:
            found.grow(MOVED)

    def grow(self, most: int) -> bool:
        """Move up to `most` vectors into graphs that are not complete; whether there are more to move."""
        for bucket in self._buckets.values():
            if not bucket.complete and bucket.size > self._flat:
                bucket.grow(most)
                return True
        return False

    def remove(self, number: int) -> None:
        """Forget a vector."""
        bucket = self._where.pop(number, None)
        if bucket is not None:
            self._buckets[bucket].drop(number)

    def clear(self) -> None:
        self._buckets.clear()
        self._where.clear()

    def nearest(self, bucket: bytes, vector: Steps, count: int) -> list[tuple[int, float]]:
        """Up to `count` ids with their cosines, the nearest first."""
        found = self._buckets.get(bucket)
        if found is None:
            return []
        if found.complete:
            matches = found.graph.search(vector, count, threads=1)
            ids, distances = matches.keys, matches.distances
        else:
            ids, distances = nearest_of(found.rows[: found.size], found.ids[: found.size], vector, count)
        pairs = zip(ids.tolist(), distances.tolist(), strict=True)
        return [(number, 1.0 - distance) for number, distance in pairs if number in self._where]

    def graphs(self) -> dict[bytes, Any]:
        """The complete graphs by bucket, for saving."""
        return {name: bucket.graph for name, bucket in self._buckets.items() if bucket.complete}

    def rows(self) -> dict[bytes, tuple[npt.NDArray[np.uint64], Steps]]:
        """The ids and vectors of every other bucket, for saving."""
        return {
            name: (bucket.ids[: bucket.size], bucket.rows[: bucket.size])
            for name, bucket in self._buckets.items()
            if not bucket.complete and bucket.size
        }

    def adopt_rows(self, bucket: bytes, ids: npt.NDArray[np.uint64], rows: Steps) -> None:
        """Take saved ids and vectors as the whole of `bucket`; both become the index's own."""
        self._buckets[bucket] = _Bucket(rows, ids, len(ids))
        self._where.update(dict.fromkeys(ids.tolist(), bucket))

    def adopt(self, bucket: bytes, path: Path) -> None:
        """Take a saved graph as the whole of `bucket`. Raises what usearch raises for a file that is none."""
        graph = new_graph(self.dimensions)
        graph.load(path)
        ids = np.asarray(graph.keys[:]).tolist()
        self._buckets[bucket] = _Bucket(
            np.empty((0, self.dimensions), np.int8), np.empty(0, np.uint64), 0, graph, 0, True
        )
        self._where.update(dict.fromkeys(ids, bucket))


def nearest_of(rows: Steps, ids: npt.NDArray[np.uint64], vector: Steps, count: int) -> tuple[Any, Any]:
    """The `count` nearest of all rows: (ids, distances), by comparing each."""
    if not len(rows):
        return ids, np.empty(0, np.float32)
    if len(rows) < 64:
        cosines = _cosines(rows, vector)
        order = np.argsort(-cosines, kind="stable")[:count]
        return ids[order], 1.0 - cosines[order]
    onnx_first()
    from usearch.index import search

    matches = search(rows, vector, min(count, len(rows)), "cos", exact=True, threads=1, dtype="i8")
    return ids[matches.keys], matches.distances


def _cosines(rows: Steps, vector: Steps) -> npt.NDArray[np.float32]:
    real, query = rows.astype(np.float32), vector.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", real, real)) * float(np.linalg.norm(query))
    found: npt.NDArray[np.float32] = (real @ query) / np.maximum(lengths, np.float32(1e-9))
    return found


def new_graph(dimensions: int) -> Any:
    """An empty HNSW graph."""
    onnx_first()
    from usearch.index import Index

    return Index(
        ndim=dimensions, metric="cos", dtype="i8", connectivity=CONNECTIVITY,
        expansion_add=EXPANSION, expansion_search=EXPANSION,
    )  # fmt: skip


def onnx_first() -> None:
    """Import onnxruntime, which crashes the process when it is loaded after usearch."""
    with contextlib.suppress(ImportError):
        importlib.import_module("onnxruntime")
