"""How well headlines are read, and how fast: `python -m bench.sentiment [--quick] [--data FILE…]`.

Each set is {text, label} a line. Twitter's is the one the shipped table was trained on: its figures are 5-fold, the
table retrained in each fold. Every other set is scored by the shipped table as it is; nothing was trained or tuned on
them. Peer: VADER alone, in the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.common import CORPUS, percentile, report, say
from catalyst.sentiment import Scorer, wanted

# The trainer is a script and no part of the package; its folds and figures are the ones that are reported.
trainer: Any = import_module("tools.train_sentiment")

TRAINED_ON = "twitter_fin"
SETS = ("twitter_fin", "sentfin_single", "phrasebank_allagree", "semeval2017_headlines", "gold_commodity", "fiqa_posts")
VADER_NEUTRAL = 0.05
"""VADER's own threshold: github.com/cjhutto/vaderSentiment, "About the Scoring"."""


def shipped(texts: Sequence[str], labels: Sequence[str]) -> dict[str, float]:
    """The shipped table's figures."""
    scorer = Scorer()
    scores = [scorer.score(text) for text in texts]
    return dict(trainer.figures(labels, [score.label for score in scores], [wanted(score) for score in scores]))


def vader(texts: Sequence[str], labels: Sequence[str]) -> dict[str, float]:
    """VADER by its own rules and thresholds, and the signed pre-filter `compound >= .20`."""
    analyzer = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    values = [analyzer.polarity_scores(text[:2048])["compound"] for text in texts]
    said = ["bullish" if v >= VADER_NEUTRAL else "bearish" if v <= -VADER_NEUTRAL else "neutral" for v in values]
    return dict(trainer.figures(labels, said, [value >= 0.20 for value in values]))


def speed(texts: Sequence[str]) -> dict[str, float | None]:
    """Microseconds of one thread's time an item, the best of three; and what a megabyte costs beside 2 kB.

    The best of three, since other processes' use of the same core and cache is no cost of ours; `p99_once_us` is the
    first of them, with everything that the machine did meanwhile.
    """
    scorer = Scorer()
    runs = [[_took(lambda text=text: scorer.score(text)) for text in texts] for _ in range(3)]  # type: ignore[misc]
    taken = list(map(min, *runs))
    filler = "revenue rises but profit falls 3% "
    short, long = (filler * 100)[:2048], (filler * 40_000)[: 1 << 20]
    small = min(_took(lambda: scorer.score(short)) for _ in range(50))
    large = min(_took(lambda: scorer.score(long)) for _ in range(50))
    return {
        "p50_us": percentile(taken, 0.50),
        "p99_us": percentile(taken, 0.99),
        "p99_once_us": percentile(runs[0], 0.99),
        "cost_2kb_us": round(small, 1),
        "cost_1mb_us": round(large, 1),
    }


def _took(work: Callable[[], Any]) -> float:
    start = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - start) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every fourth row of what the table was not trained on")
    parser.add_argument("--data", type=Path, nargs="*", help="files of {text, label} rows in place of the corpus's")
    parser.add_argument("--trained-on", default=TRAINED_ON, help="a set whose name begins so is cross-validated")
    options = parser.parse_args()
    paths = options.data or [CORPUS / "sentiment" / f"{name}.dev.jsonl" for name in SETS]
    found: dict[str, dict[str, float]] = {}
    peers: dict[str, dict[str, float]] = {}
    everything: list[str] = []
    for path in paths:
        name = path.name.partition(".")[0]
        texts, labels = trainer.load(path)
        crossed = name.startswith(options.trained_on)
        if options.quick and not crossed:
            texts, labels = texts[::4], labels[::4]
        say(f"{name}: {len(texts)} rows")
        found[name] = trainer.cross_validate(texts, labels) if crossed else shipped(texts, labels)
        peers[name] = vader(texts, labels)
        everything += texts
    fitted = {key: {name: row[key] for name, row in found.items()} for key in next(iter(found.values()))}
    by_vader = {f"vader_{key}": {name: row[key] for name, row in peers.items()} for key in fitted}
    report(
        "sentiment",
        {**fitted, **speed(everything[::3])},
        peers=by_vader,
        settings={"sets": [str(path) for path in paths], "quick": options.quick, "table": Scorer().table.version},
    )


if __name__ == "__main__":
    main()
