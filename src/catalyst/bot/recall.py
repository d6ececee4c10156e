"""What an earlier process left to a lane: messages it was sending, what the channel got just now, unreadable rows."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from pydantic import ValidationError

from catalyst.bot.cards import unreadable
from catalyst.bot.outbox import Outbox, Row, State
from catalyst.bot.pace import Pace, Urgency
from catalyst.bot.senders import Delivery, Sender, SendError, TargetGone
from catalyst.bot.stamps import Stamps
from catalyst.stream.types import Alert

log = structlog.get_logger()

_MINUTE = 60


async def recall(target: str, sender: Sender, outbox: Outbox, stamps: Stamps, pace: Pace | None) -> None:
    """Before a lane begins. Raises TargetGone."""
    if not sender.exact and (count := await outbox.doubt(target)):
        log.warning("alert.maybe_twice", target=target, messages=count)
    if pace is not None and pace.channel is not None:
        for _ in range(await outbox.recent_posts(target, stamps.now() - _MINUTE)):
            pace.channel.add(stamps.clock.monotonic())
    while odd := [row for row in await _open(outbox, target) if not _readable(row)]:
        await _end(odd, target, sender, outbox, stamps, pace)


async def _open(outbox: Outbox, target: str) -> list[Row]:
    return [*await outbox.posts(target), *await outbox.edits(target)]


def _readable(row: Row) -> bool:
    try:
        Alert.model_validate_json(row.body)
    except ValidationError:
        return False
    return True


async def _end(
    rows: Sequence[Row], target: str, sender: Sender, outbox: Outbox, stamps: Stamps, pace: Pace | None
) -> None:
    """What another version of Catalyst wrote, and we cannot read: one such row must not keep all others back."""
    for row in rows:
        log.error("alert.unreadable", target=target, subject=row.subject, state=row.state.value)
        if row.state is State.POSTED and not row.digest:
            while pace is not None and (wait := pace.wait(Urgency.EDIT)) > 0:
                await stamps.clock.sleep(wait)
            if pace is not None:
                pace.take(Urgency.EDIT)
            try:
                await sender.edit(row.message_id, Delivery(row.nonce, (unreadable(row.subject),), (), done=True))
            except TargetGone:
                raise
            except SendError as error:
                log.warning("edit.not_accepted", target=target, error=str(error))
    await outbox.gone(rows, "another version wrote it, and this one cannot read it")
