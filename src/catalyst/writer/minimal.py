"""Drafts without a model: short, dull, true. Every word is ours or the input's. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from catalyst.writer.language import LANGUAGES
from catalyst.writer.types import (
    DealContext,
    EmailDraftContext,
    NoteEntry,
    OrderReceivedContext,
    Recipient,
    ReminderDraftContext,
)

_MOST_NOTES = 3
_MOST_CHARS = 400
_MOST_TEXT = 4_000


def email(asked: EmailDraftContext | ReminderDraftContext) -> tuple[str, str]:
    """Subject and body of a mail."""
    say = LANGUAGES[asked.language].words
    about = ", ".join(deal.name or deal.deal_id for deal in asked.deals if deal.name or deal.deal_id)
    subject = say["subject"].format(intent=asked.intent, names=about) if about else asked.intent
    lines = [_greeting(asked.recipients, asked.language), "", say["about"].format(intent=asked.intent)]
    if asked.deals:
        lines += ["", say["open"], *(f"- {told(deal, asked.language)}" for deal in asked.deals)]
    lines += ["", say["ask"], "", say["closing"], asked.sender]
    return subject[:150], "\n".join(lines).strip()


def message(asked: ReminderDraftContext) -> str:
    """A short reminder."""
    say = LANGUAGES[asked.language].words
    lines = [_greeting(asked.recipients, asked.language), say["reminder"].format(intent=asked.intent)]
    lines += [f"- {told(deal, asked.language)}" for deal in asked.deals[:3]]
    return "\n".join([*lines, say["ask"], asked.sender]).strip()


def told(deal: DealContext, language: str) -> str:
    """A deal on one line, without what is not known; internal fields stay inside."""
    say = LANGUAGES[language].words
    parts = [" / ".join(part for part in (deal.name or deal.deal_id, deal.customer) if part)]
    if deal.value is not None:
        parts.append(f"{deal.value:,f} {deal.currency}")
    if deal.due_date is not None:
        parts.append(f"{say['due']}: {deal.due_date.isoformat()}")
    return ", ".join(part for part in parts if part) or say["unknown"]


def summary(deal: DealContext, language: str) -> str:
    """A deal for colleagues: its fields and its latest notes."""
    say = LANGUAGES[language].words
    lines = [told(deal, language)]
    if deal.stage:
        days = "" if deal.days_in_stage is None else f" ({say['days']}: {deal.days_in_stage})"
        lines.append(f"{say['stage']}: {deal.stage}{days}")
    if deal.owner:
        lines.append(f"{say['owner']}: {deal.owner}")
    return "\n".join([*lines, notes(deal.notes, language)])


def order(asked: OrderReceivedContext) -> str:
    """A deal with the words of its order."""
    said = [NoteEntry(text=asked.order_text[:_MOST_TEXT])] if asked.order_text.strip() else []
    deal = asked.deal.model_copy(update={"notes": [*asked.deal.notes, *said]})
    return summary(deal, asked.language)


def notes(given: Sequence[NoteEntry], language: str) -> str:
    """The latest notes, shortened."""
    say = LANGUAGES[language].words
    if not given:
        return say["none"]
    return "\n".join([say["notes"], *(f"- {_dated(note)}" for note in given[-_MOST_NOTES:])])


def missing(deal: DealContext) -> list[str]:
    """Names of the fields that are not known."""
    fields = ("name", "customer", "stage", "owner", "value", "due_date")
    return [name for name in fields if getattr(deal, name) in ("", None)]


def _greeting(recipients: Sequence[Recipient], language: str) -> str:
    say = LANGUAGES[language].words
    names = ", ".join(recipient.name for recipient in recipients if recipient.name)
    return say["greeting"].format(names=names) if names else say["greeting_all"]


def _dated(note: NoteEntry) -> str:
    text = " ".join(note.text.split())
    short = text if len(text) <= _MOST_CHARS else text[:_MOST_CHARS].rsplit(" ", 1)[0] + " …"
    return f"{note.date.isoformat()}: {short}" if note.date else short
