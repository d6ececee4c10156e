"""`catalyst classify`: what headlines mean, from the command line or JSON lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from catalyst.app.settings import Settings
    from catalyst.news.classify import Classification, Classifier

CHUNK = 200
"""Headlines read, judged and printed together, so that memory stays flat however many come."""
LONGEST = 20_000
"""Characters of a line that are kept; only the first 2,048 are scored."""
_SIGN = {"bullish": "+", "bearish": "-", "neutral": "="}


def classify(
    text: Annotated[list[str] | None, typer.Argument(help="Headlines; none, or -, reads standard input.")] = None,
    file: Annotated[Path | None, typer.Option(help="Read lines from a file in place of standard input.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a headline.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="Ask no model, even where one is configured.")] = False,
    high: Annotated[bool, typer.Option("--high", help="High priority: wait between no batches.")] = False,
) -> None:
    """Judge headlines: label, sentiment, relevance, and the words that made it.

    Lines of standard input are plain headlines, or JSON objects with "text" (or "title"). The rules answer at once;
    where a model is configured it is asked about those worth it, and both scores are kept.

    Examples: catalyst classify "Acme narrows loss, cuts costs" · catalyst classify --json < headlines.jsonl
    """
    import asyncio

    from catalyst.app import log
    from catalyst.app.settings import load
    from catalyst.errors import UsageError

    log.configure()
    given = [one for one in text or () if one != "-"]
    if given and file is not None:
        raise UsageError("give headlines as arguments or in a file, not both")
    if any(not one.strip() for one in given):
        raise UsageError("a headline is empty")
    priority: Literal["high", "normal"] = "high" if high else "normal"
    with _lines(file) as lines:
        chunks = [given] if given else _chunks(lines)
        count = asyncio.run(_judge(chunks, load(), as_json, rules, priority))
    if not count:
        raise UsageError("no headline was given: pass some as arguments, or lines on standard input")


async def _judge(
    chunks: Iterable[Sequence[str]],
    settings: Settings,
    as_json: bool,
    rules: bool,
    priority: Literal["high", "normal"],
) -> int:
    """Judge and print chunk by chunk; how many there were."""
    import contextlib

    from catalyst.app.build.hub import hub
    from catalyst.app.build.news import classifier

    count = 0
    async with contextlib.AsyncExitStack() as stack:
        llm = None if rules else await stack.enter_async_context(hub(settings, settings.app.data_dir))
        judge: Classifier = classifier(settings, llm)
        for texts in chunks:
            for found in await judge.classify_batch(texts, priority=priority):
                print(found.model_dump_json() if as_json else _line(found), flush=True)
            count += len(texts)
    return count


def _line(found: Classification) -> str:
    from catalyst.app.log import harmless

    words = f"  [{', '.join(found.keywords)}]" if found.keywords else ""
    both = f" (rules {found.scores.value:+.2f})" if found.scores.model is not None else ""
    who = f"  {found.model}" if found.source == "llm" else ""
    told = f"{_SIGN[found.label]} {found.label:<8} {found.sentiment:+.2f}{both}  relevance {found.relevance:.2f}{who}"
    return f"{told}  {harmless(found.text)}{harmless(words)}"


def _lines(file: Path | None) -> Any:
    """The open input; standard input where no file is named."""
    import contextlib
    import sys

    from catalyst.errors import UsageError

    if file is None:
        return contextlib.nullcontext(sys.stdin)
    try:
        return file.open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error


def _chunks(lines: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            chunk.append(_text(line, number))
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _text(line: str, number: int) -> str:
    """The headline of a line: the line itself, or a JSON object's text."""
    import orjson

    from catalyst.errors import UsageError

    line = line.strip()
    if not line.startswith("{"):
        return line[:LONGEST]
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"line {number} is no JSON ({error}): one object a line, or plain headlines") from error
    found = next((row[key] for key in ("text", "title", "headline") if isinstance(row.get(key), str)), "")
    if not found.strip():
        raise UsageError(f'line {number} has no "text": give {{"text": "…"}} a line, or plain headlines')
    return str(found)[:LONGEST]
