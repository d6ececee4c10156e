"""Sentiment of short texts. `lexicon.py` judges sentences of filings by rules; `scorer.py` scores headlines."""

from catalyst.sentiment.lexicon import NEUTRAL_BELOW, TEXT_BYTES, Sentiment, label_of, score
from catalyst.sentiment.scorer import MIN_RELEVANCE, Score, Scorer, wanted

__all__ = [
    "MIN_RELEVANCE",
    "NEUTRAL_BELOW",
    "TEXT_BYTES",
    "Score",
    "Scorer",
    "Sentiment",
    "label_of",
    "score",
    "wanted",
]
