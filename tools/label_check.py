"""Check a file of hand-labelled earnings facts: its shape, and that every span of text holds the value it is said to.

    PYTHONPATH=src python tools/label_check.py [FILE] [--corpus FOLDER]

FOLDER is laid out like shared/corpus/edgar. Ends with 1 when anything is wrong, and says what.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from catalyst.filings.forms import document_text, read_submission

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("CATALYST_CORPUS", ROOT.parent / "shared" / "corpus"))
NAMES = frozenset(
    [
        "revenue",
        "net_income",
        "eps_basic",
        "eps_diluted",
        "operating_income",
        "ebitda_adjusted",
        "cash",
        "dividend_per_share",
        "guidance_revenue_low",
        "guidance_revenue_high",
        "guidance_eps_low",
        "guidance_eps_high",
    ]
)
SCOPES, BASES = ("current", "prior"), ("gaap", "non_gaap")
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
_MARGIN = re.compile(r"plus or minus (\d+(?:\.\d+)?)\s?%")
_POWERS = (0, 3, 6, 9)


def exhibit_text(label: dict[str, Any], corpus: Path) -> str:
    """The labelled exhibit as plain text. `document` names it among a submission's exhibits of one type."""
    body = (corpus / label["file"]).read_bytes()
    if "/submission/" not in label["file"]:
        return document_text(body)
    for document in read_submission(body).documents:
        if document.type == label["exhibit"] and document.filename == label.get("document", document.filename):
            return document_text(document.body)
    raise LookupError(f"{label['file']} has no {label['exhibit']}: correct `exhibit` or `document`")


def faults(label: dict[str, Any], corpus: Path) -> Iterator[str]:
    """What is wrong with one labelled exhibit, in words."""
    missing = {"file", "accession", "exhibit", "company", "period_end", "period_type", "facts"} - set(label)
    if missing:
        yield f"lacks {', '.join(sorted(missing))}"
        return
    text = exhibit_text(label, corpus)
    for fact in label["facts"]:
        problem = _shape(fact) or _span(fact, text)
        if problem:
            yield f"{fact.get('name')} {fact.get('scope')} {fact.get('value')}: {problem}"


def _shape(fact: dict[str, Any]) -> str:
    if fact.get("name") not in NAMES:
        return "unknown name"
    if fact.get("scope") not in SCOPES or fact.get("basis") not in BASES:
        return "unknown scope or basis"
    try:
        Decimal(fact["value"])
    except (InvalidOperation, KeyError, TypeError):
        return "the value is no decimal in a string"
    return ""


def _span(fact: dict[str, Any], text: str) -> str:
    """Whether the digits at the span are the value's, by some power of ten, or by a margin in per cent."""
    if "quote" in fact:
        return "" if fact["quote"] in text else "the quote is not in the text"
    start, end = fact["span"]
    shown = text[start:end]
    found = _DIGITS.search(shown)
    if not found:
        return f"no number at {start}..{end}"
    number, value = Decimal(found.group().replace(",", "")), abs(Decimal(fact["value"]))
    margin = _MARGIN.search(shown)
    factors = [1 + sign * Decimal(margin[1]) / 100 for sign in (-1, 1)] if margin else [Decimal(1)]
    if any((number * factor).scaleb(power) == value for factor in factors for power in _POWERS):
        return ""
    return f"{shown!r} is there"


def main() -> int:
    options = argparse.ArgumentParser(prog="label_check", description=__doc__)
    options.add_argument("file", nargs="?", type=Path, default=ROOT / "tests" / "data" / "earnings_gold.jsonl")
    options.add_argument("--corpus", type=Path, default=CORPUS / "edgar")
    chosen = options.parse_args()
    labels = [json.loads(line) for line in chosen.file.read_text("utf-8").splitlines() if line.strip()]
    wrong = 0
    for label in labels:
        for fault in faults(label, chosen.corpus):
            wrong += 1
            print(f"{label.get('file')}: {fault}", file=sys.stderr)
    print(f"{len(labels)} exhibits, {sum(len(label['facts']) for label in labels)} facts, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
