"""Sentiment of short texts: a lexicon of our own with directions and negation. Read `lexicon.py` first."""

from catalyst.sentiment.lexicon import NEUTRAL_BELOW, TEXT_BYTES, Sentiment, label_of, score

__all__ = ["NEUTRAL_BELOW", "TEXT_BYTES", "Sentiment", "label_of", "score"]
