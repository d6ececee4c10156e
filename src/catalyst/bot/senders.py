"""The seam between what is to be told and where: `Sender` posts a `Delivery` and edits it later.

What can go wrong is named here, by what the lane does next: wait, stop for this target, stop for this message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from catalyst.bot.embeds import Embed
from catalyst.errors import TransportError
from catalyst.stream.types import Alert


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to be posted, or what it is to become."""

    nonce: str
    """At most 25 characters; the same whenever this message is posted again."""
    embeds: tuple[Embed, ...]
    alerts: tuple[Alert, ...]
    """One, or those of a digest, oldest first."""
    done: bool
    """No further word is awaited."""
    chart: bytes | None = None
    """PNG."""
    urgent: bool = False
    """Goes before others where Discord's limits are near."""
    silent: bool = False
    """Without a notification."""
    tried_at: datetime | None = None
    """When an earlier attempt began whose end we never saw: it may stand there already."""


class Sender(Protocol):
    """One place that messages go to."""

    @property
    def exact(self) -> bool:
        """Whether posting the same nonce again makes no second message."""
        ...

    async def post(self, delivery: Delivery) -> str:
        """Post and return the message's id once it was accepted. Raises SendError."""
        ...

    async def edit(self, message_id: str, delivery: Delivery) -> None:
        """Replace the message. Raises SendError."""
        ...


class SendError(TransportError):
    """A message was not accepted. `after`: seconds to wait; `doubtful`: it may have been accepted all the same."""

    def __init__(self, message: str, *, status: int = 0, after: float = 0.0, doubtful: bool = False) -> None:
        self.after = after
        self.doubtful = doubtful
        super().__init__(message, status=status)


class Limited(SendError):
    """Too many requests: again after `after` seconds."""


class Forbidden(SendError):
    """Not allowed just now: a right may be given back."""


class TargetGone(SendError):
    """The webhook, the channel or the token is gone: nothing more can be sent there."""

    retryable = False


class TokenRefused(TargetGone):
    """The bot's token was reset. The channel is still there: what waits for it is told once there is a new token."""


class MessageGone(SendError):
    """The message was deleted: nothing to edit."""

    retryable = False


class Rejected(SendError):
    """The content was refused: the same again helps nobody."""

    retryable = False
