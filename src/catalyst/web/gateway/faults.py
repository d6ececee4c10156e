"""What each error of the hub is to a client: a status, the vendors' words for it, and when to come back."""

from __future__ import annotations

import math
from dataclasses import dataclass

from catalyst.errors import (
    AllProvidersFailed,
    BudgetExceeded,
    CatalystError,
    LLMContextError,
    LLMModelError,
    LLMRateLimitError,
    LLMRefusedError,
    LLMTimeoutError,
    LLMValidationError,
    ProviderError,
    QuotaExceeded,
    StorageError,
    StructuredOutputError,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal, before either vendor's shape is put around it."""

    status: int
    openai_type: str
    code: str | None
    anthropic_type: str
    message: str
    param: str | None = None
    retry_after: float | None = None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Whole seconds in `Retry-After`, as its standard has it, and milliseconds where clients read them."""
        if self.retry_after is None:
            return []
        seconds, millis = math.ceil(self.retry_after), math.ceil(self.retry_after * 1000)
        return [(b"retry-after", b"%d" % seconds), (b"retry-after-ms", b"%d" % millis)]


class Rejected(CatalystError):
    """A request that goes no further."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


_INVALID = "invalid_request_error"


BROKEN = Fault(500, "server_error", None, "api_error", "the gateway failed at this request: its log says why")
"""An error of ours that was not foreseen; what it says stays in the log."""


def invalid(message: str, param: str | None = None, code: str | None = None) -> Rejected:
    """The request makes no sense; `param` names the field."""
    return Rejected(Fault(400, _INVALID, code, _INVALID, message, param))


def unauthenticated() -> Rejected:
    """No key, or one that is not known."""
    text = "no valid API key: send one as `Authorization: Bearer KEY` or `x-api-key: KEY`"
    return Rejected(Fault(401, _INVALID, "invalid_api_key", "authentication_error", text))


def forbidden(message: str) -> Rejected:
    """A known key without the right."""
    return Rejected(Fault(403, _INVALID, "forbidden", "permission_error", message))


def missing(message: str, code: str | None = None) -> Rejected:
    """No such path or model."""
    return Rejected(Fault(404, _INVALID, code, "not_found_error", message))


def too_large(most: int) -> Rejected:
    """More bytes than the gateway takes."""
    text = f"the body has more than {most} bytes: send less, or raise GATEWAY_MAX_BODY_BYTES"
    return Rejected(Fault(413, _INVALID, "request_too_large", "request_too_large", text))


def unavailable(message: str) -> Rejected:
    """Nothing here can answer now."""
    return Rejected(Fault(503, "server_error", "service_unavailable", "api_error", message))


def of(error: CatalystError) -> Fault:
    """The fault that an error of the hub is. A provider's own refusal of our key is never the client's 401."""
    if isinstance(error, Rejected):
        return error.fault
    text = str(error)
    match error:
        case QuotaExceeded():
            after = error.retry_after
            return Fault(429, "requests", "rate_limit_exceeded", "rate_limit_error", text, retry_after=after)
        case BudgetExceeded():
            return Fault(429, "insufficient_quota", "insufficient_quota", "rate_limit_error", text)
        case StructuredOutputError():
            return Fault(502, "server_error", "schema_not_met", "api_error", text)
        case LLMValidationError():
            return Fault(400, _INVALID, None, _INVALID, text)
        case AllProvidersFailed():
            return Fault(503, "server_error", "all_providers_failed", "overloaded_error", text)
        case ProviderError():
            return _of_provider(error, text)
        case StorageError():
            return Fault(
                503, "server_error", "storage", "api_error", "the gateway's store cannot be used now: try later"
            )
    return Fault(500, "server_error", None, "api_error", text)


def _of_provider(error: ProviderError, text: str) -> Fault:
    match error:
        case LLMModelError():
            return Fault(404, _INVALID, "model_not_found", "not_found_error", text, "model")
        case LLMContextError():
            return Fault(400, _INVALID, "context_length_exceeded", _INVALID, text, "messages")
        case LLMRefusedError():
            return Fault(400, _INVALID, "content_filter", _INVALID, text)
        case LLMRateLimitError():
            after = error.after
            return Fault(429, "requests", "rate_limit_exceeded", "rate_limit_error", text, retry_after=after)
        case LLMTimeoutError():
            return Fault(504, "server_error", "timeout", "api_error", text)
    return Fault(502, "server_error", "provider_failed", "api_error", text)
