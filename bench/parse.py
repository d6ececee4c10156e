"""Parsing speed and truth: ms per form, 8-K items from the body alone, EX-99 text found, failures.

`python -m bench.parse [--quick] [--data FOLDER]`; FOLDER is laid out like shared/corpus/edgar (filings/, labels.jsonl).
Documents without a submission are wrapped in one, so that every time is from a submission's bytes to all fields.
edgartools is compared where it is importable; without it the ratios are null. It does the same part of the work:
header, main document and press releases as text (`ratio_edgartools_*`); `ratio_edgartools_main_8k` lets it leave out
the press releases, which we read figures from.

Items are labelled by the submission's header, which is wrong at times: EDGAR left Item 12 blank there in 2003 and 2004.
`item_f1_body_read` takes the item codes that stand in the document instead, where a person has read it (READ).
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.common import CORPUS, ROOT, percentile, report, say
from catalyst.errors import ParseError
from catalyst.filings.forms import parse, read_submission
from catalyst.filings.types import Parsed

READ = ROOT / "tests" / "data" / "items_read.json"
"""accession -> the item codes in the document, read by hand wherever the body's reading and the header differed."""
SPEEDS = {"8-K": "8k", "10-Q": "10q", "10-K": "10k"}
KINDS = ("submission", "primary_html", "primary_text", "ixbrl_html")


def form_of(path: Path) -> str:
    """`10-Q_A__0000320193-97-000021.txt` -> `10-Q/A`."""
    return path.name.partition("__")[0].replace("_A", "/A").replace("_", " ")


def wrapped(data: bytes, form: str) -> bytes:
    """A bare document as a submission."""
    if re.search(rb"<(?:SEC-DOCUMENT|SEC-HEADER|SUBMISSION|IMS-HEADER)>|PRIVACY-ENHANCED", data[:2_000]):
        return data
    head = (
        f"<SEC-HEADER>\nACCESSION NUMBER:\t\t0000000000-25-000001\nCONFORMED SUBMISSION TYPE:\t{form}\n</SEC-HEADER>\n"
    )
    if re.match(rb"\s*<DOCUMENT>", data):
        return head.encode() + data
    opened = f"<DOCUMENT>\n<TYPE>{form}\n<SEQUENCE>1\n<FILENAME>main.htm\n<TEXT>\n"
    return (head + opened).encode() + data + b"\n</TEXT>\n</DOCUMENT>\n</SEC-DOCUMENT>\n"


def best_ms(work: Callable[[], object], rounds: int) -> float:
    """The fastest of some rounds, in milliseconds of CPU time: neighbours on the machine don't count."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times) * 1_000


def speeds(folder: Path, rounds: int, quick: bool) -> tuple[dict[str, list[float]], dict[str, list[tuple[bytes, str]]]]:
    """Our times per family and per the forms with a goal, and the bytes of the latter for the peers."""
    times: dict[str, list[float]] = defaultdict(list)
    inputs: dict[str, list[tuple[bytes, str]]] = defaultdict(list)
    paths = sorted(path for kind in KINDS for path in (folder / "filings" / kind).glob("*"))
    for path in paths[:: 5 if quick else 1]:
        form = form_of(path)
        data = wrapped(path.read_bytes(), form)
        try:
            parsed = parse(read_submission(data))
        except ParseError:
            continue
        took = best_ms(lambda data=data: parse(read_submission(data)), rounds)  # type: ignore[misc]
        times[parsed.family].append(took)
        name = form.removesuffix("/A")
        if name in SPEEDS:
            times[name].append(took)
            inputs[name].append((data, form))
    return times, inputs


def failures(folder: Path) -> tuple[int, int]:
    """Files read, and files that broke a parser: neither a result nor a typed error."""
    read = broken = 0
    for path in sorted(path for path in (folder / "filings").rglob("*") if path.is_file()):
        read += 1
        try:
            parse(read_submission(path.read_bytes()))
        except ParseError as error:
            say(f"typed error: {path.name}: {error}")
        except Exception as error:  # noqa: BLE001 (this is what is counted)
            broken += 1
            say(f"FAILED: {path.name}: {type(error).__name__}: {error}")
    return read, broken


def items(folder: Path) -> dict[str, list[int]]:
    """Right, extra and missed item codes by the labels' source, and of all with the hand-read ones ("read")."""
    read = json.loads(READ.read_text("utf-8"))
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for line in (folder / "labels.jsonl").read_text().splitlines():
        label = json.loads(line)
        named = [name for name in label["files"] if name.split("/")[1] in KINDS]
        if not label.get("items_source") or not label["form"].startswith("8-K") or not named:
            continue
        found = {item.code for item in _parsed(folder / named[0], label["form"]).items}
        gold = set(label["items"])
        truth = set(read.get(label["accession"], gold))
        for source, right in ((label["items_source"], gold), ("read", truth)):
            for place, codes in enumerate((found & right, found - right, right - found)):
                counts[source][place] += len(codes)
        if found != gold:
            extra, missed = sorted(found - gold), sorted(gold - found)
            say(f"items differ ({label['items_source']}): {named[0]}: extra {extra}, missed {missed}")
    return counts


def _parsed(path: Path, form: str) -> Parsed:
    return parse(read_submission(path.read_bytes(), form), form)


def f1(right: int, extra: int, missed: int) -> float | None:
    return round(2 * right / (2 * right + extra + missed), 4) if right + extra + missed else None


def releases(folder: Path) -> tuple[int, int]:
    """Submissions with an EX-99, and those whose every EX-99 came out with text."""
    having = complete = 0
    for path in sorted((folder / "filings" / "submission").glob("[68]-K*")):
        data = path.read_bytes()
        expected = len(re.findall(rb"(?im)^<TYPE>EX-99", data))
        if expected:
            having += 1
            exhibits = parse(read_submission(data)).exhibits
            complete += len([exhibit for exhibit in exhibits if len(exhibit.text) > 100]) == expected
    return having, complete


def edgartools(inputs: dict[str, list[tuple[bytes, str]]], releases: bool = True) -> dict[str, float | None] | None:
    """p95 ms per form of edgartools on the same bytes (header, text, press releases); None where it is missing."""
    try:
        from edgar.documents import HTMLParser, ParserConfig  # type: ignore[import-not-found,unused-ignore]
        from edgar.sgml import FilingSGML  # type: ignore[import-not-found,attr-defined,unused-ignore]
    except ImportError:
        say("edgartools is not installed: not compared (pip install -r requirements/bench.txt)")
        return None

    def work(data: bytes) -> None:
        submission = FilingSGML.from_text(data.decode("utf-8", "replace"))
        pages = [submission.html()]
        if releases:
            pages += [one.content for one in submission.attachments if one.document_type.startswith("EX-99")]
        for page in pages:
            if page and "<" in page[:2_000]:
                HTMLParser(ParserConfig()).parse(page).text()

    result: dict[str, float | None] = {}
    for form, samples in inputs.items():
        times = []
        for data, _ in samples:
            try:
                times.append(best_ms(lambda data=data: work(data), 1))  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001 (the peer's own failures are its own)
                say(f"edgartools failed on a {form}: {type(error).__name__}")
        result[form] = percentile(times, 0.95)
    return result


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.parse", description=__doc__)
    options.add_argument("--data", type=Path, default=CORPUS / "edgar", help="a folder laid out like corpus/edgar")
    options.add_argument("--quick", action="store_true", help="a fifth of the files, one round")
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    rounds = 1 if chosen.quick else chosen.rounds
    times, inputs = speeds(chosen.data, rounds, chosen.quick)
    for name, taken in sorted(times.items()):
        say(f"{name}: {len(taken)} files, p50 {percentile(taken, 0.5):.1f} ms, p95 {percentile(taken, 0.95):.1f} ms")
    counts, (read, broken), (having, complete) = items(chosen.data), failures(chosen.data), releases(chosen.data)
    peer = edgartools(inputs)
    lighter = edgartools({"8-K": inputs["8-K"]}, releases=False)
    figures = _figures(times, counts, read, broken, having, complete, peer)
    figures["ratio_edgartools_main_8k"] = _ratio((lighter or {}).get("8-K"), figures["p95_ms_8k"])
    report(
        "parse",
        figures,
        settings=vars(chosen),
        peers=_peers(peer),
    )


def _figures(
    times: dict[str, list[float]],
    counts: dict[str, list[int]],
    read: int,
    broken: int,
    having: int,
    complete: int,
    peer: dict[str, float | None] | None,
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for form, name in SPEEDS.items():
        ours = percentile(times[form], 0.95)
        theirs = (peer or {}).get(form)
        figures[f"p50_ms_{name}"] = percentile(times[form], 0.5)
        figures[f"p95_ms_{name}"] = ours
        figures[f"ratio_edgartools_{name}"] = _ratio(theirs, ours)
    labelled = [count for source, count in counts.items() if source != "read"]
    total = [sum(column) for column in zip(*labelled, strict=True)] if labelled else [0, 0, 0]
    figures["item_f1_body"] = f1(*total)
    for source, (right, extra, missed) in counts.items():
        figures[f"item_f1_body_{source}"] = f1(right, extra, missed)
    figures["ex99_found_share"] = round(complete / having, 4) if having else None
    return figures | {"ex99_filings": having, "files": read, "failures": broken}


def _ratio(theirs: float | None, ours: float | None) -> float | None:
    return round(theirs / ours, 1) if theirs and ours else None


def _peers(peer: dict[str, float | None] | None) -> dict[str, Any]:
    return {"edgartools": {f"p95_ms_{SPEEDS[form]}": value for form, value in peer.items()} if peer else None}


if __name__ == "__main__":
    main()
