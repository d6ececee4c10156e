"""Does the cache serve the same question, and never another one's answer?

`python -m bench.cache [--pairs FILE…] [--stream FILE…] [--companies FILE] [--quick]`; a line of a pairs file is
{"a", "b", "label" (1: one answer serves both), "kind"}, one of a stream file {"question", "intent"}. Served means what
L0 to L2 would serve: equal text, equal canonical text, or a vector above the floor and the guard's proof. Beside it in
the same run: plain cosine at .95 and .80 over the same embedder, and an exact hash. `recall`, `false_hits` and
`negatives` are the sums over all pairs files, `hits_of_ideal` counts against a perfect cache (every repeated intent a
hit), `wrong_of_hits` is the largest of the streams; each file's own figures stand beside them as NAME_FIGURE. The blast
is of `bench/blast.py`: hits of all look-ups, headlines read strictly.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from bench.blast import blast
from bench.common import CORPUS, ROOT, percentile, report, say
from catalyst.companies import Companies, parse_listings
from catalyst.companies.aliases import Aliases
from catalyst.errors import CatalystError
from catalyst.llm.cache.meaning import Question, Reader, compare

TODAY = date(2026, 1, 15)
PROMPTS = CORPUS / "prompts"
PAIRS = (
    PROMPTS / "pairs_templated.jsonl",
    PROMPTS / "pairs_handwritten.jsonl",
    ROOT / "tests" / "data" / "cache_pairs.jsonl",
    ROOT / "tests" / "data" / "cache_rounds.jsonl",
)
STREAM = (PROMPTS / "stream.jsonl",)
LISTS = CORPUS / "edgar" / "metadata" / "company_tickers"
FLOOR, STRICT_FLOOR = 0.85, 0.90
CANDIDATES = 8


class Vectors:
    """Texts to unit vectors, each embedded once; none where the embedder is missing."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        try:
            from catalyst.llm.cache.embedder import load
            from catalyst.llm.cache.prepare import cache_folder

            self._model: Any = load(cache_folder(os.environ))
        except (CatalystError, ImportError) as error:
            say(f"no cosine peers, and no L2: {error}")
            self._model = None

    def __bool__(self) -> bool:
        return self._model is not None

    def of(self, text: str) -> Any:
        if text not in self._known:
            self._known[text] = self._model.embed(text) if self._model is not None else None
        return self._known[text]

    def cosine(self, a: str, b: str) -> float:
        left, right = self.of(a), self.of(b)
        return -1.0 if left is None or right is None else float(left @ right)


@dataclass(slots=True)
class Served:
    """Counts over a file of pairs."""

    hits: int = 0
    positives: int = 0
    false: int = 0
    negatives: int = 0
    wrong: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: dict[str, Any], served: bool) -> None:
        if row["label"]:
            self.positives += 1
            self.hits += served
            return
        self.negatives += 1
        self.false += served
        if served:
            self.wrong.append(row)

    @property
    def recall(self) -> float | None:
        return round(self.hits / self.positives, 4) if self.positives else None


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def serves(asked: Question, kept: Question, vectors: Vectors, floor: float = FLOOR) -> bool:
    """What L0 to L2 would do with two questions in one scope."""
    if asked.text == kept.text:
        return True
    if asked.bypass or kept.bypass:
        return False
    if asked.canonical == kept.canonical:
        return True
    return compare(asked, kept).kind == "serve" and vectors.cosine(asked.spoken, kept.spoken) >= floor


def pairs(path: Path, read: Callable[[str], Question], vectors: Vectors) -> tuple[Served, dict[str, Served]]:
    """Ours and the peers' over one file."""
    ours, peers = Served(), {name: Served() for name in ("exact", *(("cosine_95", "cosine_80") if vectors else ()))}
    for row in rows(path):
        ours.add(row, serves(read(row["a"]), read(row["b"]), vectors))
        for name, peer in peers.items():
            peer.add(
                row,
                row["a"] == row["b"] if name == "exact" else vectors.cosine(row["a"], row["b"]) >= int(name[-2:]) / 100,
            )
    return ours, peers


class Nearest:
    """Kept texts and their vectors, for a peer or for L2."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._matrix: Any = None
        self._count = 0
        self.values: list[Any] = []

    def add(self, text: str, value: Any) -> None:
        vector = self._vectors.of(text)
        if vector is None:
            return
        import numpy as np

        if self._matrix is None:
            self._matrix = np.zeros((16, len(vector)), dtype=np.float32)
        if self._count == len(self._matrix):
            self._matrix = np.concatenate([self._matrix, np.zeros_like(self._matrix)])
        self._matrix[self._count] = vector
        self._count += 1
        self.values.append(value)

    def near(self, text: str, floor: float, count: int = CANDIDATES) -> list[Any]:
        vector = self._vectors.of(text)
        if vector is None or not self._count:
            return []
        scores = self._matrix[: self._count] @ vector
        best = scores.argsort()[::-1][:count]
        return [self.values[i] for i in best if scores[i] >= floor]


@dataclass(slots=True)
class Hits:
    """Counts over a stream."""

    asked: int = 0
    ideal: int = 0
    hits: int = 0
    wrong: int = 0

    def figures(self) -> dict[str, float | None]:
        return {
            "hits_of_ideal": round(self.hits / self.ideal, 4) if self.ideal else None,
            "wrong_of_hits": round(self.wrong / self.hits, 5) if self.hits else None,
            "hits_of_all": round(self.hits / self.asked, 4) if self.asked else None,
        }


def ladder(questions: Iterable[tuple[Question, Any]], vectors: Vectors, floor: float) -> Hits:
    """L0 to L2 over a stream of (question, what it means)."""
    counts, seen, near = Hits(), set(), Nearest(vectors)
    exact: dict[str, Any] = {}
    canonical: dict[str, Any] = {}
    for question, intent in questions:
        counts.asked += 1
        counts.ideal += intent in seen
        seen.add(intent)
        got = exact.get(question.text)
        if got is None and not question.bypass:
            got = canonical.get(question.canonical)
            if got is None:
                kept = (
                    pair for pair in near.near(question.spoken, floor) if compare(question, pair[0]).kind == "serve"
                )
                got = next((meant for _, meant in kept), None)
        if got is not None:
            counts.hits += 1
            counts.wrong += got != intent
            continue
        exact[question.text] = intent
        if not question.bypass:
            canonical[question.canonical] = intent
            near.add(question.spoken, (question, intent))
    return counts


def peer_stream(items: Sequence[tuple[str, Any]], vectors: Vectors, floor: float | None) -> Hits:
    """An exact hash, or plain cosine over a threshold."""
    counts, seen, near = Hits(), set(), Nearest(vectors)
    exact: dict[str, Any] = {}
    for text, intent in items:
        counts.asked += 1
        counts.ideal += intent in seen
        seen.add(intent)
        got = exact.get(text)
        if got is None and floor is not None:
            got = next(iter(near.near(text, floor, 1)), None)
        if got is not None:
            counts.hits += 1
            counts.wrong += got != intent
            continue
        exact[text] = intent
        if floor is not None:
            near.add(text, intent)
    return counts


def reader(lists: Path | None) -> Reader:
    """A reader as the product has one: the shipped companies under the SEC's list where there is one."""
    companies = Companies.load()
    for path in (
        sorted(lists.glob("*.json")) if lists and lists.is_dir() else [lists] if lists and lists.exists() else []
    ):
        companies.merge(parse_listings(path.read_bytes()))
    return Reader(Aliases.build(companies))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, nargs="*", default=list(PAIRS), help="files of pairs")
    parser.add_argument("--stream", type=Path, nargs="*", default=list(STREAM), help="files of questions")
    parser.add_argument("--companies", type=Path, default=LISTS, help="the SEC's list, a file or a folder of them")
    parser.add_argument("--seed", type=int, default=1, help="of the blast")
    parser.add_argument("--show", action="store_true", help="tell each false hit on stderr")
    parser.add_argument("--quick", action="store_true", help="the first 500 questions of a stream")
    options = parser.parse_args()
    reading, vectors = reader(options.companies), Vectors()
    figures: dict[str, Any] = {}
    peers: dict[str, Any] = {}
    total = Served()
    peer_totals: dict[str, Counter[str]] = {}
    for path in filter(Path.exists, options.pairs):
        say(f"pairs {path}")
        ours, others = pairs(path, lambda text: reading.read(text, TODAY), vectors)
        figures |= {
            f"{path.stem}_recall": ours.recall,
            f"{path.stem}_false_hits": ours.false,
            f"{path.stem}_negatives": ours.negatives,
        }
        total = Served(
            total.hits + ours.hits,
            total.positives + ours.positives,
            total.false + ours.false,
            total.negatives + ours.negatives,
        )
        for row in ours.wrong if options.show else []:
            say(f"  served: {row['a']!r} for {row['b']!r}")
        for name, peer in others.items():
            peers |= {f"{name}_{path.stem}_recall": peer.recall, f"{name}_{path.stem}_false_hits": peer.false}
            peer_totals.setdefault(name, Counter()).update(hits=peer.hits, positives=peer.positives, false=peer.false)
    figures |= {"recall": total.recall, "false_hits": total.false, "negatives": total.negatives}
    for path in filter(Path.exists, options.stream):
        say(f"stream {path}")
        items = [(row["question"], row["intent"]) for row in rows(path)][: 500 if options.quick else None]
        took: list[float] = []
        found = ladder(_read_timed(items, reading, took), vectors, FLOOR).figures()
        figures |= {f"{path.stem}_{name}": value for name, value in found.items()}
        figures["hits_of_ideal"] = min(found["hits_of_ideal"] or 0.0, figures.get("hits_of_ideal", 1.0))
        figures["wrong_of_hits"] = max(found["wrong_of_hits"] or 0.0, figures.get("wrong_of_hits", 0.0))
        figures |= {"read_cpu_p50_ms": percentile(took, 0.5), "read_cpu_p99_ms": percentile(took, 0.99)}
        for name, floor in (("exact", None), *((("cosine_95", 0.95), ("cosine_80", 0.80)) if vectors else ())):
            counted = peer_stream(items, vectors, floor).figures()
            peers |= {f"{name}_{path.stem}_{figure}": value for figure, value in counted.items()}
    told = ladder(
        ((reading.headline(copy.text, TODAY), copy.story) for copy in blast(options.seed)), vectors, STRICT_FLOOR
    )
    figures |= {
        "blast_hits": told.figures()["hits_of_all"],
        "blast_hits_of_ideal": told.figures()["hits_of_ideal"],
        "blast_wrong": told.wrong,
    }
    report(
        "cache",
        figures,
        peers=peers,
        settings={
            "floor": FLOOR,
            "strict_floor": STRICT_FLOOR,
            "today": TODAY,
            "pairs": options.pairs,
            "stream": options.stream,
        },
    )


def _read_timed(items: Sequence[tuple[str, Any]], reading: Reader, took: list[float]) -> Iterable[tuple[Question, Any]]:
    for text, intent in items:
        start = time.thread_time()
        question = reading.read(text, TODAY)
        took.append((time.thread_time() - start) * 1000)
        yield question, intent


if __name__ == "__main__":
    main()
