"""What goes into the hub and what comes out: `LLMRequest`, `LLMResponse`, and the provider seam's own types."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

Complexity = Literal["auto", "simple", "medium", "complex", "critical"]
FinishReason = Literal["stop", "length", "tool_calls", "refused", "other"]


class Message(BaseModel):
    """One turn of a chat."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: list[ToolCall] = Field(default_factory=list)
    tool_call_id: str = ""


class ToolCall(BaseModel):
    """A call the model asks for; `arguments` is the JSON text it wrote."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    arguments: str


class Tool(BaseModel):
    """A function the model may call; `parameters` is its JSON schema."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)


class LLMRequest(BaseModel):
    """One question to the hub. Exactly one of `prompt` and `messages`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    prompt: str = ""
    system_prompt: str = ""
    messages: list[Message] = Field(default_factory=list)
    documents: list[str] = Field(default_factory=list)
    """Long source text kept apart from the instructions: only these are ever compressed."""
    tools: list[Tool] = Field(default_factory=list)
    tool_choice: Literal["auto", "none", "required"] | str | None = None
    """Or the name of the tool that must be called."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    stop: list[str] = Field(default_factory=list)
    seed: int | None = None
    complexity: Complexity = "auto"
    model: str | None = None
    """Pins a model of the catalog, or `provider/model`."""
    max_tokens: int = Field(default=1024, ge=1, le=100_000)
    temperature: float = Field(default=0.7, ge=0, le=2)
    output_format: Literal["text", "json", "pydantic"] = "text"
    output_schema: Any = None
    """A JSON schema (dict), or a Pydantic model class for `pydantic`."""
    enable_cache: bool = True
    cache_match: Literal["exact", "semantic"] | None = None
    """How far a kept answer may be used again; unset, the feature decides. Chats and tools are always exact."""
    cache_ttl_seconds: int = Field(default=86_400, ge=0)
    compress_prompt: bool = False
    request_id: str = ""
    """Made by the hub when empty."""
    tenant: str = Field(default="default", validation_alias=AliasChoices("tenant", "user_id"), max_length=200)
    feature_name: str = Field(default="", max_length=200)
    template: str = Field(default="", max_length=200)
    """Which prompt file made it (`Rendered.key`: id, version and hash); part of every cache key and ledger row."""
    priority: Literal["high", "normal", "low"] = "normal"
    fallback_on_error: bool = True
    max_retries: int | None = Field(default=None, ge=0, le=5)
    """Unset: 3 for high priority, else 1."""
    timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    """One deadline over all retries and fallbacks."""

    @model_validator(mode="after")
    def _one_input(self) -> LLMRequest:
        if bool(self.prompt) == bool(self.messages):
            raise ValueError("give exactly one of prompt and messages")
        if self.output_format == "pydantic" and not isinstance(self.output_schema, type):
            raise ValueError("output_format 'pydantic' needs output_schema to be a Pydantic model class")
        return self


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one attempt. `cached` and `reasoning` are subsets of `input` and `output`."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


class Outcome(StrEnum):
    """How an attempt ended, as the ledger records it."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    AUTH = "auth"
    TIMEOUT = "timeout"
    CONTEXT = "context"
    REFUSED = "refused"
    SERVER = "server"
    BAD_RESPONSE = "bad_response"
    MODEL = "model"
    INVALID = "invalid"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one target; skipped targets appear too, at no cost, with the reason in `detail`."""

    provider: str
    model: str
    outcome: Outcome
    latency_ms: float = 0.0
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal = Decimal(0)
    detail: str = ""


class LLMResponse(BaseModel):
    """The hub's answer, with what it took."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    text: str
    parsed_output: Any = None
    provider: str = ""
    model: str = ""
    cached: bool = False
    cache_kind: Literal["exact", "semantic"] | None = None
    latency_ms: float = 0.0
    tokens_input: int = 0
    tokens_output: int = 0
    tokens_cached: int = 0
    cost_usd: Decimal = Decimal(0)
    """Of all attempts, failed ones included."""
    confidence: float | None = None
    """Null unless calibrated."""
    finish_reason: FinishReason = "stop"
    tool_calls: list[ToolCall] = Field(default_factory=list)
    cache_key: str = ""
    prompt_compressed: bool = False
    tokens_left_out: int = 0
    """Of the documents, by compression; counted by `compress.TOKENIZER`, not by the provider."""
    retries: int = 0
    attempts: list[Attempt] = Field(default_factory=list)
    route: str = ""
    """Why this target: the router's decision in words."""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt as a dialect needs it: the request resolved to a model, messages and limits."""

    model: str
    """The provider's own name of it."""
    messages: tuple[Message, ...]
    """System turns first; documents already folded into the user turn."""
    max_tokens: int
    temperature: float | None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    schema: Mapping[str, Any] | None = None
    """JSON schema for structured output; an empty mapping asks for any JSON object."""
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    timeout_seconds: float = 30.0
    texts: tuple[str, ...] = ()
    """To embed, instead of messages."""
    before_send: Callable[[], Awaitable[None]] | None = field(default=None, compare=False, repr=False)
    """A dialect awaits it when the connection stands, just before the request leaves: from then on it may be billed."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A dialect's answer."""

    text: str
    usage: Usage
    finish_reason: FinishReason = "stop"
    tool_calls: tuple[ToolCall, ...] = ()
    model: str = ""
    """As the provider names what really answered."""
    vectors: tuple[list[float], ...] = ()
    """Of a call that embeds."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a streamed answer; the last one carries `usage` and `finish_reason`."""

    text: str = ""
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    tool_calls: tuple[ToolCall, ...] = ()


class Provider(Protocol):
    """A wire dialect bound to one vendor's address and key. Errors are `ProviderError`s."""

    @property
    def name(self) -> str: ...

    async def complete(self, call: Call) -> Completion: ...

    def stream(self, call: Call) -> AsyncGenerator[Delta, None]:
        """Deltas as they arrive; closing the iterator closes the connection."""
        ...

    async def embed(self, call: Call) -> Completion:
        """One vector for each of `call.texts`, in their order."""
        ...

    async def ping(self) -> None:
        """Ask for the list of models: it costs nothing, and proves the address and the key."""
        ...


Message.model_rebuild()
