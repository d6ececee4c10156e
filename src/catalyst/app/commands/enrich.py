"""`catalyst enrich`: fields of a file of records, and `catalyst enrich calibrate` from labelled ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Iterator

    from catalyst.app.settings import Settings
    from catalyst.enrich import FieldSpec
    from catalyst.enrich.jsonl import Counts, Run
    from catalyst.enrich.labelled import Seen


class RunByDefault(TyperGroup):
    """`catalyst enrich IN -o OUT` is `catalyst enrich run IN -o OUT`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = (*self.commands, "--help")
        return super().parse_args(ctx, args if not args or args[0] in known else ["run", *args])


enrich = typer.Typer(
    cls=RunByDefault,
    no_args_is_help=True,
    help="""Read fields out of records: rules first, then a model, each value with its evidence and a decision.

    IN.jsonl holds one record a line ({"id": …, "text": …}); OUT.jsonl gets one row for each, in the same order.
    Interrupted, it goes on where it stopped when it is run again.

    Examples: catalyst enrich records.jsonl -o out.jsonl --field date --field total · catalyst enrich calibrate
    labelled.jsonl --field date · catalyst enrich a.jsonl -o b.jsonl --field "po:text:the purchase order's number"
    """,
)
FieldOption = Annotated[
    list[str] | None,
    typer.Option(
        "--field", metavar="NAME[:KIND[:PROMPT]]", help="A field; kinds: date total currency company address text."
    ),
]


@enrich.command("run")
def run(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help="Records, one JSON object a line.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.jsonl", help="Where the rows go.")],
    field: FieldOption = None,
    tenant_field: Annotated[str, typer.Option(help="The record's field that names its tenant.")] = "",
    concurrency: Annotated[int, typer.Option(min=0, max=1_000, help="Fields at once; 0: ENRICH_MAX_CONCURRENT.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew: OUT.jsonl is emptied.")] = False,
    no_models: Annotated[bool, typer.Option("--rules-only", help="Ask no model.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Enrich a file; `catalyst enrich IN.jsonl …` runs it too."""
    import asyncio
    import dataclasses
    import json
    import sys

    from catalyst.app import log
    from catalyst.app.settings import load
    from catalyst.errors import UsageError

    log.configure()
    if not source.is_file():
        raise UsageError(f"{source} is no file: give a file of JSON lines")
    if source.resolve() == output.resolve():
        raise UsageError("input and output are the same file: name another output")
    settings = load()
    ours = settings.enrich
    ours = dataclasses.replace(
        ours,
        tenant_field=tenant_field or ours.tenant_field,
        max_concurrent=concurrency or ours.max_concurrent,
    )
    settings = dataclasses.replace(settings, enrich=ours)
    try:
        counts = asyncio.run(_enrich(settings, specs(field), source, output, models=not no_models, fresh=fresh))
    except KeyboardInterrupt:
        print(f"stopped: the same command goes on where {output} ends", file=sys.stderr)
        raise
    if as_json:
        print(json.dumps(dataclasses.asdict(counts)))
    else:
        _say(counts, output)


@enrich.command("calibrate")
def calibrate(
    source: Annotated[Path, typer.Argument(metavar="LABELLED.jsonl", help='Records with {"labels": {FIELD: VALUE}}.')],
    field: FieldOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The calibration file; default in the data folder.")
    ] = None,
    models: Annotated[
        bool, typer.Option("--models", help="Ask the model about each record, too: it costs what enriching them costs.")
    ] = False,
) -> None:
    """Learn how likely values are right, by field, from records with labels (20 at least for each field).

    Of the rules' values, and with --models of the model's: before that no value of a model is applied unseen.
    """
    import asyncio

    from catalyst.app import log
    from catalyst.app.build.enrich import calibration_file
    from catalyst.app.settings import load
    from catalyst.enrich.calibrate import Calibrations
    from catalyst.enrich.labelled import calibrated, rows_of
    from catalyst.errors import UsageError

    log.configure()
    settings, wanted = load(), specs(field)
    target = output or calibration_file(settings, settings.app.data_dir)
    known = Calibrations.load(target)
    seen = list(rows_of(_records(source), wanted))
    if models:
        seen += asyncio.run(_asked(settings, list(_records(source)), wanted))
    said = calibrated(seen, known)
    if not any("right" in words for words in said.values()):
        none = "no labels of these fields beside values that were read" + ("" if models else " by rules: try --models")
        raise UsageError(f"{source}: {'; '.join(f'{name}: {words}' for name, words in said.items()) or none}")
    known.save(target)
    for name, words in said.items():
        print(f"{name}: {words}")


def specs(given: list[str] | None) -> list[FieldSpec]:
    """`date`, `paid_on:date` or `po:text:the order's number`. Raises UsageError."""
    from pydantic import ValidationError

    from catalyst.enrich import FieldSpec
    from catalyst.errors import UsageError

    if not given:
        raise UsageError("no --field is named: which fields are wanted?")
    found = []
    for text in given:
        name, _, rest = text.partition(":")
        kind, _, prompt = rest.partition(":")
        try:
            found.append(FieldSpec.model_validate({"name": name, "kind": kind or None, "prompt": prompt}))
        except ValidationError as error:
            raise UsageError(f"--field {text!r}: {error.errors()[0]['msg']}") from error
    if len({spec.name for spec in found}) < len(found):
        raise UsageError("a --field is named twice")
    return found


async def _enrich(
    settings: Settings, fields: list[FieldSpec], source: Path, output: Path, *, models: bool, fresh: bool
) -> Counts:
    import asyncio
    import contextlib
    import os

    from catalyst.app.build.enrich import enricher
    from catalyst.app.build.hub import hub
    from catalyst.enrich.jsonl import Run

    folder, size = settings.app.data_dir, await asyncio.to_thread(os.path.getsize, source)
    async with hub(settings, folder) if models else contextlib.nullcontext() as llm:
        with _bar(size) as on_line:
            job: Run = Run(enricher(settings, folder, llm), fields, source, output, on_line=on_line, fresh=fresh)
            return await job.run()


async def _asked(settings: Settings, records: list[dict[str, object]], fields: list[FieldSpec]) -> list[Seen]:
    """Raises UsageError without a model."""
    from catalyst.app.build.enrich import enricher
    from catalyst.app.build.hub import hub
    from catalyst.enrich.labelled import asked_of_model
    from catalyst.errors import UsageError

    folder = settings.app.data_dir
    async with hub(settings, folder) as llm:
        if llm is None:
            raise UsageError("--models: no model is configured: set a provider's key")
        with _bar(len(records) * len(fields), counts=True) as progress:
            return await asked_of_model(records, fields, enricher(settings, folder, llm), progress)


def _bar(size: int, *, counts: bool = False) -> contextlib.AbstractContextManager[Callable[[int], None]]:
    """A progress bar on stderr, where that is a terminal: bytes, or with `counts` items."""
    import contextlib

    @contextlib.contextmanager
    def shown() -> Iterator[Callable[[int], None]]:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        console = Console(stderr=True)
        with Progress(
            "enriching",
            BarColumn(),
            MofNCompleteColumn() if counts else DownloadColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        ) as progress:
            task = progress.add_task("", total=size)
            yield lambda done: progress.update(task, completed=done)

    return shown()


def _records(source: Path) -> Iterator[dict[str, object]]:
    """Records of a labelled file. Raises UsageError naming the first bad line."""
    import orjson

    from catalyst.enrich.jsonl import lines
    from catalyst.errors import UsageError

    try:
        with source.open("rb") as file:
            for line in lines(file):
                try:
                    record = orjson.loads(line.body or b"")
                except orjson.JSONDecodeError as error:
                    raise UsageError(f"{source} line {line.number} is no JSON: {error}") from error
                if isinstance(record, dict):
                    yield record
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror or error}") from error


def _say(counts: Counts, output: Path) -> None:
    import sys

    told = ", ".join(f"{count} {decision}" for decision, count in counts.decisions.items())
    before = f", {counts.skipped} lines were done before" if counts.skipped else ""
    print(f"{counts.lines} rows to {output} ({told}; {counts.errors} bad lines{before})", file=sys.stderr)
