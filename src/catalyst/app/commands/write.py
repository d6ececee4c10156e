"""`catalyst write KIND`: a draft or a summary from a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

KINDS = ("email", "reminder", "deal", "deals", "compliance", "order", "notes")
MOST_BYTES = 4 << 20


def write(
    kind: Annotated[str, typer.Argument(help="email, reminder, deal, deals (a list), compliance, order or notes.")],
    source: Annotated[str, typer.Argument(metavar="FILE", help="The input as JSON; - reads standard input.")] = "-",
    language: Annotated[str, typer.Option(help="en or ar, over the input's own.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole result as JSON.")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="Print the HTML.")] = False,
    no_models: Annotated[bool, typer.Option("--minimal", help="Ask no model: the minimal draft.")] = False,
) -> None:
    """Draft a mail or a reminder, or sum up a deal, an order or notes. Nothing is sent.

    A model writes where one is configured; else the draft is minimal. What a draft says and the input does not hold is
    warned of on standard error.

    Examples: catalyst write email followup.json · catalyst write notes - < notes.json --json ·
    echo '{"deal": {"name": "Pumps", "stage": "Order Received"}}' | catalyst write deal --language ar
    """
    import asyncio
    import sys

    from catalyst.app import log
    from catalyst.errors import UsageError

    log.configure()
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is nothing to write: use {', '.join(KINDS)}")
    asked = [_asked(kind, given, language) for given in _given(source, kind)]
    results = asyncio.run(_written(kind, asked, no_models))
    for result in results:
        shown = result.model_dump_json() if as_json else getattr(result, "html", "") if as_html else _plain(result)
        print(log.plain(shown))
        for warning in getattr(result, "warnings", ()):
            print(f"warning: {log.plain(warning)}", file=sys.stderr)


def _given(source: str, kind: str) -> list[Any]:
    import json
    import sys

    from catalyst.errors import UsageError

    try:
        text = sys.stdin.read(MOST_BYTES + 1) if source == "-" else _text(Path(source))
        given = json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{source} cannot be read as JSON: {error}") from error
    if kind == "deals" and not isinstance(given, list):
        raise UsageError("deals takes a list of deals, each as `catalyst write deal` takes one")
    return given if kind == "deals" else [given]


def _text(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES >> 20} MiB")
    return path.read_text("utf-8")


def _asked(kind: str, given: Any, language: str) -> BaseModel:
    from pydantic import ValidationError

    from catalyst import writer
    from catalyst.errors import UsageError

    kinds: dict[str, type[BaseModel]] = {
        "email": writer.EmailDraftContext,
        "reminder": writer.ReminderDraftContext,
        "deal": writer.DealSummaryContext,
        "deals": writer.DealSummaryContext,
        "compliance": writer.ComplianceContext,
        "order": writer.OrderReceivedContext,
        "notes": writer.NoteSummaryContext,
    }
    if language and isinstance(given, dict):
        given = given | {"language": language}
    try:
        return kinds[kind].model_validate(given)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}" for fault in error.errors()[:5])
        raise UsageError(f"the input of {kind} is not right: {told}") from error


async def _written(kind: str, asked: list[Any], no_models: bool) -> list[Any]:
    from catalyst.app.build.hub import hub
    from catalyst.app.build.writer import writer
    from catalyst.app.settings import load

    settings = load()
    if no_models:
        return await _by(kind, writer(settings, None), asked)
    async with hub(settings, settings.app.data_dir) as llm:
        return await _by(kind, writer(settings, llm), asked)


async def _by(kind: str, service: Any, asked: list[Any]) -> list[Any]:
    if kind == "deals":
        found: list[Any] = await service.batch_summarize_deals(asked)
        return found
    methods = {
        "email": service.draft_email,
        "reminder": service.draft_reminder,
        "deal": service.summarize_deal,
        "compliance": service.analyze_compliance,
        "order": service.analyze_order_received,
        "notes": service.summarize_notes,
    }
    return [await methods[kind](asked[0])]


def _plain(result: Any) -> str:
    """A result for the screen: its text, then its lists."""
    from catalyst.app.log import harmless

    told = result.model_dump(exclude={"html", "warnings", "model", "cost_usd", "language"})
    head = [str(told.pop(name)) for name in ("subject", "body", "summary") if told.get(name)]
    lines = ["\n\n".join(head)] if head else []
    for name, value in told.items():
        if isinstance(value, list) and value:
            lines += [f"\n{name.replace('_', ' ')}:", *(f"- {_line(item)}" for item in value)]
        elif value not in ("", [], None):
            lines.append(f"{name.replace('_', ' ')}: {value}")
    return harmless("\n".join(lines), keep="\n")


def _line(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    return ", ".join(f"{name}: {value}" for name, value in item.items() if value)
