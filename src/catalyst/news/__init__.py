"""Headlines from wires to the stream. Read `desk.py` first: a headline's whole walk; `classify.py` judges them."""

from catalyst.news.classify import Classification, Classifier
from catalyst.news.settings import NewsSettings

__all__ = ["Classification", "Classifier", "NewsSettings"]
