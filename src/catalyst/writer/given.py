"""What a model is given of a request: its fields without what is unknown, and its notes as far as they fit. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalyst.writer.types import DealContext, EmailDraftContext, NoteEntry, OrderReceivedContext, ReminderDraftContext

MOST_CHARS = 60_000
"""Of notes in one question. The oldest are left out where they are more, which is a warning on the result."""

Note = Mapping[str, Any]


def mail(asked: EmailDraftContext | ReminderDraftContext) -> dict[str, Any]:
    """What mails and reminders have in common; a note of a deal names it."""
    return {
        "intent": asked.intent,
        "sender": asked.sender,
        "recipients": [recipient.model_dump(exclude_defaults=True) for recipient in asked.recipients],
        "notes": _latest(_of_mail(asked))[0],
        "tone": asked.tone,
    }


def deal(given: DealContext) -> dict[str, Any]:
    return {"deal": deals([given])[0], "notes": notes(given.notes)}


def order(asked: OrderReceivedContext) -> dict[str, Any]:
    """A deal, and the order as its newest note."""
    found = deal(asked.deal)
    if asked.order_text:
        found["notes"] = [*found["notes"], {"date": "", "author": "order", "text": asked.order_text}]
    return found


def deals(given: Sequence[DealContext]) -> list[dict[str, Any]]:
    return [each.model_dump(mode="json", exclude={"notes"}, exclude_none=True) for each in given]


def notes(given: Sequence[NoteEntry]) -> list[Note]:
    return _latest(_shown(given))[0]


def left_out(asked: object) -> list[str]:
    """A warning where notes did not fit."""
    if isinstance(asked, EmailDraftContext | ReminderDraftContext):
        found = _of_mail(asked)
    else:
        found = _shown(asked.deal.notes if hasattr(asked, "deal") else getattr(asked, "notes", []))
    dropped = _latest(found)[1]
    return [f"The {dropped} oldest of {len(found)} notes were not read: they are too long together."] if dropped else []


def _of_mail(asked: EmailDraftContext | ReminderDraftContext) -> list[Note]:
    """What was said to anybody about it; in the order of the days where every note has one."""
    found = _shown(asked.notes)
    for each in asked.deals:
        found += [{**note, "deal": each.name or each.deal_id} for note in _shown(each.notes)]
    return sorted(found, key=lambda note: note["date"]) if all(note.get("date") for note in found) else found


def _shown(given: Sequence[NoteEntry]) -> list[Note]:
    return [note.model_dump(mode="json", exclude_none=True) for note in given]


def _latest(given: Sequence[Note]) -> tuple[list[Note], int]:
    """The last notes that fit, and how many did not."""
    first, left = len(given), MOST_CHARS
    while first > 0 and len(given[first - 1]["text"]) <= left:
        first -= 1
        left -= len(given[first]["text"])
    return list(given[first:]), first


__all__ = ["MOST_CHARS", "deal", "deals", "left_out", "mail", "notes", "order"]
