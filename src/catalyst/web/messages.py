"""What is said on `/ws/filings`: by a client (`auth`, `subscribe`, the text `ping`; all else is BadMessage), and by us.

The messages of the service are written as bytes (`frames.py`); their models here are what AsyncAPI shows and tests
check.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from catalyst.stream.filters import Filter
from catalyst.stream.types import Alert, AlertType, HeadlineAlert

Name = Annotated[str, StringConstraints(min_length=1, max_length=32)]


class BadMessage(Exception):
    """The client sent something the protocol does not have; the text says what (at most 120 bytes, for a close)."""


class Resume(BaseModel):
    """Where the client stopped: the last `seq` or `pos` it has, of which log."""

    model_config = ConfigDict(strict=True)

    epoch: str = Field(max_length=64)
    after: int = Field(ge=0, lt=1 << 62)


class Auth(BaseModel):
    """The key, where the handshake had none."""

    type: Literal["auth"]
    api_key: str = Field(max_length=256)


class Subscribe(BaseModel):
    """What the client wants, and from where. A later one replaces the earlier."""

    type: Literal["subscribe"]
    tickers: list[Name] = Field(default=[], max_length=1000)
    forms: list[Name] = Field(default=[], max_length=100)
    min_priority: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    resume: Resume | None = None

    @property
    def wanted(self) -> Filter:
        return Filter.of(self.tickers, self.forms, self.min_priority)

    @property
    def shown(self) -> dict[str, object]:
        """The filter as understood, for the answer."""
        wanted = self.wanted
        return {
            "tickers": sorted(wanted.tickers),
            "forms": sorted(wanted.forms),
            "min_priority": wanted.min_priority,
        }


EVERYTHING = Subscribe(type="subscribe")


class Connected(BaseModel):
    """The first message: what this is, and which part of the log is held."""

    type: Literal["connected"]
    version: Literal[1]
    epoch: str
    head: int
    oldest: int
    heartbeat_s: float


class Wanted(BaseModel):
    """The filter as understood."""

    tickers: list[str]
    forms: list[str]
    min_priority: float


class Subscribed(BaseModel):
    """The answer to `subscribe`: from where messages follow, and whether that is where the client stopped."""

    type: Literal["subscribed"]
    pos: int
    recovered: bool
    reason: Literal["", "live", "epoch_changed", "too_old", "ahead"]
    """Why not; empty when it is."""
    filters: Wanted
    cursor: str | None = None
    """Where it is not: `cursor` of `/api/filings/recent`, which has what came before `pos`."""


class CaughtUp(BaseModel):
    """Everything up to `pos` was sent; what follows is live."""

    type: Literal["caught_up"]
    pos: int


class Heartbeat(BaseModel):
    """Nothing that matches was missed up to `pos`."""

    type: Literal["heartbeat"]
    pos: int


class _Placed(BaseModel):
    seq: int
    """Its offset in the log."""
    prev: int
    """The last `seq` that matched the same filter: when the client does not have it, something is missing."""
    replay: bool
    """Whether it was missed and is sent again."""


class FilingMessage(Alert, _Placed):
    """An alert of a filing, or a later message of one."""

    type: Literal[AlertType.FILING_ALERT, AlertType.FILING_UPDATE]


class HeadlineMessage(HeadlineAlert, _Placed):
    """The same of a headline."""

    type: Literal[AlertType.HEADLINE_ALERT, AlertType.HEADLINE_UPDATE]


CLOSE_CODES = {
    1012: "The service restarts, or the log goes on under other numbers: connect again and resume.",
    1013: "The log cannot be read now: resume later.",
    4001: "No valid API key, or it was revoked.",
    4003: "The key may not read, or the page's origin may not connect.",
    4008: "Too many bytes unread: resume later.",
    4009: "Too many connections.",
    4010: "A message that the protocol does not have, or too many.",
}
"""Every code the service closes with, beside those of RFC 6455 itself."""

_CLIENT: TypeAdapter[Auth | Subscribe] = TypeAdapter(Annotated[Auth | Subscribe, Field(discriminator="type")])


def parse(text: str) -> Auth | Subscribe:
    """Raises BadMessage."""
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise BadMessage(f"{place}: {first['msg']}".lstrip(": ").encode()[:120].decode(errors="ignore")) from error
