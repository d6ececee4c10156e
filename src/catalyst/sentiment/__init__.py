"""Sentiment of short texts: a lexicon of our own with directions and negation. Read `lexicon.py` first."""

from catalyst.sentiment.lexicon import Sentiment, label_of, score

__all__ = ["Sentiment", "label_of", "score"]
