"""What compression saves and what it keeps, on press releases and 8-Ks.

`python -m bench.compress [--quick] [--data FOLDER]`;
FOLDER is laid out like shared/corpus/edgar (filings/). A token is one of `cl100k_base` where tiktoken and its table are
installed (litellm carries the table), else of our own counter; `settings` names which. A number counts as kept when its
digits stand in what is left, a name (two or more capitalised words of one line, headings in capitals aside) when it
does; both are distinct per document. Documents under 500 characters are left out. Times are CPU, best of three, of
documents over 10 kB. The peers compress the same documents to the same number of tokens, document by document.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.common import CORPUS, percentile, report, say
from bench.parse import form_of, wrapped
from catalyst.errors import ParseError
from catalyst.filings.forms import parse, read_submission
from catalyst.llm.compress import TOKENIZER, compress, count_tokens

SHORTEST = 500
TIMED = 10_000
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
NAME = re.compile(r"\b[A-Z][A-Za-z&'’-]+(?: [A-Z][A-Za-z&'’-]+)+\b")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“])|\n+")
NODES = 400
"""Most sentences that TextRank compares; it is quadratic."""

Count = Callable[[str], int]


def tokenizer() -> tuple[str, Count]:
    """cl100k_base without a download, or our own."""
    carried = importlib.util.find_spec("litellm")
    if carried and carried.origin and importlib.util.find_spec("tiktoken"):
        folder = Path(carried.origin).parent / "litellm_core_utils" / "tokenizers"
        if (folder / "9b5ad71b2ce5302211f9c61530b329a4922fc6a4").exists():
            os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
            import tiktoken

            encoding = tiktoken.get_encoding("cl100k_base")
            return "cl100k_base", lambda text: len(encoding.encode(text, disallowed_special=()))
    return TOKENIZER, count_tokens


def documents(folder: Path) -> dict[str, str]:
    """The text of every 8-K's main document, and of every press release beside or outside one."""
    found: dict[str, str] = {}
    paths = [path for kind in ("submission", "primary_html", "primary_text") for path in (folder / kind).glob("8-K*")]
    for path in sorted(paths) + sorted((folder / "exhibit_html").glob("EX-99*")):
        try:
            parsed = parse(read_submission(wrapped(path.read_bytes(), "8-K" if path.name[0] == "E" else form_of(path))))
        except ParseError:
            continue
        found[path.name] = parsed.text
        for number, exhibit in enumerate(parsed.exhibits):
            if exhibit.type.startswith("EX-99"):
                found[f"{path.name}#{exhibit.type}#{number}"] = exhibit.text
    return {name: text for name, text in found.items() if len(text) >= SHORTEST}


def facts(text: str) -> tuple[set[str], set[str]]:
    """The distinct numbers and names of a text."""
    named: set[str] = set()
    for line in text.split("\n"):
        named.update(" ".join(name.split()) for name in NAME.findall(" ".join(line.split())) if not name.isupper())
    return set(NUMBER.findall(text)), named


def kept(known: tuple[set[str], set[str]], text: str) -> tuple[float, float]:
    """Shares of the numbers and the names that are still there."""
    numbers, named = known
    left, flat = set(NUMBER.findall(text)), " ".join(text.split())
    return (
        len(numbers & left) / len(numbers) if numbers else 1.0,
        sum(name in flat for name in named) / len(named) if named else 1.0,
    )


def truncated(text: str, budget: int, count: Count) -> str:
    """The beginning, as far as the budget goes."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) <= budget else (low, middle - 1)
    return text[:low]


def textrank(text: str, budget: int, count: Count) -> str:
    """Mihalcea and Tarau's sentence ranking: shared words over lengths, PageRank, best sentences in their order."""
    import numpy as np

    sentences = [part.strip() for part in SENTENCE.split(text) if part.strip()][:NODES]
    words = [Counter(re.findall(r"\w+", sentence.lower())) for sentence in sentences]
    weights = np.zeros((len(sentences), len(sentences)))
    for one in range(len(sentences)):
        for other in range(one):
            shared = sum((words[one] & words[other]).values())
            length = np.log(len(words[one]) + 1) + np.log(len(words[other]) + 1)
            weights[one, other] = weights[other, one] = shared / length if length else 0.0
    sums = weights.sum(axis=0)
    weights = weights / np.where(sums > 0, sums, 1.0)
    rank = np.ones(len(sentences))
    for _ in range(30):
        rank = 0.15 + 0.85 * weights @ rank
    chosen: list[int] = []
    for place in np.argsort(-rank):
        size = count(sentences[place])
        if size <= budget:
            chosen.append(int(place))
            budget -= size
    return "\n".join(sentences[place] for place in sorted(chosen))


def cpu_ms(text: str) -> float:
    """The least CPU time of three, milliseconds."""
    times = []
    for _ in range(3):
        began = time.process_time()
        compress(text)
        times.append(time.process_time() - began)
    return min(times) * 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every fifth document")
    parser.add_argument("--data", type=Path, default=CORPUS / "edgar", help="a folder with filings/")
    options = parser.parse_args()
    name, count = tokenizer()
    texts = documents(options.data / "filings")
    texts = dict(list(texts.items())[:: 5 if options.quick else 1])
    say(f"{len(texts)} documents, tokens of {name}")
    rows: list[dict[str, float]] = []
    peers: dict[str, list[tuple[float, float]]] = {"truncation": [], "textrank": []}
    speeds: list[float] = []
    for number, text in enumerate(texts.values()):
        known, made, before = facts(text), compress(text), count(text)
        after = count(made.text)
        numbers, named = kept(known, made.text)
        rows.append(
            {"before": before, "after": after, "reduction": 1 - after / before, "numbers": numbers, "names": named}
        )
        if len(text) >= TIMED:
            speeds.append(cpu_ms(text) / len(text.encode()) * 100_000)
        if number % 4 == 0:  # the peers are slow: every fourth document is enough to compare
            budget = max(1, round(before * 0.6))
            peers["truncation"].append(kept(known, truncated(text, budget, count)))
            peers["textrank"].append(kept(known, textrank(text, budget, count)))
    report("compress", figures(rows, speeds), peers=compared(peers), settings={"data": options.data, "tokenizer": name})


def figures(rows: list[dict[str, float]], speeds: list[float]) -> dict[str, Any]:
    """Means over documents; `reduction_total` over all tokens."""
    mean = {key: statistics.fmean(row[key] for row in rows) for key in ("reduction", "numbers", "names")}
    return {
        "documents": len(rows),
        "reduction": round(mean["reduction"], 4),
        "reduction_total": round(1 - sum(row["after"] for row in rows) / sum(row["before"] for row in rows), 4),
        "numbers_kept": round(mean["numbers"], 4),
        "entities_kept": round(mean["names"], 4),
        "worst_numbers_kept": round(min(row["numbers"] for row in rows), 4),
        "p95_ms": percentile(speeds, 0.95),
        "p50_ms": percentile(speeds, 0.5),
    }


def compared(peers: dict[str, list[tuple[float, float]]]) -> dict[str, float]:
    """What the peers keep at 40 % fewer tokens."""
    return {
        f"{kind}_{what}": round(statistics.fmean(row[place] for row in rows), 4)
        for kind, rows in peers.items()
        for place, what in enumerate(("numbers_kept", "entities_kept"))
    }


if __name__ == "__main__":
    main()
