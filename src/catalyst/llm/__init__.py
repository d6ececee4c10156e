"""The LLM hub: one async call to many providers, routed, limited, budgeted and accounted for.

`LLMService` in `service` is where to begin. Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalyst.errors import (
        AllProvidersFailed,
        BudgetExceeded,
        LLMAuthenticationError,
        LLMBadResponseError,
        LLMContextError,
        LLMModelError,
        LLMRateLimitError,
        LLMRefusedError,
        LLMServerError,
        LLMServiceError,
        LLMStreamError,
        LLMTimeoutError,
        LLMValidationError,
        ProviderError,
        QuotaExceeded,
        StructuredOutputError,
    )
    from catalyst.llm.answer import AnswerStream
    from catalyst.llm.embedding import Embeddings
    from catalyst.llm.service import LLMService
    from catalyst.llm.settings import HubSettings
    from catalyst.llm.types import Delta, LLMRequest, LLMResponse, Message, Tool, ToolCall, Usage

_PLACES = {
    "catalyst.llm.service": ("LLMService",),
    "catalyst.llm.answer": ("AnswerStream",),
    "catalyst.llm.embedding": ("Embeddings",),
    "catalyst.llm.settings": ("HubSettings",),
    "catalyst.llm.types": ("Delta", "LLMRequest", "LLMResponse", "Message", "Tool", "ToolCall", "Usage"),
    "catalyst.errors": (
        "AllProvidersFailed",
        "BudgetExceeded",
        "LLMAuthenticationError",
        "LLMBadResponseError",
        "LLMContextError",
        "LLMModelError",
        "LLMRateLimitError",
        "LLMRefusedError",
        "LLMServerError",
        "LLMServiceError",
        "LLMStreamError",
        "LLMTimeoutError",
        "LLMValidationError",
        "ProviderError",
        "QuotaExceeded",
        "StructuredOutputError",
    ),
}
_WHERE = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'catalyst.llm' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(_WHERE)


__all__ = [
    "AllProvidersFailed",
    "AnswerStream",
    "BudgetExceeded",
    "Delta",
    "Embeddings",
    "HubSettings",
    "LLMAuthenticationError",
    "LLMBadResponseError",
    "LLMContextError",
    "LLMModelError",
    "LLMRateLimitError",
    "LLMRefusedError",
    "LLMRequest",
    "LLMResponse",
    "LLMServerError",
    "LLMService",
    "LLMServiceError",
    "LLMStreamError",
    "LLMTimeoutError",
    "LLMValidationError",
    "Message",
    "ProviderError",
    "QuotaExceeded",
    "StructuredOutputError",
    "Tool",
    "ToolCall",
    "Usage",
]
