"""The error tree, by whose fault it is. Every message says what failed, then what to do.

CatalystError
├── SettingsError            the operator's: a setting is missing or malformed
├── UsageError               the caller's: an argument makes no sense (exit code 2)
├── TransportError           the network's or the peer's
│   ├── Unreachable          no connection, reset, or name not resolved
│   ├── TimedOut             connected, but too slow
│   ├── NotFound             404
│   ├── Refused              403 or 429: stop, perhaps for `after` seconds
│   ├── BadStatus            any other status that is not a success
│   └── TooLarge             more bytes than the caller allowed
├── ParseError               the document's: not what its form promises
│   └── Truncated            ends before it should
├── StorageError             the disk's or the database's
│   ├── DiskFull
│   ├── Locked               another process holds it
│   └── Unavailable          a shared database does not answer now: it may be asked again
│       ├── Fenced           another process holds the lease by now: this one must stop writing
│       └── Behind           it came back without writes that it had acknowledged
├── NotSupported             a known thing that this version does not do
└── LLMServiceError          the hub's; its children live below
    ├── ProviderError        one provider failed one attempt (`retryable` says whether again helps)
    │   ├── LLMRateLimitError, LLMAuthenticationError, LLMTimeoutError, LLMContextError,
    │   ├── LLMRefusedError, LLMServerError, LLMBadResponseError, LLMModelError
    │   └── LLMStreamError   a stream broke after its first token; `delivered` is what had come
    ├── LLMValidationError   the request makes no sense
    │   └── StructuredOutputError   the model's text never met the schema; `raw` holds it
    ├── BudgetExceeded       money: refused before any was spent
    ├── QuotaExceeded        requests per window; `retry_after` seconds
    └── AllProvidersFailed   `attempts` lists each try
"""

from __future__ import annotations

from typing import Any


class CatalystError(Exception):
    """Base of everything Catalyst raises on purpose; `exit_code` is the command line's."""

    exit_code = 1


class SettingsError(CatalystError):
    """A setting is missing or malformed."""


class UsageError(CatalystError):
    """The command was called with something that makes no sense."""

    exit_code = 2


class TransportError(CatalystError):
    """A request did not bring an answer. `url` never holds a secret."""

    retryable = True

    def __init__(self, message: str, *, url: str = "", status: int = 0) -> None:
        self.url = url
        self.status = status
        super().__init__(message)


class Unreachable(TransportError):
    """No connection, a reset, or a name that does not resolve."""


class TimedOut(TransportError):
    """The peer was reached but took too long."""


class NotFound(TransportError):
    """The peer says 404: not there, or not there yet."""


class Refused(TransportError):
    """The peer says 403 or 429; `after` is the seconds it asked for, 0 when it did not say."""

    def __init__(self, message: str, *, url: str = "", status: int = 0, after: float = 0.0) -> None:
        self.after = after
        super().__init__(message, url=url, status=status)


class BadStatus(TransportError):
    """Any other status that is not a success; `body` is its first bytes."""

    def __init__(self, message: str, *, url: str = "", status: int = 0, body: bytes = b"", after: float = 0.0) -> None:
        self.body = body
        self.after = after
        super().__init__(message, url=url, status=status)


class TooLarge(TransportError):
    """The answer holds more bytes than the caller allowed."""

    retryable = False


class ParseError(CatalystError):
    """A document is not what its form promises."""


class Truncated(ParseError):
    """A document ends before it should."""


class StorageError(CatalystError):
    """A database or a file could not be read or written."""


class DiskFull(StorageError):
    """No space left: nothing was half-written."""


class Locked(StorageError):
    """Another process holds the database or the data directory."""


class Unavailable(StorageError):
    """A shared database does not answer now; whoever can wait asks again."""


class Fenced(Unavailable):
    """Another process took the lease: nothing was written, and this one starts over as a stand-by."""


class Behind(Unavailable):
    """The shared database came back without writes that it had acknowledged: nothing was written on top."""


class NotSupported(CatalystError):
    """A known thing that this version does not do."""


class LLMServiceError(CatalystError):
    """Base of the hub's errors."""


class ProviderError(LLMServiceError):
    """One provider failed one attempt. `after` is the seconds it asked us to wait, if it said so."""

    retryable = False
    usage: Any = None
    """The `Usage` that the failed attempt is billed for, where the provider said it."""

    def __init__(
        self, message: str, *, provider: str, model: str = "", status: int = 0, after: float | None = None
    ) -> None:
        self.provider = provider
        self.model = model
        self.status = status
        self.after = after
        super().__init__(message)


class LLMRateLimitError(ProviderError):
    """The provider refused for now."""

    retryable = True


class LLMAuthenticationError(ProviderError):
    """The key is missing, wrong or lacks a right."""


class LLMTimeoutError(ProviderError):
    """No answer within the time left."""

    retryable = True


class LLMContextError(ProviderError):
    """The input is longer than the model takes."""


class LLMRefusedError(ProviderError):
    """The provider's safety system blocked the request or the answer."""


class LLMServerError(ProviderError):
    """The provider failed (5xx) or the connection broke."""

    retryable = True


class LLMBadResponseError(ProviderError):
    """The answer is not of the provider's own format."""

    retryable = True


class LLMStreamError(ProviderError):
    """A stream broke after its first token, so no other target could take over; `delivered` is the text so far."""

    def __init__(self, message: str, *, provider: str, model: str = "", delivered: str = "") -> None:
        self.delivered = delivered
        super().__init__(message, provider=provider, model=model)


class LLMModelError(ProviderError):
    """No such model, or a retired one; the message names the successor where there is one."""


class LLMValidationError(LLMServiceError):
    """The request makes no sense, or this dialect cannot express one of its fields."""


class StructuredOutputError(LLMValidationError):
    """The answer never met the schema; `raw` holds the model's text."""

    def __init__(self, message: str, *, raw: str) -> None:
        self.raw = raw
        super().__init__(message)


class BudgetExceeded(LLMServiceError):
    """The money is spent: refused before the call."""


class QuotaExceeded(LLMServiceError):
    """Too many requests in a window; try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class AllProvidersFailed(LLMServiceError):
    """Every target failed or was skipped; `attempts` lists each one in order."""

    def __init__(self, message: str, *, attempts: tuple[Any, ...] = ()) -> None:
        self.attempts = attempts
        super().__init__(message)
