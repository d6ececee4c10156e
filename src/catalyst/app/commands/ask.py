"""`catalyst ask`: one question to the hub, with its cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from catalyst.llm import LLMRequest, LLMResponse

MOST_BYTES = 20 << 20
"""A document that is larger is not sent."""

_UNFINISHED = {
    "length": "the answer was cut off at its limit: raise --max-tokens",
    "refused": "the provider refused to answer: reword the question, or pin another --model",
    "other": "the provider ended the answer early, without a known reason: it may not be whole",
}


def ask(
    question: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    model: Annotated[str, typer.Option(help="Pin a model of the catalog, or provider/model.")] = "",
    complexity: Annotated[str, typer.Option(help="auto, simple, medium, complex or critical.")] = "auto",
    system: Annotated[str, typer.Option(help="The system prompt.")] = "",
    file: Annotated[list[Path] | None, typer.Option(help="A text document to ask about; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole response as one JSON object.")] = False,
    stream: Annotated[bool, typer.Option(help="Print the answer as it is written.")] = True,
    max_tokens: Annotated[int, typer.Option(min=1, max=100_000, help="Longest answer, in tokens.")] = 1024,
) -> None:
    """Ask a language model, routed to the cheapest that is good enough, within the budget.

    The answer goes to standard output; model, tokens and cost go to standard error.

    Examples: catalyst ask "What is a 10-K?" · catalyst ask "Which risks are new?" --file 10k.txt --complexity complex
    """
    import asyncio
    import sys

    from catalyst.app import log
    from catalyst.errors import UsageError

    log.configure()
    if complexity not in ("auto", "simple", "medium", "complex", "critical"):
        raise UsageError(f"--complexity {complexity!r}: use auto, simple, medium, complex or critical")
    if question == "-":
        question = sys.stdin.read(MOST_BYTES)
    if not question.strip():
        raise UsageError("the question is empty")
    from catalyst.llm import LLMRequest

    request = LLMRequest(
        prompt=question,
        model=model or None,
        complexity=complexity,
        system_prompt=system,
        documents=[_text(path) for path in file or ()],
        max_tokens=max_tokens,
        feature_name="ask",
    )
    asyncio.run(_answer(request, as_json, stream and not as_json))


async def _answer(request: LLMRequest, as_json: bool, stream: bool) -> None:
    from catalyst.app.build.hub import hub
    from catalyst.app.log import plain
    from catalyst.app.settings import load
    from catalyst.errors import SettingsError

    settings = load()
    async with hub(settings, settings.app.data_dir) as llm:
        if llm is None:
            raise SettingsError(
                "no model can be asked: set a provider's key (GEMINI_API_KEY, ANTHROPIC_API_KEY, …), or "
                "LLM_LOCAL_ENABLED=1 with a local server"
            )
        if not stream:
            _show(await llm.query(request), as_json)
            return
        answer = llm.stream(request)
        async for delta in answer:
            print(plain(delta.text), end="", flush=True)
        print()
        if answer.response is not None:
            _account(answer.response)


def _show(response: LLMResponse, as_json: bool) -> None:
    from catalyst.app.log import plain

    if as_json:
        print(response.model_dump_json())
        return
    print(plain(response.text))
    _account(response)


def _account(response: LLMResponse) -> None:
    import sys

    print(
        f"{response.provider}/{response.model} · {response.tokens_input} + {response.tokens_output} tokens · "
        f"{response.cost_usd:.6f} USD · {response.latency_ms / 1000:.1f} s · {response.route}",
        file=sys.stderr,
    )
    if response.finish_reason in _UNFINISHED:
        print(f"catalyst: {_UNFINISHED[response.finish_reason]}", file=sys.stderr)


def _text(path: Path) -> str:
    from catalyst.errors import UsageError

    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} is larger than {MOST_BYTES >> 20} MiB: cut out the part you ask about")
        return path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
