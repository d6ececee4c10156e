"""Train the shipped headline table: `python tools/train_sentiment.py --data …/twitter_fin.dev.jsonl`.

Trains on the one file that is given ({text, label} a line) and nothing else; docs/sentiment-data-card.md says which may
be. Prints 5-fold figures with everything retrained in each fold, then writes src/catalyst/sentiment/data/headlines.tsv.
scikit-learn is needed here only (requirements/bench.in).
"""

from __future__ import annotations

import argparse
import json
import math
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from itertools import product
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from catalyst.companies import shipped as known_companies
from catalyst.sentiment.scorer import Scorer, wanted
from catalyst.sentiment.signs import signs
from catalyst.sentiment.table import NAME, Pair, Table, dump

VERSION = "1"
LABELS = ("negative", "neutral", "positive")
WORDS = {"negative": "bearish", "neutral": "neutral", "positive": "bullish"}
MIN_ROWS = 3
"""A word or a pair of words in fewer rows is no feature."""
PAIR_SHARE = 0.5
"""Words count half as much as signs before the penalty: what is ours carries over to other sources, words less so."""
STRENGTH = 1.0
"""C of the logistic regression."""
OWN_WORDS = 4
"""Words of each kind that our own sentences use."""
OWN_PHRASES = 12
"""Phrases of each group that our own sentences use."""
PLAIN = 0.6
"""Groups of this weight say by themselves that something is good or bad."""
OWN_SHARE = 0.05
"""Weight of all our own sentences beside the training set's."""
SMALLEST = 0.02
"""Weights below this are left out."""
SHIFT = (0.60, 0.35)
"""Added to the log-odds of bearish and bullish: about a third of the way from the training set's shares to equal ones,
since other feeds are less neutral than this one."""

Row = dict[str, float]


def load(path: Path) -> tuple[list[str], list[str]]:
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
    return [str(row["text"]) for row in rows], [str(row["label"]) for row in rows]


def features(texts: Sequence[str]) -> list[Row]:
    """Everything `signs` finds, and after `=` words and pairs of words with a share of their weight."""
    made = [signs(text) for text in texts]
    return [one.counts | {"=" + word: PAIR_SHARE for word in one.words} for one in made]


def own_rows() -> tuple[list[Row], list[str]]:
    """Sentences that we make ourselves of moves, things and plain phrases, as signs without words.

    The training set shows some pairs seldom or never (a loss that narrows); what they mean is known all the same.
    """
    data = tomllib.loads((files("catalyst.sentiment") / "data" / "headlines.toml").read_text("utf-8"))
    rows, labels = [], []
    for kind in data["objects"].values():
        for name in ("up_strong", "up", "down_strong", "down"):
            label = "positive" if name.startswith("up") == kind["good"] else "negative"
            for thing, move in product(kind["words"][:OWN_WORDS], data["moves"][name][:OWN_WORDS]):
                for sentence in (f"company says {thing} {move}", f"company {move} {thing}"):
                    rows.append(dict(signs(sentence.replace("*", "s")).counts))
                    labels.append(label)
    for group in data["groups"].values():
        if abs(group["weight"]) >= PLAIN:
            for phrase in group["words"][:: max(1, len(group["words"]) // OWN_PHRASES)]:
                rows.append(dict(signs(f"company {phrase.replace('*', '')}").counts))
                labels.append("positive" if group["weight"] > 0 else "negative")
    return rows, labels


def train(told: Sequence[Row], said: Sequence[str]) -> Table:
    """The table that these rows and our own sentences make."""
    own, own_labels = own_rows()
    rows, labels = [*told, *own], [*said, *own_labels]
    shares = [1.0] * len(told) + [OWN_SHARE * len(told) / len(own)] * len(own)
    counts = Counter(name for row in rows for name in row)
    names = _company_words()
    kept = {name for name, count in counts.items() if count >= MIN_ROWS and not _names(name, names)}
    vectors = DictVectorizer()
    matrix = vectors.fit_transform([{name: row[name] for name in row if name in kept} for row in rows])
    model = LogisticRegression(C=STRENGTH, max_iter=1000).fit(
        matrix, [LABELS.index(label) for label in labels], sample_weight=shares
    )
    bad, neutral, good = model.coef_
    weights: dict[str, Pair] = {}
    for place, name in enumerate(vectors.get_feature_names_out()):
        share = PAIR_SHARE if name[0] == "=" else 1.0
        pair = (float(bad[place] - neutral[place]) * share, float(good[place] - neutral[place]) * share)
        if max(map(abs, pair)) >= SMALLEST:
            weights[str(name)] = pair
    first, second, third = model.intercept_
    bias = (float(first - second) + SHIFT[0], float(third - second) + SHIFT[1])
    words = {name[1:]: pair for name, pair in weights.items() if name[0] == "="}
    return Table(VERSION, "", bias, {name: pair for name, pair in weights.items() if name[0] != "="}, words)


def cross_validate(texts: Sequence[str], labels: Sequence[str]) -> dict[str, float]:
    """Figures over five folds; each fold's table, vocabulary included, comes from the other four."""
    rows = features(texts)
    said, passed = [""] * len(texts), [False] * len(texts)
    for learned, held in StratifiedKFold(5, shuffle=True, random_state=7).split(rows, labels):
        scorer = Scorer(train([rows[i] for i in learned], [labels[i] for i in learned]))
        for i in held:
            score = scorer.score(texts[i])
            said[i], passed[i] = score.label, wanted(score)
    return figures(labels, said, passed)


def figures(labels: Sequence[str], said: Sequence[str], passed: Sequence[bool]) -> dict[str, float]:
    """macro-F1, and what the pre-filter keeps."""

    def share(*kinds: str) -> float:
        kept = [done for label, done in zip(labels, passed, strict=True) if label in kinds]
        return sum(kept) / len(kept) if kept else math.nan

    return {
        "macro_f1": round(float(f1_score([WORDS[label] for label in labels], said, average="macro")), 4),
        "prefilter_recall": round(share("negative", "positive"), 4),
        "prefilter_passed": round(share(*LABELS), 4),
        "recall_gap": round(abs(share("positive") - share("negative")), 4),
    }


def _company_words() -> frozenset[str]:
    """First words of well-known companies' names: a name alone must sway nothing."""
    words = (re.split(r"\W", company.name.lower())[0] for company in known_companies())
    return frozenset(word for word in words if len(word) > 2)


def _names(feature: str, names: frozenset[str]) -> bool:
    return feature[0] == "=" and not names.isdisjoint(feature[1:].split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="twitter_fin rows: {text, label} a line")
    default = Path(__file__).parent.parent / "src/catalyst/sentiment/data" / NAME
    parser.add_argument("--out", type=Path, default=default, help="where the table goes")
    options = parser.parse_args()
    texts, labels = load(options.data)
    print(json.dumps({"cross_validation": cross_validate(texts, labels)}))
    table = train(features(texts), labels)
    count = len(table.signs) + len(table.words)
    notes = {
        "trained on": f"twitter-financial-news-sentiment (MIT), {len(texts)} rows",
        "features": str(count),
        "columns": "feature, log-odds of bearish over neutral, log-odds of bullish over neutral",
    }
    options.out.write_text(dump(table, notes), "utf-8")
    print(f"{options.out}: {count} features, {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
