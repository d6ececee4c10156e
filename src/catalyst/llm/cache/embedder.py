"""Texts to unit vectors on this machine, in a thread of its own: all-MiniLM-L6-v2 in 8 bits on one core.

Nothing waits for it. Until it is ready `vector` answers None, and the cache goes on with exact and canonical text.
The first use on a machine prepares the graph in a process of its own (`prepare.py`), which takes some seconds.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from catalyst.errors import NotSupported, StorageError
from catalyst.llm.cache.prepare import Prepared, prepared, weights_folder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TOKENS = 256
"""The longest text that the model was made for; what is longer has no vector, for its head alone would."""

PREPARE_SECONDS = 300.0


class Embedder(Protocol):
    """Texts to vectors of unit length; `version` says whose vectors they may be compared with."""

    @property
    def version(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, text: str) -> npt.NDArray[np.float32] | None:
        """The vector, computed in this thread; None where the text is empty or too long."""
        ...


class MiniLM:
    """The prepared graph in an onnxruntime session. Made and used in a worker thread."""

    dimensions = 384

    def __init__(self, files: Prepared, *, threads: int = 1) -> None:
        runtime: Any = importlib.import_module("onnxruntime")
        from tokenizers import Tokenizer

        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        self._session = runtime.InferenceSession(str(files.graph), options, providers=["CPUExecutionProvider"])
        self._tokenizer: Any = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.version = files.version

    def embed(self, text: str) -> npt.NDArray[np.float32] | None:
        """See `Embedder`."""
        import numpy as np

        ids = self._tokenizer.encode(text).ids
        if not 2 < len(ids) <= TOKENS:
            return None
        found: npt.NDArray[np.float32] = self._session.run(None, {"ids": np.array([ids], np.int64)})[0][0]
        return found


def load(folder: Path) -> MiniLM:
    """The embedder, prepared in `folder` if need be. Blocks; raises NotSupported or StorageError."""
    source = weights_folder()
    for name in ("numpy", "onnxruntime", "tokenizers"):
        if importlib.util.find_spec(name) is None:
            raise NotSupported(f"questions match by text only: {name} is missing; pip install 'catalyst[semantic]'")
    files = prepared(folder, source)
    if files is None:
        command = [sys.executable, "-m", "catalyst.llm.cache.prepare", str(folder), str(source)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PREPARE_SECONDS)  # noqa: S603 (our own)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StorageError(f"the embedder was not prepared ({error}): see that {folder} can be written") from error
        files = prepared(folder, source)
        if files is None:
            why = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise StorageError(f"the embedder was not prepared: {why[0]}")
    return MiniLM(files)


class Worker:
    """One thread that owns what must not run in two: the embedder and the index."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="cache")

    async def run(self, work: Any, *arguments: Any) -> Any:
        """`work(*arguments)` in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
