"""What a client may say on `/ws/filings`: `auth`, `subscribe`, and the text `ping`. Everything else is BadMessage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from catalyst.stream.filters import Filter

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

_CLIENT: TypeAdapter[Auth | Subscribe] = TypeAdapter(Annotated[Auth | Subscribe, Field(discriminator="type")])


def parse(text: str) -> Auth | Subscribe:
    """Raises BadMessage."""
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise BadMessage(f"{place}: {first['msg']}".lstrip(": ").encode()[:120].decode(errors="ignore")) from error
