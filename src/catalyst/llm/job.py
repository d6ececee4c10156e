"""A request made ready: messages folded, sizes counted, deadline set. Made once, read by every attempt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from catalyst.errors import LLMValidationError
from catalyst.llm import tokens
from catalyst.llm.budget import Scope
from catalyst.llm.types import Call, LLMRequest, Message


@dataclass(frozen=True, slots=True)
class Job:
    """What the hub knows about one request before it is sent anywhere."""

    request: LLMRequest
    id: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None
    length: int
    """Characters of the question and the documents."""
    tokens: int
    """Likely input tokens."""
    bound: int
    """Input tokens that no tokenizer exceeds."""
    complexity: str
    why: str
    """How the complexity was found."""
    now: datetime
    deadline: float
    """On the monotonic clock."""
    retries: int
    scopes: tuple[Scope, ...]
    texts: tuple[str, ...] = ()
    """To embed; the request's prompt then only stands for their size."""
    tokens_left_out: int = 0
    """Of the documents, by compression."""

    def call(
        self,
        model: str,
        max_tokens: int,
        seconds: float,
        temperature: float | None,
        before_send: Callable[[], Awaitable[None]] | None = None,
    ) -> Call:
        """One attempt's call."""
        asked = self.request
        return Call(
            model=model,
            messages=self.messages,
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=asked.top_p,
            stop=tuple(asked.stop),
            seed=asked.seed,
            schema=self.schema,
            tools=tuple(asked.tools),
            tool_choice=asked.tool_choice,
            timeout_seconds=seconds,
            texts=self.texts,
            before_send=before_send,
        )

    def with_turns(self, turns: tuple[Message, ...]) -> Job:
        """The same job with turns added, for the repair."""
        size = sum(tokens.utf8_length(turn.content) for turn in turns)
        return replace(
            self,
            messages=self.messages + turns,
            tokens=self.tokens + tokens.estimated(size),
            bound=self.bound + tokens.bound(size, len(turns), framed=False),
        )


def folded(request: LLMRequest, shortened: Sequence[str] | None = None) -> tuple[Message, ...]:
    """System turns first, then the conversation, with the documents (or what was made of them) in its last user turn.

    Raises LLMValidationError where documents have no user turn to stand in.
    """
    system = [_turn("system", request.system_prompt)] if request.system_prompt else []
    documents = request.documents if shortened is None else shortened
    if request.prompt:
        text = _with_documents(documents, request.prompt) if documents else request.prompt
        return (*system, _turn("user", text))
    turns = [turn for turn in request.messages if turn.role != "system"]
    system += [turn for turn in request.messages if turn.role == "system"]
    if documents:
        users = [place for place, turn in enumerate(turns) if turn.role == "user"]
        if not users:
            raise LLMValidationError("documents need a user message to stand with: add one")
        last = turns[users[-1]]
        turns[users[-1]] = last.model_copy(update={"content": _with_documents(documents, last.content)})
    return (*system, *turns)


def _turn(role: Literal["system", "user"], text: str) -> Message:
    """A turn of text that was validated already; every field is named, so that no default is copied."""
    return Message.model_construct(role=role, content=text, tool_calls=[], tool_call_id="")


def question(request: LLMRequest) -> str:
    """What the caller asks, without the documents."""
    return request.prompt or "\n".join(turn.content for turn in request.messages if turn.role == "user")


def _with_documents(documents: Sequence[str], text: str) -> str:
    """Documents between tags that they cannot close themselves."""
    parts = [
        f'<document index="{number}">\n{document.replace("</document>", "&lt;/document&gt;")}\n</document>'
        for number, document in enumerate(documents, 1)
    ]
    return "\n\n".join([*parts, text])
