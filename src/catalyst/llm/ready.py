"""Make a request ready: shorten its documents, fold them into turns, measure it, find how hard it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from catalyst.errors import LLMValidationError
from catalyst.llm import tokens
from catalyst.llm.job import Job, folded, question
from catalyst.llm.retry import retries_of
from catalyst.llm.router import complexity_of, score
from catalyst.llm.structured import schema_of
from catalyst.llm.types import LLMRequest

if TYPE_CHECKING:
    from catalyst.clock import Clock
    from catalyst.llm.assembly import Parts
    from catalyst.llm.compress import Shortened


async def shortened_beside(request: LLMRequest) -> Shortened | None:
    """The documents shortened in a thread; None where the request does not ask for that."""
    if not request.compress_prompt or not request.documents:
        return None
    from catalyst.llm.compress import shortened

    return await asyncio.to_thread(shortened, request.documents)


def ready(request: LLMRequest, name: str, parts: Parts, clock: Clock, short: Shortened | None = None) -> Job:
    """The job of a request; `short` is what was made of its documents already. Raises LLMValidationError."""
    if request.compress_prompt and request.documents and short is None:
        from catalyst.llm.compress import shortened

        short = shortened(request.documents)
    now = clock.now()
    messages, schema = folded(request, short.documents if short is not None else None), schema_of(request)
    try:
        size = tokens.input_bytes(messages, request.tools, schema)
    except TypeError as error:
        raise LLMValidationError(f"tools and schemas must be JSON ({error}): flatten or correct them") from error
    length = sum(len(message.content) for message in messages) - len(request.system_prompt)
    why, complexity = "asked for", str(request.complexity)
    if complexity == "auto":
        points = score(request, schema, question(request), length)
        complexity, why = complexity_of(request, points, parts.settings.complexity_threshold), f"score {points:g}"
    seconds = request.timeout_seconds
    if "timeout_seconds" not in request.model_fields_set:
        seconds = parts.settings.timeout_seconds
    return Job(
        request=request,
        id=name,
        messages=messages,
        schema=schema,
        length=length,
        tokens=tokens.estimated(size),
        bound=tokens.bound(size, len(messages), framed=bool(request.tools or schema is not None)),
        complexity=complexity,
        why=why,
        now=now,
        deadline=clock.monotonic() + seconds,
        retries=retries_of(request.max_retries, parts.settings.max_retries, request.priority),
        scopes=parts.periods.scopes(now, request.tenant, request.feature_name),
        tokens_left_out=short.tokens_saved if short is not None else 0,
    )
