"""What the recorded day costs: every filing's real request, through the default routing, at current prices.

`python -m bench.cost [--quick] [--data FOLDER]`; FOLDER is a recording (shared/corpus/edgar). Each filing of the day
has the text that the emulator serves for it, is parsed, judged by the rules and made into the request that the service
would send; the hub itself prepares it (compression included), counts its tokens and routes it, with the keys of the
default providers and nothing sent. The price is of the tokens that the hub estimates, and of all the output that the
request allows: answers of real models are shorter, by how much is unmeasured. `usd_max_repaired` adds one repair turn.

The peer sends each filing whole, main document and press releases, to the largest model of the catalog, at the same
output. `cache_repeats` is the share of the day's requests that an exact cache answers; texts that the emulator lends to
several filings are told apart by their company and count as different, which is what they are.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from bench.common import CORPUS, percentile, report, say
from catalyst.clock import SystemClock
from catalyst.emulator import Recording
from catalyst.emulator.recording import Filing as Served
from catalyst.emulator.submission import text_of
from catalyst.errors import ParseError
from catalyst.filings.analyze import MAX_CHARS, Analyst, selected
from catalyst.filings.forms import parse, read_submission
from catalyst.filings.prescore import prescore
from catalyst.filings.rules import from_rules
from catalyst.filings.sanitize import sanitize
from catalyst.filings.types import Filing, Parsed, Party
from catalyst.http import Http
from catalyst.llm.assembly import Parts, assemble
from catalyst.llm.cache.keys import plan
from catalyst.llm.prices import usd
from catalyst.llm.prompts import PromptRegistry
from catalyst.llm.ready import ready
from catalyst.llm.settings import HubSettings
from catalyst.llm.tokens import estimated, utf8_length
from catalyst.llm.types import LLMRequest, LLMResponse, Usage

LARGEST = "claude-opus-5-5"
"""The dearest model of the catalog."""
DAILY, DAYS = 1_000, 30
REPAIR = 400
"""Tokens that a repair turn adds beside the answer it repeats: the error, the schema's name."""


@dataclass(frozen=True, slots=True)
class Priced:
    """One filing's request: dollars with and without compression, with a repair, and of the peer."""

    form: str
    model: str
    tokens: int
    tokens_plain: int
    usd: Decimal
    usd_plain: Decimal
    usd_repaired: Decimal
    usd_largest: Decimal
    key: bytes


class _Nobody:
    """A hub that is never asked: requests are made, not sent."""

    async def query(self, request: LLMRequest) -> LLMResponse:
        raise AssertionError("bench.cost asks no model")


def read(recording: Recording, served: Served) -> tuple[Filing, Parsed] | None:
    """The filing as the feed shows it, and its text parsed; None where it has none."""
    row = served.row
    parties = tuple(Party(one.role.lower(), one.cik, one.name) for one in served.rows)
    moment = datetime.fromtimestamp(row.accepted, UTC)
    items = tuple(code for code, _ in row.items)
    filing = Filing(served.accession, row.form, parties, moment, row.filed, items, "", moment)
    try:
        return filing, parse(read_submission(text_of(recording, served).read(), row.form), row.form)
    except ParseError as error:
        say(f"typed error: {served.accession} {row.form}: {error}")
        return None


def priced(parts: Parts, analysts: tuple[Analyst, Analyst], filing: Filing, parsed: Parsed) -> Priced:
    """What the hub would pay at its first target."""
    rules = from_rules(filing, parsed, prescore(filing.form, filing.items))
    text = sanitize(selected(parsed, MAX_CHARS)).text
    short, plain = (cost(parts, analyst.request(filing, text, rules)) for analyst in analysts)
    whole = "\n\n".join((parsed.text, *(exhibit.text for exhibit in parsed.exhibits)))
    request = analysts[1].request(filing, "", rules)
    about = ready(request, "whole", parts, SystemClock()).tokens + estimated(utf8_length(whole))
    now = datetime.now(UTC)
    price = parts.prices.of(parts.catalog.find(LARGEST), now)
    most = request.max_tokens
    return Priced(
        filing.form, short[0], short[1], plain[1], short[2], plain[2], short[3],
        usd(price.cost(Usage(about, most))), short[4],
    )  # fmt: skip


def cost(parts: Parts, request: LLMRequest) -> tuple[str, int, Decimal, Decimal, bytes]:
    """(model, input tokens, dollars, dollars with a repair turn, cache key) of a request at its first target."""
    job = ready(request, "day", parts, SystemClock())
    target = parts.router.route(job, job.now).targets[0]
    price = parts.prices.of(target.model, job.now)
    once = price.cost(Usage(job.tokens, request.max_tokens))
    again = price.cost(Usage(job.tokens + request.max_tokens + REPAIR, request.max_tokens))
    kept = plan(job, ZoneInfo("UTC"))
    return target.model.name, job.tokens, usd(once), usd(once + again), kept.key if kept else b""


def day(parts: Parts, folder: Path, step: int) -> Iterator[Priced]:
    recording = Recording.load(folder)
    prompts = PromptRegistry.load()
    analysts = (Analyst(_Nobody(), prompts), Analyst(_Nobody(), prompts, compress=False))
    served = list(recording.filings())[::step]
    for number, one in enumerate(served, 1):
        if number % 250 == 0:
            say(f"{number} of {len(served)} filings")
        found = read(recording, one)
        if found is not None:
            yield priced(parts, analysts, *found)


def figures(found: Sequence[Priced]) -> dict[str, Any]:
    count = len(found)
    total = {
        name: sum((getattr(one, name) for one in found), Decimal(0)) for name in ("usd", "usd_plain", "usd_largest")
    }
    dearest = max(found, key=lambda one: one.usd)
    say(f"dearest: {dearest.form} with {dearest.model}, {dearest.tokens} tokens, ${dearest.usd}")
    for model, times in Counter(one.model for one in found).most_common():
        say(f"{model}: {times} filings")
    keys = Counter(one.key for one in found)
    repeats = sum(times - 1 for key, times in keys.items() if key)
    first = {one.key: one for one in found}
    cached = sum((one.usd for one in first.values()), Decimal(0)) if all(keys) else total["usd"]
    mean = total["usd"] / count
    return {
        "filings": count,
        "usd_per_filing": _money(mean),
        "usd_p95": percentile([float(one.usd) for one in found], 0.95),
        "usd_max": _money(dearest.usd),
        "usd_max_repaired": _money(max(one.usd_repaired for one in found)),
        "usd_month": _money(mean * DAILY * DAYS),
        "usd_per_filing_uncompressed": _money(total["usd_plain"] / count),
        "usd_per_filing_cached": _money(cached / count),
        "cache_repeats": round(repeats / count, 4),
        "usd_per_filing_largest_whole": _money(total["usd_largest"] / count),
        "saved_share": round(float(1 - total["usd"] / total["usd_largest"]), 4),
        "tokens_per_filing": round(sum(one.tokens for one in found) / count),
        "tokens_saved_by_compression": round(1 - sum(o.tokens for o in found) / sum(o.tokens_plain for o in found), 4),
    }


def _money(amount: Decimal) -> float:
    return round(float(amount), 6)


async def run(folder: Path, step: int) -> list[Priced]:
    settings = HubSettings(keys={"gemini": "none", "anthropic": "none"}, daily_quotas={"gemini": 0})
    with tempfile.TemporaryDirectory() as data:
        async with Http(SystemClock()) as http:
            parts = assemble(settings, http, SystemClock(), Path(data))
            await parts.start()
            try:
                return list(day(parts, folder, step))
            finally:
                await parts.close()


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.cost", description=__doc__)
    options.add_argument("--data", type=Path, default=CORPUS / "edgar", help="a recording, laid out like corpus/edgar")
    options.add_argument("--quick", action="store_true", help="every tenth filing of the day")
    options.add_argument("--every", type=int, default=1, help="every Nth filing of the day")
    chosen = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    found = asyncio.run(run(chosen.data, 10 if chosen.quick else chosen.every))
    report("cost", figures(found), settings=vars(chosen) | {"largest": LARGEST, "output_tokens": "all that is allowed"})


if __name__ == "__main__":
    main()
