"""What a vendor's refusal means: status, headers and body in, a `ProviderError` out.

The tables below are the one place where vendors' error words stand. Read `catalyst.errors` first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from catalyst.errors import (
    LLMAuthenticationError,
    LLMBadResponseError,
    LLMContextError,
    LLMModelError,
    LLMRateLimitError,
    LLMRefusedError,
    LLMServerError,
    LLMTimeoutError,
    ProviderError,
    TimedOut,
    TooLarge,
    TransportError,
)
from catalyst.llm.providers.waits import wait_asked
from catalyst.llm.types import Usage

_SHOWN = 300
"""Characters of a vendor's own words that go into our message."""
_SHORTEST_KEY = 6
"""A shorter key is a placeholder for a local server, and would blank out ordinary words."""
_LOOKS_LIKE_A_KEY = re.compile(r"(?:sk|pk|rk|key)[-_][\w*.-]{6,}|AIza[\w*-]{8,}|(?i:bearer)\s+\S+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

_BY_STATUS: dict[int, type[ProviderError]] = {
    400: ProviderError,
    401: LLMAuthenticationError,
    402: LLMAuthenticationError,
    403: LLMAuthenticationError,
    404: LLMModelError,
    408: LLMTimeoutError,
    409: LLMServerError,
    413: LLMContextError,
    422: ProviderError,
    425: LLMServerError,
    429: LLMRateLimitError,
    504: LLMTimeoutError,
    529: LLMRateLimitError,
}
"""What a status means where the body does not say more. Other 5xx are LLMServerError, other 4xx ProviderError."""

_BY_KIND: dict[str, type[ProviderError]] = {
    "context_length_exceeded": LLMContextError,
    "string_above_max_length": LLMContextError,
    "exceed_context_size_error": LLMContextError,
    "request_too_large": LLMContextError,
    "model_not_found": LLMModelError,
    "not_found_error": LLMModelError,
    "invalid_api_key": LLMAuthenticationError,
    "api_key_invalid": LLMAuthenticationError,
    "authentication_error": LLMAuthenticationError,
    "permission_error": LLMAuthenticationError,
    "billing_error": LLMAuthenticationError,
    "content_policy_violation": LLMRefusedError,
    "content_filter": LLMRefusedError,
    "responsibleaipolicyviolation": LLMRefusedError,
    "rate_limit_error": LLMRateLimitError,
    "rate_limit_exceeded": LLMRateLimitError,
    "insufficient_quota": LLMRateLimitError,
    "overloaded_error": LLMRateLimitError,
    "resource_exhausted": LLMRateLimitError,
}
"""What the vendor's own code, type or status word means, in lower case; it outranks the status."""

_BY_SERVER_KIND: dict[str, type[ProviderError]] = {
    "timeout_error": LLMTimeoutError,
    "deadline_exceeded": LLMTimeoutError,
    "api_error": LLMServerError,
    "server_error": LLMServerError,
    "unavailable": LLMServerError,
    "internal": LLMServerError,
}
"""The same, but too general to outrank a status of the table above."""

_BY_WORDS: tuple[tuple[str, type[ProviderError]], ...] = (
    (
        r"context (?:length|window|size)|too many tokens|prompt is too long|maximum context|input token count",
        LLMContextError,
    ),
    (r"api key not valid|invalid api key|incorrect api key", LLMAuthenticationError),
    (r"model\b.{0,80}(?:not exist|not found)", LLMModelError),
    (r"content (?:policy|management policy)|safety system|flagged by|requires moderation", LLMRefusedError),
)
"""Where a vendor has no code for it. Read only in an answer of 400, 403, 404, 413 or 422."""

_ADVICE: dict[type[ProviderError], str] = {
    LLMAuthenticationError: "check its key, its rights and its credit",
    LLMContextError: "shorten the input or choose a model with a larger context",
    LLMModelError: "name a model that this provider serves, or correct its address",
    LLMRateLimitError: "wait, lower its limit or add a fallback target",
    LLMRefusedError: "reword the request or choose another provider",
    LLMServerError: "try again or fall back",
    LLMTimeoutError: "try again or allow more time",
    LLMBadResponseError: "try again or fall back",
    ProviderError: "correct the request",
}


class Faults:
    """Makes the errors of one provider; its key never stands in any of them."""

    def __init__(self, provider: str, key: str) -> None:
        self._provider = provider
        self._key = key

    def from_answer(
        self, status: int, headers: Mapping[str, str], body: Mapping[str, Any] | None, model: str, now: datetime
    ) -> ProviderError:
        """The error that an answer with an error status, or an error object in a stream, stands for."""
        kinds, words = _described(body)
        if status < 300:  # an error object in a good answer or in a stream, with its own status or none
            status = _inner_status(body)
        kind = _kind(status, kinds, words)
        after = wait_asked(headers, body, now)
        said = f"{self._provider} answered {status or 'an error'}"
        error = self.make(
            kind, f"{said} for {model}: {words}" if words else f"{said} for {model}", model, status, after
        )
        if kind is LLMRateLimitError and _exhausted(kinds, body):
            error.retryable = False
        return error

    def from_transport(self, error: TransportError, model: str) -> ProviderError:
        """The error that a failed request stands for."""
        if isinstance(error, TimedOut):
            return self.make(LLMTimeoutError, f"{self._provider} was too slow: {error}", model)
        if isinstance(error, TooLarge):
            return self.make(LLMBadResponseError, f"{self._provider} sent too much: {error}", model)
        return self.make(LLMServerError, f"{self._provider} broke off: {error}", model)

    def failed(self, body: Mapping[str, Any], model: str) -> ProviderError:
        """The error that an error object inside a good answer stands for."""
        return self.from_answer(200, {}, body, model, datetime.now(UTC))

    def bad(self, what: str, model: str, usage: Usage | None = None) -> ProviderError:
        """The answer is not of the provider's own format; `usage` where it could be read all the same."""
        error = self.make(LLMBadResponseError, f"{self._provider} answered {what} for {model}", model, 200)
        error.usage = usage
        return error

    def make(
        self, kind: type[ProviderError], said: str, model: str, status: int = 0, after: float | None = None
    ) -> ProviderError:
        message = f"{self._clean(said)}; {_ADVICE[kind]}"
        return kind(message, provider=self._provider, model=model, status=status, after=after)

    def _clean(self, text: str) -> str:
        if len(self._key) >= _SHORTEST_KEY:
            text = text.replace(self._key, "[key]")
        text = _LOOKS_LIKE_A_KEY.sub("[key]", _UNPRINTABLE.sub(" ", text[: 8 * _SHOWN]))
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _described(body: Mapping[str, Any] | None) -> tuple[list[str], str]:
    """The words a vendor files its error under, and what it says, from any of the known shapes."""
    fault = body.get("error", body) if body else None
    if isinstance(fault, str):
        return [], fault
    if not isinstance(fault, Mapping):
        return [], ""
    named: list[Any] = [fault.get(field) for field in ("code", "type", "status")]
    details = fault.get("details")
    if isinstance(details, list):
        named += [detail.get("reason") for detail in details if isinstance(detail, Mapping)]
    message = fault.get("message") or fault.get("detail") or ""
    return [name.lower() for name in named if isinstance(name, str)], message if isinstance(message, str) else ""


def _kind(status: int, kinds: list[str], words: str) -> type[ProviderError]:
    for kind in kinds:
        if kind in _BY_KIND:
            return _BY_KIND[kind]
    if status in (0, 400, 403, 404, 413, 422):
        for pattern, named in _BY_WORDS:
            if re.search(pattern, words[:4000], re.IGNORECASE):
                return named
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 500:
        return ProviderError
    return next((_BY_SERVER_KIND[kind] for kind in kinds if kind in _BY_SERVER_KIND), LLMServerError)


def _inner_status(body: Mapping[str, Any] | None) -> int:
    fault = body.get("error") if body else None
    code = fault.get("code") if isinstance(fault, Mapping) else None
    return code if isinstance(code, int) and 300 <= code < 600 else 0


def _exhausted(kinds: list[str], body: Mapping[str, Any] | None) -> bool:
    """True where waiting does not help: the credit is spent, or the quota of a day."""
    if "insufficient_quota" in kinds:
        return True
    fault = body.get("error") if body else None
    details = fault.get("details") if isinstance(fault, Mapping) else None
    return isinstance(details, list) and "PerDay" in str(details)[:4000]
