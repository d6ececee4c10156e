"""What every sender promises. A backend joins with a class that inherits `SenderContract` and a `place` fixture."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from catalyst.bot.cards import Known, Word, card
from catalyst.bot.senders import Delivery, Sender
from catalyst.stream.types import Alert, AlertType, Analysis

NOON = datetime(2025, 12, 12, 17, 0, tzinfo=UTC)


class Place(Protocol):
    """A sender, and what stands where it sends to: each message's newest text, oldest first."""

    sender: Sender

    async def texts(self) -> list[str]: ...


def delivery(number: int, *, version: int = 1, text: str = "") -> Delivery:
    alert = Alert(
        type=AlertType.FILING_ALERT if version == 1 else AlertType.FILING_UPDATE,
        filing_id=f"0009999999-25-{number:06}",
        ticker="ACME",
        company="Acme Widgets",
        filing_type="8-K",
        timestamp=NOON,
        version=version,
        headline=text or f"Acme files {number}, version {version}",
        analysis=Analysis(priority="high"),
    )
    word = Word.PROCESSING if version == 1 else Word.DONE
    return Delivery(f"nonce-{number}", (card(alert, Known(word, NOON)),), (alert,), done=version > 1)


class SenderContract:
    """The suite."""

    async def test_a_post_stands_there_and_has_an_id(self, place: Place):
        assert await place.sender.post(delivery(1))
        [text] = await place.texts()
        assert "Acme files 1" in text

    async def test_an_edit_changes_that_message_and_no_other(self, place: Place):
        first = await place.sender.post(delivery(1))
        second = await place.sender.post(delivery(2))
        assert first != second
        await place.sender.edit(first, delivery(1, version=2))
        texts = await place.texts()
        assert any("Acme files 1, version 2" in text for text in texts)
        assert not any("Acme files 2, version 2" in text for text in texts)

    async def test_an_edit_may_be_repeated(self, place: Place):
        first = await place.sender.post(delivery(1))
        for _ in range(2):
            await place.sender.edit(first, delivery(1, version=2))

    async def test_an_exact_sender_posts_a_nonce_once(self, place: Place):
        first, second = await place.sender.post(delivery(1)), await place.sender.post(delivery(1))
        assert (first == second) is place.sender.exact

    async def test_hostile_text_does_no_harm(self, place: Place):
        text = "\x1b[2J@everyone <@1> `x` [a](http://b.c)\u202e " + "z" * 9000
        assert await place.sender.post(delivery(1, text=text))
        [shown] = await place.texts()
        assert "\x1b" not in shown
        assert "\u202e" not in shown
