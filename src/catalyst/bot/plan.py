"""What a lane does next, from the outbox's rows and the time. Pure: no waiting, no sending.

Posts: what an earlier attempt left in doubt, then the urgent one by one, then the rest: alone while few wait, merged
into one digest where many do. Edits: each message's next word, those that still say "processing" first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from catalyst.bot.cards import Word, fits_digest
from catalyst.bot.outbox import Row, State, Tier
from catalyst.bot.pace import Urgency
from catalyst.bot.stamps import Stamps
from catalyst.stream.types import Alert

MERGE_FROM = 5
"""So many that wait become one message."""
MERGE_AFTER_S = 1.5
"""Two that waited so long do too."""
QUIET_S, LONGEST_QUIET_S = 0.01, 0.04
"""A low alert waits until nothing came for so long, so that a burst shows itself before it took the urgent's turn."""
BURST_QUIET_S, LONGEST_BURST_S = 0.15, 1.2
"""So do many: what is urgent among those still coming goes first."""
DIGEST_EVERY_S = 600.0
MOST = 200
"""Alerts in one digest."""
CALM_S = 15.0
"""Between two edits of one digest."""
_ALL = 1000
_ROUNDING_S = 0.001


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that go out as one message; `keep` requests are left to the urgent."""

    rows: tuple[Row, ...]
    urgency: Urgency
    keep: int = 0
    digest: str = ""
    """The digest's nonce; empty for a message of its own."""
    tried_at: float | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """The next word of one message."""

    rows: tuple[Row, ...]
    word: Word


@dataclass(slots=True)
class Edits:
    """What is due, and which rows leave their digest for a message of their own."""

    due: list[Edit] = field(default_factory=list)
    promoted: list[Row] = field(default_factory=list)


def next_batch(
    rows: Sequence[Row], now: float, hold_s: float | None, arrivals: Sequence[float] = ()
) -> tuple[Batch | None, float | None]:
    """The next post, or the seconds until one may be chosen (None: until something comes).

    `rows` as the outbox orders them. `hold_s`: alerts that are not final wait so long for their final word. `arrivals`:
    when the last alerts came in, written or not.
    """
    doubtful = [row for row in rows if row.tried_at is not None]
    if doubtful:
        return _again(doubtful), None
    ready = [row for row in rows if hold_s is None or row.final or now - row.detected_at >= hold_s]
    held = [row.detected_at + (hold_s or 0.0) - now for row in rows if row not in ready]
    wait = max(0.0, min(held)) + _ROUNDING_S if held else None
    urgent = next((row for row in ready if row.tier is Tier.HIGH), None)
    if urgent is not None:
        return Batch((urgent,), Urgency.HIGH), None
    batch, later = _low([row for row in ready if row.tier is Tier.LOW], now, arrivals)
    if batch is None and later is None:
        batch, later = _collected([row for row in ready if row.tier is Tier.DIGEST], now)
    return batch, _sooner(wait, later)


def _again(doubtful: Sequence[Row]) -> Batch:
    """The same rows under the same nonce as the attempt whose end was not seen."""
    first = doubtful[0]
    rows = tuple(row for row in doubtful if row.digest == first.digest) if first.digest else (first,)
    urgency = Urgency.HIGH if first.tier is Tier.HIGH else Urgency.LOW
    return Batch(rows, urgency, digest=first.digest, tried_at=first.tried_at)


def _low(lows: Sequence[Row], now: float, arrivals: Sequence[float]) -> tuple[Batch | None, float | None]:
    if not lows:
        return None, None
    moments = [row.detected_at for row in lows]
    if (wait := settling(now, min(moments), max([*arrivals, *moments]), len(lows), arrivals)) > 0:
        return None, wait
    waited = now - min(moments)
    if len(lows) >= MERGE_FROM or (len(lows) > 1 and waited >= MERGE_AFTER_S):
        return _merged(lows), None
    return Batch((lows[0],), Urgency.LOW, keep=2), None


def settling(now: float, first: float, last: float, count: int, arrivals: Sequence[float]) -> float:
    """Seconds until low alerts have settled, of which the first and the last came then; 0 where they have."""
    quiet, waited = now - last, now - first
    many = count >= MERGE_FROM or sum(now - moment < 1.0 for moment in arrivals) >= MERGE_FROM
    enough, longest = (BURST_QUIET_S, LONGEST_BURST_S) if many else (QUIET_S, LONGEST_QUIET_S)
    if 0 <= quiet < enough and 0 <= waited < longest:
        return min(enough - quiet, longest - waited) + _ROUNDING_S
    return 0.0


def _collected(rows: Sequence[Row], now: float) -> tuple[Batch | None, float | None]:
    """Channels that want digests get one every ten minutes."""
    if not rows:
        return None, None
    left = min(row.detected_at for row in rows) + DIGEST_EVERY_S - now
    return (None, left + _ROUNDING_S) if left > 0 else (_merged(rows), None)


def _merged(rows: Sequence[Row]) -> Batch:
    some = rows[:MOST]
    fit = max(1, fits_digest([Alert.model_validate_json(row.body) for row in some]))
    return Batch(tuple(some[:fit]), Urgency.LOW, keep=_ALL, digest=f"d{some[0].nonce[:23]}")


def next_edits(
    rows: Sequence[Row], stamps: Stamps, late_after_s: float, retry_at: Callable[[Row], float]
) -> tuple[Edits, float | None]:
    """The edits that are due, most pressing first, and the seconds until another will be."""
    now, found = stamps.now(), Edits()
    waits: list[float] = []
    digests: dict[str, list[Row]] = {}
    for row in rows:
        if row.digest:
            digests.setdefault(row.digest, []).append(row)
            continue
        moment, word = _next_word(row, stamps, late_after_s)
        moment = max(moment, retry_at(row))
        if moment <= now:
            found.due.append(Edit((row,), word))
        else:
            waits.append(moment - now)
    waits += _digests(digests, found, now, retry_at)
    found.due.sort(key=lambda edit: edit.rows[0].state is not State.POSTED)
    return found, min(waits) + _ROUNDING_S if waits else None


def _next_word(row: Row, stamps: Stamps, late_after_s: float) -> tuple[float, Word]:
    """What the message is to say next, and when: at once where something new is known, else when time is up."""
    now, news = stamps.now(), row.version > row.shown
    if row.final and (news or row.state is State.POSTED):
        return 0.0, Word.DONE
    if row.state is not State.POSTED:
        return 0.0, Word.LATE if row.state is State.TIMED_OUT else Word.DONE
    due = begun(row, stamps) + late_after_s
    if now >= due:
        return 0.0, Word.LATE
    return (0.0, Word.PROCESSING) if news else (due, Word.LATE)


def begun(row: Row, stamps: Stamps) -> float:
    """From when the wait for the model's word counts.

    An attempt of an earlier process, or one that a clock set back puts into the future, counts from our start.
    """
    tried = row.tried_at
    return tried if tried is not None and stamps.started <= tried <= stamps.now() else stamps.started


def _digests(digests: dict[str, list[Row]], found: Edits, now: float, retry_at: Callable[[Row], float]) -> list[float]:
    """Digests whose members have news: at most one edit in a while each. Who became urgent leaves."""
    waits = []
    for changed in digests.values():
        leaving = [row for row in changed if b'"priority":"high"' in row.body]
        found.promoted += leaving
        rest = [row for row in changed if row not in leaving]
        if not rest:
            continue
        moment = max((rest[0].posted_at or 0.0) + CALM_S, retry_at(rest[0]))
        if moment <= now:
            found.due.append(Edit(tuple(rest), Word.DONE))
        else:
            waits.append(moment - now)
    return waits


def _sooner(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else min(one, other)
