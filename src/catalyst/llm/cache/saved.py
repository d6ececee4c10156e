"""The vectors beside the store: written when a process ends or a graph is whole, taken back at the next start.

A note names one file for each graph and one for all other vectors, each with its checksum, which store and embedder
they belong to, and up to where in the store they go. Files come before the note that names them, so a crash leaves the
old note with its old files; any doubt about one of them means reading everything from the store.
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from catalyst.llm.cache.index import VectorIndex

NOTE = "index.json"
Owner = tuple[str, str]
"""Generation of the store and version of the embedder."""


def write(folder: Path, index: VectorIndex, owner: Owner, position: str) -> None:
    """Save the index, which holds all that the store had up to `position`. Raises OSError, RuntimeError."""
    folder.mkdir(parents=True, exist_ok=True)
    graphs = {bucket.hex(): _named(folder, "usearch") for bucket in index.graphs()}
    for bucket, graph in index.graphs().items():
        graph.save(str(graphs[bucket.hex()]))
    rows = _named(folder, "rows")
    sizes = {bucket.hex(): len(ids) for bucket, (ids, _) in index.rows().items()}
    with rows.open("wb") as file:
        for ids, vectors in index.rows().values():
            file.write(ids.tobytes() + vectors.tobytes())
    note = {
        "owner": list(owner),
        "position": position,
        "graphs": {bucket: (path.name, _checksum(path)) for bucket, path in graphs.items()},
        "rows": (rows.name, _checksum(rows)),
        "sizes": sizes,
    }
    part = folder / f"index.{uuid.uuid4().hex}.part"
    part.write_text(json.dumps(note))
    part.replace(folder / NOTE)
    named = {rows, *graphs.values()}
    for path in (*folder.glob("*.usearch"), *folder.glob("*.rows")):
        if path not in named:
            path.unlink(missing_ok=True)


def adopt(folder: Path, index: VectorIndex, owner: Owner) -> str:
    """Fill the empty `index` with what was saved and return up to where in the store it goes; empty for nothing."""
    try:
        note = json.loads((folder / NOTE).read_bytes())
        if tuple(note["owner"]) != owner:
            return ""
        for bucket, saved in note["graphs"].items():
            index.adopt(bytes.fromhex(bucket), _sound(folder, *saved))
        _adopt_rows(index, _sound(folder, *note["rows"]), note["sizes"])
        return str(note["position"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        index.clear()
        return ""


def _adopt_rows(index: VectorIndex, path: Path, sizes: Mapping[str, Any]) -> None:
    wide = index.dimensions
    data = np.fromfile(path, np.uint8)
    if len(data) != sum(sizes.values()) * (8 + wide):
        raise ValueError(f"{path}: not the size that its note says")
    at = 0
    for bucket, size in sizes.items():
        middle, end = at + 8 * size, at + (8 + wide) * size
        ids = data[at:middle].view(np.uint64).copy()
        index.adopt_rows(bytes.fromhex(bucket), ids, data[middle:end].view(np.int8).reshape(size, wide).copy())
        at = end


def _named(folder: Path, ending: str) -> Path:
    return folder / f"{uuid.uuid4().hex}.{ending}"


def _sound(folder: Path, name: str, checksum: int) -> Path:
    path = folder / Path(name).name
    if _checksum(path) != checksum:
        raise ValueError(f"{path}: not what its note says")
    return path


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            found = zlib.crc32(part, found)
    return found
