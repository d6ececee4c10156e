"""all-MiniLM-L6-v2 as an ONNX graph, written from its weights with numpy and onnx.

The graph takes one text at a time (`ids`, 1 x T) and gives its unit vector (384). One text at a time keeps a vector a
function of its text alone: dynamic quantization scales by the whole batch. Architecture: BERT (Devlin et al. 2019),
6 layers, 12 heads, GELU; mean of the last layer, then L2, as sentence-transformers does.

A change here must raise `prepare.FORMAT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Weights = Mapping[str, npt.NDArray[np.float32]]

DIMENSIONS = 384
LAYERS = 6
HEADS = 12
EPSILON = 1e-12
STEPS = 63
"""Weights in 7 bits: with 8, processors without VNNI saturate in u8 x s8 products and give other vectors."""

ROW_STEPS = 127


class _Graph:
    """Grows node by node; each method names and returns its output."""

    def __init__(self, quantized: bool) -> None:
        self.quantized = quantized
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, outputs: int = 1, **attributes: Any) -> str:
        from onnx import helper

        names = [name] if outputs == 1 else [f"{name}.{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name=name, **attributes))
        return name

    def dense(self, source: str, name: str, weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> str:
        """`source @ weight.T + bias`; quantized: 8-bit activations scaled per call, 7-bit weights per column."""
        kernel = weight.T
        added = self.constant(f"{name}.bias", bias)
        if not self.quantized:
            product = self.node("MatMul", [source, self.constant(f"{name}.weight", kernel)], f"{name}.product")
            return self.node("Add", [product, added], f"{name}.out")
        scale = np.maximum(np.abs(kernel).max(axis=0), 1e-12) / STEPS
        steps = np.clip(np.rint(kernel / scale), -STEPS, STEPS).astype(np.int8)
        self.node("DynamicQuantizeLinear", [source], f"{name}.in", outputs=3)
        whole = self.node(
            "MatMulInteger",
            [f"{name}.in.0", self.constant(f"{name}.weight", steps), f"{name}.in.2",
             self.constant(f"{name}.zero", np.zeros((), np.int8))],
            f"{name}.whole",
        )  # fmt: skip
        real = self.node("Cast", [whole], f"{name}.real", to=1)
        scales = self.node(
            "Mul", [f"{name}.in.1", self.constant(f"{name}.scale", scale.astype(np.float32))], f"{name}.scales"
        )
        product = self.node("Mul", [real, scales], f"{name}.product")
        return self.node("Add", [product, added], f"{name}.out")

    def norm(self, source: str, name: str, weights: Weights, prefix: str) -> str:
        scale = self.constant(f"{name}.scale", weights[f"{prefix}.weight"])
        shift = self.constant(f"{name}.shift", weights[f"{prefix}.bias"])
        return self.node("LayerNormalization", [source, scale, shift], name, axis=-1, epsilon=EPSILON)

    def words(self, table: npt.NDArray[np.float32]) -> str:
        """Rows of the vocabulary; quantized: 8 bits and a scale for each row."""
        if not self.quantized:
            return self.node("Gather", [self.constant("words.table", table), "ids"], "words")
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / ROW_STEPS
        steps = np.clip(np.rint(table / scale), -ROW_STEPS, ROW_STEPS).astype(np.int8)
        rows = self.node("Gather", [self.constant("words.table", steps), "ids"], "words.rows")
        real = self.node("Cast", [rows], "words.real", to=1)
        scales = self.node("Gather", [self.constant("words.scale", scale.astype(np.float32)), "ids"], "words.scales")
        return self.node("Mul", [real, scales], "words")


def build(weights: Weights, *, quantized: bool) -> bytes:
    """The graph as ONNX bytes (opset 20)."""
    from onnx import TensorProto, helper

    graph = _Graph(quantized)
    hidden = _embedded(graph, weights)
    for number in range(LAYERS):
        hidden = _layer(graph, weights, number, hidden)
    graph.constant("axis.tokens", np.array([1], np.int64))
    mean = graph.node("ReduceMean", [hidden, "axis.tokens"], "mean", keepdims=0)
    graph.node("LpNormalization", [mean], "vector", axis=-1, p=2)
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "tokens"])
    vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, DIMENSIONS])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "minilm", [ids], [vector], graph.tensors),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=9,
    )
    found: bytes = model.SerializeToString(deterministic=True)
    return found


def _embedded(graph: _Graph, weights: Weights) -> str:
    words = graph.words(weights["embeddings.word_embeddings.weight"])
    # Every token is of type 0, so that row is part of each position.
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    graph.node("Shape", ["ids"], "length", start=1, end=2)
    graph.constant("zero", np.array([0], np.int64))
    near = graph.node("Slice", [graph.constant("places.table", places), "zero", "length", "zero"], "places")
    return graph.norm(graph.node("Add", [words, near], "embedded"), "embedded.norm", weights, "embeddings.LayerNorm")


def _layer(graph: _Graph, weights: Weights, number: int, hidden: str) -> str:
    name, prefix = f"layer{number}", f"encoder.layer.{number}"
    size = DIMENSIONS // HEADS
    parts = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
    graph.dense(
        hidden,
        f"{name}.qkv",
        np.concatenate([weights[f"{part}.weight"] for part in parts]),
        np.concatenate([weights[f"{part}.bias"] for part in parts]),
    )
    graph.constant(f"{name}.heads", np.array([1, -1, 3, HEADS, size], np.int64))
    apart = graph.node("Reshape", [f"{name}.qkv.out", f"{name}.heads"], f"{name}.apart")
    turned = graph.node("Transpose", [apart], f"{name}.turned", perm=[2, 0, 3, 1, 4])
    graph.node("Split", [turned], f"{name}.split", outputs=3, axis=0, num_outputs=3)
    graph.constant(f"{name}.first", np.array([0], np.int64))
    query, key, value = (
        graph.node("Squeeze", [f"{name}.split.{place}", f"{name}.first"], f"{name}.{part}")
        for place, part in enumerate(("q", "k", "v"))
    )
    across = graph.node("Transpose", [key], f"{name}.kt", perm=[0, 1, 3, 2])
    scores = graph.node("MatMul", [query, across], f"{name}.scores")
    scaled = graph.node(
        "Mul", [scores, graph.constant(f"{name}.root", np.array(size**-0.5, np.float32))], f"{name}.scaled"
    )
    mixed = graph.node("MatMul", [graph.node("Softmax", [scaled], f"{name}.share", axis=-1), value], f"{name}.mixed")
    side = graph.node("Transpose", [mixed], f"{name}.side", perm=[0, 2, 1, 3])
    graph.constant(f"{name}.flat", np.array([1, -1, DIMENSIONS], np.int64))
    joined = graph.node("Reshape", [side, f"{name}.flat"], f"{name}.joined")
    told = _dense_of(graph, weights, joined, f"{name}.told", f"{prefix}.attention.output.dense")
    attended = graph.node("Add", [told, hidden], f"{name}.attended")
    normed = graph.norm(attended, f"{name}.attended.norm", weights, f"{prefix}.attention.output.LayerNorm")
    wide = _dense_of(graph, weights, normed, f"{name}.wide", f"{prefix}.intermediate.dense")
    bent = graph.node("Gelu", [wide], f"{name}.bent")
    narrow = _dense_of(graph, weights, bent, f"{name}.narrow", f"{prefix}.output.dense")
    summed = graph.node("Add", [narrow, normed], f"{name}.summed")
    return graph.norm(summed, f"{name}.norm", weights, f"{prefix}.output.LayerNorm")


def _dense_of(graph: _Graph, weights: Weights, source: str, name: str, prefix: str) -> str:
    return graph.dense(source, name, weights[f"{prefix}.weight"], weights[f"{prefix}.bias"])
