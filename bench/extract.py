"""Figures of earnings releases against hand labels; XBRL facts; planted errors through the grounding.

`python -m bench.extract [--quick] [--gold FILE] [--data FOLDER]`; FILE is laid out like tests/data/earnings_gold.jsonl,
FOLDER like shared/corpus/edgar. Precision and recall count (name, basis, scope, value), exactly. The labels are split
in two by a hash of the company, so that no company is in both. The extractor was written against the first half alone:
the second then gave precision .969 and recall .846; its classes of error were mended afterwards, so neither is unseen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.common import CORPUS, ROOT, percentile, report, say
from bench.parse import best_ms
from bench.planted import KINDS, Case, planted, true_case
from catalyst.errors import ParseError
from catalyst.filings.forms import document_text, earnings, parse, read_submission
from catalyst.filings.forms.xbrl import CONCEPTS
from catalyst.filings.ground import ground
from catalyst.filings.types import Exhibit, Parsed
from catalyst.stream.types import Analysis, Fact

GOLD = ROOT / "tests" / "data" / "earnings_gold.jsonl"
HALVES = ("first", "second")
Key = tuple[str, str, str]
_PLAIN = {
    "eps_adjusted": "eps_diluted",
    "eps_basic_adjusted": "eps_basic",
    "net_income_adjusted": "net_income",
    "operating_income_adjusted": "operating_income",
}
_XBRL = ("revenue", "net_income", "eps_basic", "eps_diluted")


@dataclass(frozen=True, slots=True)
class Release:
    """One labelled release: its text, its labels, and what was found."""

    label: dict[str, Any]
    text: str
    found: tuple[Fact, ...]

    @property
    def half(self) -> str:
        digest = hashlib.sha256(self.label["company"].encode()).hexdigest()
        return HALVES[int(digest, 16) % 2]


def exhibit_text(label: dict[str, Any], folder: Path) -> str:
    """The labelled exhibit as plain text."""
    body = (folder / label["file"]).read_bytes()
    try:
        documents = read_submission(body).documents if "/submission/" in label["file"] else ()
    except ParseError:
        documents = ()
    for document in documents:
        if document.type == label["exhibit"] and document.filename == label.get("document", document.filename):
            return document_text(document.body)
    return document_text(body)


def releases(gold: Path, folder: Path) -> list[Release]:
    labels = [json.loads(line) for line in gold.read_text("utf-8").splitlines() if line.strip()]
    texts = [(label, exhibit_text(label, folder)) for label in labels]
    return [Release(label, text, earnings(text)) for label, text in texts]


def key_of(fact: Fact) -> Key:
    """(name, basis, scope) as labels have them."""
    name = fact.name.replace("_adjusted", "") if fact.name.startswith("guidance") else _PLAIN.get(fact.name, fact.name)
    adjusted = "_adjusted" in fact.name
    return name, "non_gaap" if adjusted else "gaap", fact.scope


def labelled(label: dict[str, Any]) -> dict[Key, list[set[Decimal]]]:
    """The right values by key; `also` are values that are right under another reading."""
    gold: dict[Key, list[set[Decimal]]] = defaultdict(list)
    for item in label["facts"]:
        scope = "guidance" if item["name"].startswith("guidance") else item["scope"]
        gold[item["name"], item["basis"], scope].append({Decimal(item["value"]), *map(Decimal, item.get("also", ()))})
    return gold


def counts(release: Release) -> Iterator[tuple[str, str, str]]:
    """(name, basis, right|wrong|missed) for each fact of a release, found or labelled."""
    gold = labelled(release.label)
    found: dict[Key, list[Decimal]] = defaultdict(list)
    for fact in release.found:
        key = key_of(fact)
        value = fact.value if isinstance(fact.value, Decimal) else Decimal(0)
        found[key].append(value)
        right = any(value in values for values in gold.get(key, ()))
        if not right:
            say(f"wrong: {release.label['company']} {release.label['period_end']} {key} {value}: {fact.quote[:90]}")
        yield key[0], key[1], "right" if right else "wrong"
    for key, rights in gold.items():
        for values in rights:
            if not values & set(found[key]):
                yield key[0], key[1], "missed"


def scored(tally: Counter[str]) -> dict[str, float | None]:
    right, wrong, missed = tally["right"], tally["wrong"], tally["missed"]
    return {
        "precision": round(right / (right + wrong), 4) if right + wrong else None,
        "recall": round(right / (right + missed), 4) if right + missed else None,
    }


def accuracy(read: Sequence[Release]) -> dict[str, Any]:
    """Precision and recall in all, by half, and by name."""
    total: Counter[str] = Counter()
    halves: dict[str, Counter[str]] = defaultdict(Counter)
    names: dict[str, Counter[str]] = defaultdict(Counter)
    for release in read:
        for name, basis, outcome in counts(release):
            total[outcome] += 1
            halves[release.half][outcome] += 1
            names[f"{name} {basis}"][outcome] += 1
    for name, tally in sorted(names.items()):
        say(f"{name}: {dict(tally)}")
    figures: dict[str, Any] = {**scored(total), "facts": total["right"] + total["missed"], "releases": len(read)}
    for half in HALVES:
        figures |= {f"{name}_{half}": value for name, value in scored(halves[half]).items()}
    return figures


def xbrl_accuracy(folder: Path) -> dict[str, Any]:
    """Revenue, net income and EPS of tagged reports against another reader's facts."""
    right = total = 0
    for line in (folder / "labels.jsonl").read_text("utf-8").splitlines():
        label = json.loads(line)
        if not label["form"].startswith("10-") or not (label.get("xbrl") or {}).get("facts"):
            continue
        tagged = [name for name in label["files"] if name.split("/")[1] in ("ixbrl_html", "xbrl_instance")]
        path = folder / (tagged or label["files"])[0]
        facts = parse(read_submission(path.read_bytes(), label["form"]), label["form"]).facts
        found = {(fact.name, fact.value) for fact in facts}
        for item in label["xbrl"]["facts"]:
            name = next((name for name in _XBRL if item["concept"] in CONCEPTS[name][:1]), None)
            if name and item["end"] == label["xbrl"]["period_end"]:
                total += 1
                right += (name, Decimal(str(item["value"]))) in found
    return {"xbrl_accuracy": round(right / total, 4) if total else None, "xbrl_facts": total}


def grounding(read: Sequence[Release], cases: int, with_facts: bool) -> dict[str, Any]:
    """Share of planted errors flagged, in all and by kind; share of true facts flagged. Seeded."""
    flagged: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for number in range(cases):
        release = read[number % len(read)]
        parsed = _parsed(release, with_facts)
        case = true_case(release.label, release.text, release.found, seed=number)
        kind = KINDS[number % len(KINDS)]
        wrong = planted(case, kind, seed=number)
        for fact in _ungrounded(case, parsed):
            say(f"false alarm: {release.label['company']} {fact.name} {fact.value} {fact.scope}: {fact.quote[:80]}")
            flagged["true"] += 1
        tried["true"] += len(case.facts)
        if wrong is None:
            continue
        tried[kind] += 1
        if _ungrounded(Case((wrong,)), parsed):
            flagged[kind] += 1
        else:
            shown = f"{wrong.name} {wrong.value} {wrong.scope}: {wrong.quote[:80]}"
            say(f"not flagged: {kind}: {release.label['company']} {shown}")
    return _shares(flagged, tried, "" if with_facts else "_text_only")


def _parsed(release: Release, with_facts: bool) -> Parsed:
    facts = release.found if with_facts else ()
    return Parsed("", "8-K", "eight_k", "", exhibits=(Exhibit("EX-99.1", "", release.text),), facts=facts)


def _ungrounded(case: Case, parsed: Parsed) -> list[Fact]:
    grounded = ground(Analysis(facts=list(case.facts)), parsed)
    return [fact for fact in grounded.facts if not fact.verified]


def _shares(flagged: Counter[str], tried: Counter[str], suffix: str) -> dict[str, Any]:
    number, caught = sum(tried[kind] for kind in KINDS), sum(flagged[kind] for kind in KINDS)
    figures = {
        f"planted_flagged{suffix}": round(caught / number, 4) if number else None,
        f"false_alarms{suffix}": round(flagged["true"] / tried["true"], 4) if tried["true"] else None,
        f"planted{suffix}": number,
    }
    by_kind = {kind: round(flagged[kind] / tried[kind], 4) for kind in KINDS if tried[kind]}
    return figures | {f"flagged_{kind}{suffix}": share for kind, share in by_kind.items()}


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.extract", description=__doc__)
    options.add_argument("--gold", type=Path, default=GOLD, help="labels, one JSON line per exhibit")
    options.add_argument("--data", type=Path, default=CORPUS / "edgar", help="a folder laid out like corpus/edgar")
    options.add_argument("--cases", type=int, default=500, help="analyses to plant an error in")
    options.add_argument("--quick", action="store_true", help="a fifth of the releases and of the cases")
    chosen = options.parse_args()
    read = releases(chosen.gold, chosen.data)
    read = read[::5] if chosen.quick else read
    if not read:
        sys.exit(f"bench.extract: no labels in {chosen.gold}")
    times = [best_ms(lambda text=release.text: earnings(text), 3) for release in read]  # type: ignore[misc]
    cases = chosen.cases // 5 if chosen.quick else chosen.cases
    figures = {
        **accuracy(read),
        **xbrl_accuracy(chosen.data),
        **grounding(read, cases, with_facts=True),
        **grounding(read, cases, with_facts=False),
        "p50_ms": percentile(times, 0.5),
        "p95_ms": percentile(times, 0.95),
    }
    report("extract", figures, settings=vars(chosen))


if __name__ == "__main__":
    main()
