"""Fields of records: how fast, and how often the rules are sure and right.

`python -m bench.enrich [--quick] [--data FOLDER] [--upstream-ms 50]`; FOLDER holds text/*.csv (recognised lines: eight
box coordinates, then text) and gold/*.json ({"date", "total", …}), as shared/corpus/receipts.

Rules alone, no model. One half of the receipts (every second by name) calibrates; every figure is of the other half.
`auto_share` and `auto_precision` are over dates and totals together, with each field's own beside; `ece` is over both,
ten bins. A total's and a date's threshold are the room's defaults for receipts (`THRESHOLDS`).

`seconds_100`: 100 records with a field only a model can read, a fake provider that takes 50 ms, concurrency 100, the
best of three batches. Then
the same again (`repeated_calls`, upstream calls) and with another prompt (`stale_answers`, old answers served).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.common import CORPUS, report, say
from catalyst.app import log
from catalyst.clock import SystemClock
from catalyst.enrich import Artifact, Calibrations, Enricher, EnrichSettings, FieldSpec
from catalyst.enrich.calibrate import expected_error
from catalyst.enrich.labelled import calibrated, rows_of, same
from catalyst.enrich.layout import Box, rows
from catalyst.llm.prompts import PromptRegistry

THRESHOLDS = {"date": 0.9, "total": 0.85}
"""Confidence from which a value is applied unseen."""
FIELDS = [FieldSpec(name="date"), FieldSpec(name="total")]
ROUNDS = 3
"""Batches of fresh records; the fastest counts, for the machine is shared."""
PLENTY = "1000000"


def receipts(folder: Path) -> Iterator[dict[str, Any]]:
    """Records with labels; a receipt without a legible label for a field has none for it."""
    for gold in sorted((folder / "gold").glob("*.json")):
        text = folder / "text" / f"{gold.stem}.csv"
        if not text.exists():
            continue
        labels = json.loads(gold.read_text("utf-8"))
        total = re.search(r"\d[\d,]*(?:\.\d+)?", str(labels.get("total", "")))
        right = {"date": labels.get("date"), "total": f"{float(total[0].replace(',', '')):.2f}" if total else None}
        yield {
            "id": gold.stem,
            "text": rows(boxes(text)),
            "labels": {name: value for name, value in right.items() if value},
            "label_locale": "en-MY",
        }


def boxes(path: Path) -> Iterator[Box]:
    """The recognised lines of one receipt."""
    for line in path.read_text("utf-8", "replace").splitlines():
        cells = line.split(",", 8)
        if len(cells) == 9 and all(cell.strip("-").isdigit() for cell in cells[:8]):
            corners = [int(cell) for cell in cells[:8]]
            across, down = corners[::2], corners[1::2]
            yield Box(min(across), min(down), max(across), max(down), cells[8])


async def judged(records: list[dict[str, Any]]) -> dict[str, float]:
    """Calibrate on one half, decide the other."""
    known = Calibrations()
    said = calibrated(rows_of(records[::2], FIELDS), known)
    say(f"calibrated on {len(records[::2])}: {said}")
    held = records[1::2]
    settings = EnrichSettings(thresholds=THRESHOLDS)
    enricher = Enricher(None, PromptRegistry.load(), SystemClock(), known, settings)
    results = await enricher.batch_enrich([Artifact(text=record["text"]) for record in held], FIELDS)
    seen: list[tuple[str, bool, float, bool]] = []
    items = 0
    for record, row in zip(held, results, strict=True):
        for spec, result in zip(FIELDS, row, strict=True):
            label = record["labels"].get(spec.name)
            items += label is not None
            if label is not None and result.value is not None:
                right = same(spec.rules, result.value, label, record["label_locale"])
                seen.append((spec.name, result.decision == "auto_apply", result.confidence, right))
    return decided(seen, records[1::2], items)


def decided(seen: list[tuple[str, bool, float, bool]], held: list[dict[str, Any]], items: int) -> dict[str, float]:
    """Shares of all labelled items, found or not, that were applied, and how many of those were right."""
    auto = [right for _, applied, _, right in seen if applied]
    figures = {
        "auto_share": round(len(auto) / items, 4),
        "auto_precision": round(sum(auto) / len(auto), 4) if auto else 0.0,
        "ece": round(expected_error([(confidence, right) for _, _, confidence, right in seen]), 4),
    }
    for spec in FIELDS:
        count = sum(spec.name in record["labels"] for record in held)
        ours = [right for name, applied, _, right in seen if name == spec.name and applied]
        figures[f"{spec.name}_auto_share"] = round(len(ours) / count, 4) if count else 0.0
        figures[f"{spec.name}_auto_precision"] = round(sum(ours) / len(ours), 4) if ours else 0.0
        pairs = [(confidence, right) for name, _, confidence, right in seen if name == spec.name]
        figures[f"{spec.name}_ece"] = round(expected_error(pairs), 4)
    return figures | {"held_out": len(held)}


class Upstream:
    """An OpenAI-compatible provider that answers after `seconds` with the field's value."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.calls = 0
        self.url = ""
        self._runner: Any = None

    async def __aenter__(self) -> Upstream:
        from aiohttp import web

        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: Any) -> Any:
        from aiohttp import web

        self.calls += 1
        asked = json.dumps((await request.json())["messages"])
        await asyncio.sleep(self._seconds)
        found = re.search(r"PO-\d+", asked)
        value = f"{found[0]}{'/second' if 'the other way' in asked else ''}" if found else ""
        text = json.dumps(
            {"found": bool(value), "value": value, "evidence": found[0] if found else "", "confidence": 0.9}
        )
        return web.json_response(
            {
                "id": "x", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            }
        )  # fmt: skip


async def hundred(seconds: float, count: int) -> dict[str, float]:
    """100 records through the hub with everything on: ledger, budget, cache."""
    from catalyst.app.build.hub import hub
    from catalyst.app.settings import load

    rounds = [
        [Artifact(text=f"Order of {number} widgets. Ref PO-{lap}{number:05d}.") for number in range(count)]
        for lap in range(ROUNDS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        async with Upstream(seconds) as upstream:
            environ = {
                "OPENAI_API_KEY": "sk-bench", "OPENAI_BASE_URL": upstream.url, "CATALYST_DATA_DIR": folder,
                "LLM_MAX_CONCURRENT": "128", "LLM_MAX_CONCURRENT_REQUESTS": "128", "LLM_REQUESTS_PER_MINUTE": PLENTY,
                "LLM_REQUESTS_PER_HOUR": PLENTY, "LLM_REQUESTS_PER_DAY": PLENTY, "ENRICH_MODEL": "gpt-4o-mini",
            }  # fmt: skip
            settings = load(environ, None)
            async with hub(settings, Path(folder)) as llm:
                enricher = Enricher(llm, PromptRegistry.load(), SystemClock(), settings=settings.enrich)
                warm = [Artifact(text="Ref PO-99999, to warm up.")]
                await enricher.batch_enrich(warm, [FieldSpec(name="order", prompt="the order's number")])
                laps = [await timed(enricher, upstream, artifacts, "the order's number") for artifacts in rounds]
                again = await timed(enricher, upstream, rounds[0], "the order's number")
                changed = await timed(enricher, upstream, rounds[0], "the other way")
    return {
        "seconds_100": round(min(lap[0] for lap in laps), 3),
        "cpu_seconds_100": round(min(lap[1] for lap in laps), 3),
        "seconds_100_worst": round(max(lap[0] for lap in laps), 3),
        "repeated_calls": again[2],
        "repeated_seconds": round(again[0], 3),
        "stale_answers": sum(value is not None and not value.endswith("/second") for value in changed[3]),
        "failed": sum(value is None for run in (*laps, again, changed) for value in run[3]),
    }


async def timed(
    enricher: Enricher, upstream: Upstream, artifacts: list[Artifact], prompt: str
) -> tuple[float, float, int, list[str | None]]:
    """Seconds, CPU seconds (the fake provider's too), calls upstream and values of one batch."""
    before, began, cpu = upstream.calls, time.perf_counter(), time.process_time()
    results = await enricher.batch_enrich(artifacts, [FieldSpec(name="order", prompt=prompt)])
    took, used = time.perf_counter() - began, time.process_time() - cpu
    return took, used, upstream.calls - before, [row[0].value for row in results]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the same: it takes seconds")
    parser.add_argument("--data", type=Path, default=CORPUS / "receipts", help="a folder with text/ and gold/")
    parser.add_argument("--upstream-ms", type=float, default=50.0, help="what the fake provider takes")
    options = parser.parse_args()
    log.configure()
    figures: dict[str, float] = asyncio.run(hundred(options.upstream_ms / 1000, 100))
    say(f"100 records: {figures}")
    figures |= asyncio.run(judged(list(receipts(options.data))))
    settings = {"data": options.data, "upstream_ms": options.upstream_ms, "thresholds": THRESHOLDS}
    report("enrich", figures, settings=settings)


if __name__ == "__main__":
    main()
