"""`catalyst evaluate`: a labelled set of filings through a route, and what it gets right. Start with `evaluate`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from catalyst.app.settings import Settings
    from catalyst.filings.evaluate import Case, Result
    from catalyst.filings.transcript import Recorder, Replayed, Transcript
    from catalyst.filings.types import Filing, Parsed

    Route = Recorder | Replayed

DEFAULT, WHOLE, LARGEST, RULES = "default", "uncompressed", "largest", "rules"
"""The arms: as the service asks; without compression; whole and of the largest model; no model at all."""
_UNMEASURED = "answers made for tests: nothing here is measured with a real model"


def evaluate(
    labelled: Annotated[Path, typer.Argument(help="The labelled set: JSON lines of file or accession, and labels.")],
    transcript: Annotated[Path | None, typer.Option(help="Answer from this recorded file; no key is needed.")] = None,
    record: Annotated[Path | None, typer.Option(help="Ask live models, and keep their answers in this file.")] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also without compression, and whole to --largest.")
    ] = False,
    largest: Annotated[str, typer.Option(help="The model that --compare sends everything to.")] = "sonnet",
    rules: Annotated[bool, typer.Option("--rules", help="Judge the rules alone; no model is asked.")] = False,
    seed: Annotated[int, typer.Option(help="Of the resampling that gives the intervals.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure label accuracy, fact precision and recall, cost and latency on filings whose answers are known.

    The set has one JSON object a line; its files stand beside it. Label, priority and facts may each be left out:

    \b
      {"file": "a.txt", "form": "8-K", "label": "bullish", "priority": "high",
       "facts": [{"name": "revenue", "value": "1200000000", "scope": "current"}]}

    Every figure has a 95 % interval, and the rules' own figures stand beside the model's.

    \b
    Examples:
      catalyst evaluate set.jsonl --rules                      no model, no key
      catalyst evaluate set.jsonl --record answers.jsonl       ask live models, keep what they say
      catalyst evaluate set.jsonl --transcript answers.jsonl   the same figures again, for nothing
    """
    import asyncio

    from catalyst.app import log
    from catalyst.app.settings import load
    from catalyst.errors import UsageError

    log.configure()
    if sum((transcript is not None, record is not None, rules)) > 1:
        raise UsageError("give one of --transcript, --record and --rules")
    if rules and compare:
        raise UsageError("--compare asks models and --rules none: give one of them")
    arms = [] if rules else [DEFAULT, WHOLE, LARGEST] if compare else [DEFAULT]
    report = asyncio.run(_report(labelled, transcript, record, arms, largest, seed, load()))
    print(json.dumps(report) if as_json else "\n".join(_screen(report)))


async def _report(
    labelled: Path,
    replay: Path | None,
    record: Path | None,
    arms: Sequence[str],
    largest: str,
    seed: int,
    settings: Settings,
) -> dict[str, Any]:
    from catalyst.filings.evaluate import difference, scores

    cases = list(_cases(labelled))
    read = [await _read(case, labelled.parent, settings) for case in cases]
    results: dict[str, list[Result]] = {RULES: [_by_rules(case, *one) for case, one in zip(cases, read, strict=True)]}
    async with _route(replay, record, settings, bool(arms)) as route:
        for arm in arms:
            assert route is not None
            results[arm] = await _through(route, arm, cases, read, _analyst(route, arm, largest, settings))
    stale = route.stale if route is not None else 0
    base = results.get(DEFAULT)
    return {
        "set": str(labelled),
        "filings": len(cases),
        "answers": _source(replay, record, bool(arms)),
        "stale_answers": stale,
        "arms": {arm: scores(found, seed) for arm, found in results.items()},
        "default_minus": {
            arm: difference(base, found, seed) for arm, found in results.items() if base and found is not base
        },
        "faults": sorted({one.fault for found in results.values() for one in found if one.fault})[:10],
    }


def _cases(labelled: Path) -> Iterator[Case]:
    from catalyst.errors import UsageError
    from catalyst.filings.evaluate import read_case

    try:
        lines = labelled.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{labelled} cannot be read: {error}") from error
    cases = [read_case(line, number) for number, line in enumerate(lines, 1) if line.strip()]
    if not cases:
        raise UsageError(f"{labelled} holds no labelled filing: give one JSON object a line")
    yield from cases


async def _read(case: Case, folder: Path, settings: Settings) -> tuple[Filing, Parsed]:
    """The filing, parsed. Raises UsageError for a file that is not there or is no filing."""
    from catalyst.app.commands.digest import filing_of, submission_of
    from catalyst.errors import ParseError, UsageError
    from catalyst.filings.forms import parse

    path = folder / case.file
    if case.file and not _is_there(path):
        raise UsageError(f"{path} is not there: files of a set stand beside it")
    try:
        submission, url = await submission_of(str(path) if case.file else case.accession, case.form, "", settings)
        parsed = parse(submission, case.form)
    except ParseError as error:
        raise UsageError(f"{case.name} cannot be judged: {error}") from error
    return filing_of(parsed, url), parsed


def _is_there(path: Path) -> bool:
    return path.is_file()


def _by_rules(case: Case, filing: Filing, parsed: Parsed) -> Result:
    from catalyst.filings.evaluate import Result
    from catalyst.filings.prescore import prescore
    from catalyst.filings.rules import from_rules

    return Result(case, from_rules(filing, parsed, prescore(filing.form, filing.items)))


@contextlib.asynccontextmanager
async def _route(
    replay: Path | None, record: Path | None, settings: Settings, wanted: bool
) -> AsyncIterator[Route | None]:
    """What answers: a transcript, or live models whose answers are kept where `record` says."""
    import io

    from catalyst.app.build.hub import hub
    from catalyst.errors import SettingsError
    from catalyst.filings.transcript import Recorder, Replayed, Transcript, begun

    if not wanted:
        yield None
        return
    if replay is not None:
        yield Replayed(Transcript.load(replay))
        return
    known = _known(record)
    async with hub(settings, settings.app.data_dir) as llm:
        if llm is None:
            raise SettingsError("no model is configured: set a provider's key, or give --transcript or --rules")
        with begun(record) if record is not None else io.StringIO() as out:
            yield Recorder(llm, known, out)


def _known(record: Path | None) -> Transcript:
    """The answers that an earlier run kept there."""
    from catalyst.filings.transcript import Transcript

    return Transcript.load(record) if record is not None and record.exists() else Transcript()


def _analyst(route: Route, arm: str, largest: str, settings: Settings) -> Any:
    from catalyst.app.build.prompts import prompts
    from catalyst.filings.analyze import Analyst

    whole = {"max_chars": 600_000, "compress": False, "model": largest, "timeout_seconds": 120.0}
    chosen: dict[str, dict[str, Any]] = {DEFAULT: {}, WHOLE: {"compress": False}, LARGEST: whole}
    return Analyst(route, prompts(settings), **chosen[arm])


async def _through(
    route: Route, arm: str, cases: Sequence[Case], read: Sequence[tuple[Filing, Parsed]], analyst: Any
) -> list[Result]:
    from rich.console import Console
    from rich.progress import track

    found = []
    pairs = list(zip(cases, read, strict=True))
    for case, (filing, parsed) in track(pairs, description=arm, console=Console(stderr=True), transient=True):
        route.filing, route.arm = case.name, arm
        found.append(await _one(route, case, filing, parsed, analyst))
    return found


async def _one(route: Route, case: Case, filing: Filing, parsed: Parsed, analyst: Any) -> Result:
    """One filing; where the model fails the rules' analysis stands, as in the service, and the fault is told."""
    from catalyst.errors import LLMServiceError
    from catalyst.filings.evaluate import Result

    by_rules = _by_rules(case, filing, parsed)
    try:
        response, analysis = await analyst.answered(filing, parsed, by_rules.analysis)
    except LLMServiceError as error:
        return Result(case, by_rules.analysis, fault=f"{case.name}: {error}"[:300])
    return Result(
        case,
        analysis,
        response.cost_usd,
        response.latency_ms,
        response.tokens_input,
        response.tokens_left_out,
        response.model,
    )


def _source(replay: Path | None, record: Path | None, asked: bool) -> str:
    from catalyst.filings.transcript import MADE, Transcript

    if not asked:
        return "rules alone: no model was asked"
    if replay is None:
        return "live models" + (f", kept in {record}" if record else "")
    return _UNMEASURED if Transcript.load(replay).source == MADE else f"recorded from live models ({replay})"


def _screen(report: dict[str, Any]) -> list[str]:
    lines = [f"{report['set']}: {report['filings']} filings; {report['answers']}", ""]
    for arm, figures in report["arms"].items():
        lines.append(f"{arm} ({figures['answered']} of {figures['filings']} answered)")
        lines += [f"  {name:<18} {_shown(figures[name])}" for name in _SHOWN]
        lines += [f"  {'usd_max':<18} {figures['usd_max']}", f"  {'models':<18} {_models(figures['models'])}", ""]
    for arm, gaps in report["default_minus"].items():
        lines.append(f"default against {arm}")
        lines += [f"  {name:<18} {_shown(share, sign=True)}" for name, share in gaps.items()]
        lines.append("")
    if report["stale_answers"]:
        lines.append(
            f"{report['stale_answers']} answers were recorded for another wording of the request: record again"
        )
    return [*lines, *(f"fault: {fault}" for fault in report["faults"])]


_SHOWN = ("label_accuracy", "priority_accuracy", "fact_precision", "fact_recall", "usd_per_filing")


def _shown(share: dict[str, Any], *, sign: bool = False) -> str:
    if share["value"] is None:
        return "nothing to judge"
    plus = "+" if sign else ""
    return f"{share['value']:{plus}.4f}  [{share['low']:{plus}.4f}, {share['high']:{plus}.4f}]  n={share['n']}"


def _models(models: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in models.items())
