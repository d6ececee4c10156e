"""The meaning side of the cache in one place: read a question, compare two, compare two answers, count the evidence.

    reader = Reader(Aliases.build(Companies.load()))
    asked = reader.read("What was Apple's revenue in Q3 2022?", today)
    compare(asked, kept).kind  # "serve", "verify" or "refuse"

Everything here is pure; the lexicons are data files in `lexicon/`. Their hash is `guard_version()`: answers kept under
another version are not compared.
"""

from catalyst.llm.cache.agreement import agree
from catalyst.llm.cache.guard import compare
from catalyst.llm.cache.lexicon import guard_version
from catalyst.llm.cache.question import Question, Slots, Verdict, VerdictKind
from catalyst.llm.cache.reader import Reader
from catalyst.llm.cache.trust import PROMISED_ERROR, Trust, false_hits

__all__ = [
    "PROMISED_ERROR",
    "Question",
    "Reader",
    "Slots",
    "Trust",
    "Verdict",
    "VerdictKind",
    "agree",
    "compare",
    "false_hits",
    "guard_version",
]
