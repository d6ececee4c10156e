"""One target's lane: posts what the outbox holds for it and edits each message to its end.

Two walks beside each other: `_post_turn` chooses what to post next (`plan.py`) and waits for Discord's leave;
`_edit_turn` gives every posted message its next word, at the latest the note that none came in time. Both only read the
outbox, act, and write down what happened: a kill anywhere is gone on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from catalyst.bot.beside import Beside
from catalyst.bot.cards import Known, Word, bare, card, digest
from catalyst.bot.embeds import Embed, faults
from catalyst.bot.outbox import Outbox, Row, State
from catalyst.bot.pace import Pace, Urgency
from catalyst.bot.plan import MERGE_FROM, Batch, Edit, begun, next_batch, next_edits, settling
from catalyst.bot.prices.screen import Screen
from catalyst.bot.recall import recall
from catalyst.bot.senders import Delivery, Limited, MessageGone, Rejected, Sender, SendError, TargetGone, TokenRefused
from catalyst.bot.stamps import Stamps
from catalyst.stream.types import Alert

log = structlog.get_logger()

FLYING = 4
"""Edits of one target under way at once."""
_BACKOFF_S, _LONGEST_S, _LAST_WORDS_S = 0.4, 30.0, 3.0
_REST_S = 5.0
_COMMIT_S = 1.0
"""After something urgent was announced, it is looked for so long: it may still be on its way to the disk."""


@dataclass(frozen=True, slots=True)
class LaneParts:
    """What all lanes share."""

    outbox: Outbox
    beside: Beside
    stamps: Stamps
    progressive: bool = True
    late_after_s: float = 10.0
    screen: Screen = field(default_factory=Screen)
    """Whose alerts are not told, where that is known in time."""
    draw: Callable[[], float] = random.random


class Lane:
    """`run` until cancelled or until the target is gone; `wake` when the outbox has something new."""

    def __init__(self, target: str, sender: Sender, parts: LaneParts, pace: Pace | None = None) -> None:
        self.target = target
        self._sender = sender
        self._parts = parts
        self._outbox = parts.outbox
        self._clock = parts.stamps.clock
        self._pace = pace
        self._posts, self._edits = asyncio.Event(), asyncio.Event()
        self._arrivals: deque[float] = deque(maxlen=MERGE_FROM + 1)
        self._idle = False
        """Nothing waited when we last looked, and nothing urgent came since."""
        self._low_since: float | None = None
        """When the first low alert came to the idle lane."""
        self._full_until = 0.0
        """Till then the limits let nothing low go: only what is urgent is worth a look."""
        self._urgent_at = -_COMMIT_S
        self._failures = 0
        self._not_before = 0.0
        self._retries: dict[int, tuple[int, float]] = {}
        self._flying: dict[str, asyncio.Task[None]] = {}
        self._charted: set[int] = set()
        """Rows whose chart is drawn and not shown yet."""
        self.gone = ""
        """Why nothing goes there any more."""

    def coming(self, now: float, *, urgent: bool) -> None:
        """Something for this target came in and is being written."""
        self._arrivals.append(now)
        if urgent:
            self._idle, self._low_since, self._urgent_at = False, None, now
        elif self._idle and self._low_since is None:
            self._low_since = now

    def wake(self, *, news: bool = True) -> None:
        """There is something new to post; with `news`, to edit, too."""
        self._posts.set()
        if news:
            self._edits.set()

    async def run(self) -> None:
        try:
            await recall(self.target, self._sender, self._outbox, self._parts.stamps, self._pace)
            await self._walks()
        except TargetGone as error:
            await self._abandon(error)

    async def _walks(self) -> None:
        posts = asyncio.create_task(self._walk(self._post_turn, self._posts))
        edits = asyncio.create_task(self._walk(self._edit_turn, self._edits))
        try:
            await _first_of(posts, edits)
        finally:
            for task in (posts, edits, *self._flying.values()):
                task.cancel()
            await asyncio.gather(posts, edits, *self._flying.values(), return_exceptions=True)

    async def last_words(self) -> None:
        """No message is left saying that the model is at work while we are not there to end it."""
        if self.gone:
            return
        rows = [row for row in await self._outbox.edits(self.target) if row.state is State.POSTED]
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout(_LAST_WORDS_S):
                for row in rows:
                    await self._last_word(row)

    async def _last_word(self, row: Row) -> None:
        while (wait := self._turn(Urgency.EDIT)) > 0:
            await self._clock.sleep(wait)
        with contextlib.suppress(SendError):
            await self._edit(Edit((row,), Word.DONE if row.final else Word.STOPPED))

    async def _walk(self, turn: Callable[[], Coroutine[Any, Any, float | None]], woken: asyncio.Event) -> None:
        """Turn after turn; between two, rest until woken or for as long as the turn said."""
        while not self.gone:
            woken.clear()
            with self._clock.working():
                wait = await turn()
            if wait is None or wait > 0:
                with contextlib.suppress(TimeoutError):
                    async with self._clock.timeout(wait):
                        await woken.wait()

    # -- posting

    async def _post_turn(self) -> float | None:
        """Post one message, or say how long to wait for the next chance; None: until woken."""
        now = self._parts.stamps.now()
        if now - self._urgent_at > _COMMIT_S and (wait := self._resting(now)) > 0:
            return wait
        self._low_since, self._idle = None, True
        rows = await self._outbox.posts(self.target)
        self._idle = self._idle and not rows
        hold = None if self._parts.progressive else self._parts.late_after_s
        batch, later = next_batch(rows, now, hold, self._arrivals)
        if batch is None:
            return later
        if (wait := self._turn(batch.urgency, batch.keep)) > 0:
            self._full_until = now + wait if batch.urgency is Urgency.LOW else 0.0
            return wait
        await self._post(batch)
        return 0.0

    def _resting(self, now: float) -> float:
        """Seconds in which a look at the outbox, which costs two threads' turns, cannot find anything to do."""
        since, last = self._low_since, self._arrivals
        settled = 0.0 if since is None else settling(now, since, last[-1], 1, last)
        return max(settled, min(self._full_until - now, _REST_S))

    def _turn(self, urgency: Urgency, keep: int = 0) -> float:
        """Take a request's turn (0), or say how long there is none: between asking and taking nobody else may come."""
        held = 0.0 if urgency is Urgency.EDIT else self._not_before - self._clock.monotonic()
        wait = max(held, self._pace.wait(urgency, keep) if self._pace else 0.0)
        if wait <= 0:
            self._take(urgency)
        return wait

    def _lost(self, urgency: Urgency) -> None:
        """A turn that was taken is not used."""
        if self._pace is not None:
            self._pace.lost(urgency)

    def _take(self, urgency: Urgency) -> None:
        if self._pace is not None:
            self._pace.take(urgency)

    async def _post(self, batch: Batch) -> None:
        stamps, rows = self._parts.stamps, batch.rows
        alerts = tuple(Alert.model_validate_json(row.body) for row in rows)
        ticker = alerts[0].ticker if len(alerts) == 1 else ""
        _, quote = await asyncio.gather(
            self._outbox.tried(rows, stamps.now(), batch.digest),
            self._parts.beside.soon(ticker, self._parts.screen.wait_s),
        )
        alone = not batch.digest
        if alone and (why := self._parts.screen.skips(alerts[0], quote, self._clock.now())):
            await self._outbox.gone(rows, why)
            self._lost(batch.urgency)
            return
        word = Word.DONE if not alone or rows[0].final else Word.PROCESSING if self._parts.progressive else Word.LATE
        late = self._parts.late_after_s
        known = Known(word, self._clock.now(), quote, late_after_s=late, due=stamps.moment(stamps.now() + late))
        delivery = Delivery(
            nonce=batch.digest or rows[0].nonce,
            embeds=(self._drawn_card(alerts, known, batch.digest),),
            alerts=alerts,
            done=word is not Word.PROCESSING,
            urgent=batch.urgency is Urgency.HIGH,
            silent=all(row.silent for row in rows),
            tried_at=None if batch.tried_at is None else stamps.moment(batch.tried_at),
        )
        message_id = await self._posted(rows, delivery)
        if not message_id:
            return
        state = {Word.PROCESSING: State.POSTED, Word.LATE: State.TIMED_OUT}.get(word, State.ENRICHED)
        old = self._sender.exact and delivery.tried_at is not None
        await self._outbox.posted(rows, message_id, state, stamps.now(), old=old)
        if alone:
            self._parts.beside.draw(rows[0].subject, alerts[0], lambda: self._has_chart(rows[0].id))
        self._edits.set()

    async def _posted(self, rows: Sequence[Row], delivery: Delivery) -> str:
        """The message's id; empty where it failed, which is then written down."""
        try:
            message_id = await self._sender.post(delivery)
        except TargetGone:
            raise
        except Rejected as error:
            return await self._posted_bare(rows, delivery, error)
        except SendError as error:
            await self._post_failed(rows, error)
            return ""
        except Exception as error:  # noqa: BLE001 (one message's sending is isolated: the others go on)
            await self._post_failed(rows, SendError(f"a fault of ours, {type(error).__name__}: {error}", doubtful=True))
            return ""
        self._failures = 0
        return message_id

    async def _posted_bare(self, rows: Sequence[Row], delivery: Delivery, error: Rejected) -> str:
        """Once more with the least; where even that is refused, it is said aloud and not tried for ever."""
        log.error("alert.rejected", target=self.target, subject=rows[0].subject, error=str(error))
        least = tuple(bare(alert) for alert in delivery.alerts[:1])
        self._take(Urgency.HIGH if delivery.urgent else Urgency.LOW)
        try:
            return await self._sender.post(replace(delivery, embeds=least, chart=None))
        except Rejected as again:
            await self._outbox.gone(rows, str(again))
        except TargetGone:
            raise
        except SendError as failed:
            await self._post_failed(rows, failed)
        return ""

    async def _post_failed(self, rows: Sequence[Row], error: SendError) -> None:
        log.warning("alert.not_accepted", target=self.target, error=str(error), doubtful=error.doubtful)
        counts = error.doubtful and not self._sender.exact
        await self._outbox.refused(rows, doubtful=error.doubtful, counts=counts, why=str(error))
        if isinstance(error, Limited) and self._pace is not None:
            return
        self._not_before = self._clock.monotonic() + self._backoff(self._failures, error.after)
        self._failures += 1

    # -- editing

    async def _edit_turn(self) -> float | None:
        """Start the edits that are due, at most a few at once; say when to look again."""
        rows = await self._outbox.edits(self.target)
        waiting = self._retries.keys() & {row.id for row in rows}  # what failed for a chart alone is not tried again
        self._retries = {ident: self._retries[ident] for ident in waiting}
        edits, later = next_edits(rows, self._parts.stamps, self._parts.late_after_s, self._retry_at)
        for row in edits.promoted:
            await self._outbox.promote(row)
            self._posts.set()
        due = edits.due or await self._late_charts()
        for edit in due:
            if edit.rows[0].message_id in self._flying:
                continue
            if len(self._flying) >= FLYING:
                return None
            if (wait := self._turn(Urgency.EDIT)) > 0:
                return wait
            self._fly(edit)
        return later

    def _fly(self, edit: Edit) -> None:
        message_id = edit.rows[0].message_id
        task = asyncio.create_task(self._edit_safely(edit))
        self._flying[message_id] = task

        def landed(_: object) -> None:
            self._flying.pop(message_id, None)
            self._edits.set()

        task.add_done_callback(landed)

    async def _edit_safely(self, edit: Edit) -> None:
        try:
            with self._clock.working():
                await self._edit(edit)
        except TargetGone as error:
            await self._abandon(error)
        except Exception as error:  # noqa: BLE001 (one edit is isolated: it is tried again, the others go on)
            log.warning("edit.not_accepted", target=self.target, error=f"{type(error).__name__}: {error}"[:300])
            self._charted.discard(edit.rows[0].id)
            self._try_later(edit, error.after if isinstance(error, SendError) else 0.0)

    async def _edit(self, edit: Edit) -> None:
        """Bring the message to what is known. Raises SendError where that should be tried again."""
        rows = edit.rows
        if rows[0].digest:
            rows = tuple(await self._outbox.members(self.target, rows[0].digest))
        alerts = tuple(Alert.model_validate_json(row.body) for row in rows)
        charted = rows[0].id in self._charted
        chart = self._parts.beside.chart(rows[0].subject) if not rows[0].digest else None
        quote = None if rows[0].digest else await self._parts.beside.soon(alerts[0].ticker)
        late, stamps = self._parts.late_after_s, self._parts.stamps
        known = Known(
            edit.word, self._clock.now(), quote, chart is not None, late, stamps.moment(begun(rows[0], stamps) + late)
        )
        embed = self._drawn_card(alerts, known, rows[0].digest)
        done = edit.word is not Word.PROCESSING
        delivery = Delivery(rows[0].digest or rows[0].nonce, (embed,), alerts, done, chart)
        try:
            await self._edited(rows[0].message_id, delivery)
        except MessageGone:
            await self._forget(rows, "the message was deleted")
            return
        except Rejected as error:
            log.error("edit.rejected", target=self.target, subject=rows[0].subject, error=str(error))
            await self._forget(rows, str(error))
            return
        states = {Word.PROCESSING: State.POSTED, Word.LATE: State.TIMED_OUT, Word.STOPPED: State.TIMED_OUT}
        await self._outbox.edited(rows, states.get(edit.word, State.ENRICHED))
        if charted:  # shown, or no longer kept: asking again would edit for ever
            self._charted.discard(rows[0].id)

    async def _forget(self, rows: Sequence[Row], why: str) -> None:
        """There is nothing to edit any more."""
        await self._outbox.gone(rows, why)
        self._charted.difference_update(row.id for row in rows)

    async def _edited(self, message_id: str, delivery: Delivery) -> None:
        try:
            await self._sender.edit(message_id, delivery)
        except Rejected:
            self._take(Urgency.EDIT)
            await self._sender.edit(message_id, replace(delivery, embeds=(bare(delivery.alerts[0]),), chart=None))

    async def _late_charts(self) -> list[Edit]:
        """Messages whose last word went out before their chart was drawn."""
        if not self._charted:
            return []
        words = {State.ENRICHED: Word.DONE, State.TIMED_OUT: Word.LATE}
        found = await self._outbox.of(sorted(self._charted))
        self._charted.intersection_update(row.id for row in found if row.state in {*words, State.POSTED})
        return [Edit((row,), words[row.state]) for row in found if row.state in words and not row.digest]

    def _has_chart(self, row_id: int) -> None:
        self._charted.add(row_id)
        self._edits.set()

    # -- both

    def _drawn_card(self, alerts: Sequence[Alert], known: Known, reference: str) -> Embed:
        """The card, or the least of it where drawing it fails: no alert is lost for its looks."""
        try:
            made = digest(alerts, known.now, reference[:8]) if reference else card(alerts[0], known)
            if not (wrong := faults((made,))):
                return made
            log.error("card.faulty", subject=alerts[0].filing_id, faults=wrong[:3])
        except Exception as error:  # noqa: BLE001 (one alert's looks are isolated)
            log.error("card.failed", subject=alerts[0].filing_id, error=f"{type(error).__name__}: {error}"[:200])
        return bare(alerts[0])

    def _retry_at(self, row: Row) -> float:
        return self._retries.get(row.id, (0, 0.0))[1]

    def _try_later(self, edit: Edit, after: float) -> None:
        count = self._retries.get(edit.rows[0].id, (0, 0.0))[0]
        self._retries[edit.rows[0].id] = (count + 1, self._parts.stamps.now() + self._backoff(count, after))

    def _backoff(self, failures: int, after: float) -> float:
        longest: float = min(_LONGEST_S, _BACKOFF_S * 2 ** min(failures, 10))
        return max(after, (0.5 + 0.5 * self._parts.draw()) * longest)

    async def _abandon(self, error: TargetGone) -> None:
        """Nothing goes there any more; where only the token is wrong, what waits is kept for the next."""
        self.gone = str(error)
        self.wake()
        kept = isinstance(error, TokenRefused)
        count = 0 if kept else await self._outbox.abandon(self.target, self.gone)
        log.error("target.gone", target=self.target, rows=count, error=self.gone)


async def _first_of(*tasks: asyncio.Task[None]) -> None:
    """Until one ends; raises what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
