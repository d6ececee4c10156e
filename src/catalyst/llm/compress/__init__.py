"""Shorten long source text by leaving out what says least: boilerplate, repeats, then sentences with few facts.

What is kept is kept word for word, in its order, so that a quote from it stands in the source too. Read `choose.py`
first; `units.py` cuts a text into sentences and rows, `facts.py` says what a fact is.
"""

from catalyst.llm.compress.choose import Compressed, compress
from catalyst.llm.compress.documents import Shortened, shortened
from catalyst.llm.compress.facts import TOKENIZER, count_tokens

__all__ = ["TOKENIZER", "Compressed", "Shortened", "compress", "count_tokens", "shortened"]
