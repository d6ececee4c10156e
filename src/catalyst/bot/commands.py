"""The slash commands: what each is called, what it takes, who may use it, what it says.

`COMMANDS` is the one list: it is registered with Discord and answers its calls. Answers are seen only by who asked.
A channel's settings are changed only by members who may manage the channel; one's own by anybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from pydantic import ValidationError

from catalyst.bot.embeds import clip, number, plain
from catalyst.bot.money import told_usage
from catalyst.bot.outbox import Outbox
from catalyst.bot.preferences import FOREVER, Preferences, PreferenceStore, plain_ticker
from catalyst.bot.stamps import Stamps
from catalyst.errors import CatalystError, UsageError
from catalyst.stream.types import Alert

MANAGE_CHANNELS, ADMINISTRATOR = 1 << 4, 1 << 3
CONTENT = 1900
_STRING, _INTEGER, _BOOLEAN = 3, 4, 5
_LEVELS = {"all": 0.0, "low": 0.4, "medium": 0.6, "high": 0.8}


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a command."""

    name: str
    options: Mapping[str, Any]
    user: str
    channel: str
    """Empty in a direct message."""
    permissions: int = 0

    @property
    def may_manage(self) -> bool:
        return bool(self.permissions & (MANAGE_CHANNELS | ADMINISTRATOR))


@dataclass(frozen=True, slots=True)
class Desk:
    """What commands look into and change."""

    outbox: Outbox
    preferences: PreferenceStore
    stamps: Stamps
    watch_user: Callable[[str], bool]
    status: Callable[[], Awaitable[Mapping[str, Any]]]
    usage: Callable[[], Awaitable[Mapping[str, Any]]]
    """What the service says of money: `/api/usage`."""


Answer = Callable[[Desk, Call], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """One row of `COMMANDS`; `options` as Discord takes them."""

    name: str
    description: str
    answer: Answer
    options: tuple[dict[str, Any], ...] = ()

    def wire(self) -> dict[str, Any]:
        made = {"name": self.name, "description": self.description, "type": 1}
        return {**made, "options": list(self.options)} if self.options else made


async def answer(desk: Desk, call: Call) -> str:
    """What the command says; a mistake of the caller is said in words."""
    command = COMMANDS.get(call.name)
    if command is None:
        return "There is no such command here any more."
    try:
        return clip(await command.answer(desk, call), CONTENT) or "Nothing to show."
    except UsageError as error:
        return clip(plain(str(error)), CONTENT)
    except CatalystError as error:
        return clip(f"That failed: {plain(str(error))}", CONTENT)


async def _watch(desk: Desk, call: Call) -> str:
    owner, mine = _owner(call)
    before = desk.preferences.of(owner)
    tickers = _tickers(call.options.get("ticker", ""))
    action = call.options.get("action", "list")
    if action == "list" or not tickers:
        return _watched(before)
    after = before.watching(tickers, add=action == "add")
    await _put(desk, call, owner, after)
    said = _watched(after)
    if mine and after.watch and not desk.watch_user(owner):
        said += "\nThis bot has no token, so it cannot write to you directly: ask for `where: channel`."
    return said


async def _mute(desk: Desk, call: Call) -> str:
    owner, _ = _owner(call)
    now = desk.stamps.now()
    what = _muted_name(call.options)
    hours = call.options.get("hours")
    until = FOREVER if hours is None else now + max(0, int(hours)) * 3600
    after = desk.preferences.of(owner).muting(what, until, now)
    await _put(desk, call, owner, after)
    shown = plain(what.removeprefix("FORM:"))
    if until <= now:
        return f"{shown} is told again."
    return f"{shown} is muted{'' if hours is None else f' for {int(hours)} h'}."


async def _snooze(desk: Desk, call: Call) -> str:
    owner, _ = _owner(call)
    minutes = max(0, min(int(call.options.get("minutes", 0)), 7 * 1440))
    after = replace(desk.preferences.of(owner), snoozed_until=desk.stamps.now() + minutes * 60)
    await _put(desk, call, owner, after)
    return f"Quiet for {minutes} min; `/latest` shows what came meanwhile." if minutes else "Alerts come again."


async def _threshold(desk: Desk, call: Call) -> str:
    owner, _ = _owner(call)
    before = desk.preferences.of(owner)
    level = str(call.options.get("level", ""))
    if level and level not in _LEVELS:
        raise UsageError(f"level is one of {', '.join(_LEVELS)}")
    after = replace(
        before,
        threshold=_LEVELS[level] if level else before.threshold,
        quiet=bool(call.options.get("quiet", before.quiet)),
        digest=bool(call.options.get("digest", before.digest)),
    )
    if after != before:
        await _put(desk, call, owner, after)
    return (
        f"From a score of {after.threshold:g}; what is not urgent comes "
        f"{'every ten minutes in one message' if after.digest else 'one by one'}"
        f"{', without a notification' if after.quiet else ''}."
    )


async def _latest(desk: Desk, call: Call) -> str:
    ticker = plain_ticker(str(call.options.get("ticker", "")))
    lines = []
    for body in await desk.outbox.latest(ticker, 8):
        alert = _alert(body)
        if alert is not None:
            score = number(alert.analysis.sentiment)
            lines.append(clip(f"{plain(alert.headline) or plain(alert.company)} {score}", 220))
    return "\n".join(lines) or f"Nothing{f' of {plain(ticker)}' if ticker else ''} was told in the last week."


async def _why(desk: Desk, call: Call) -> str:
    """The rules that fired, and what they made."""
    what = str(call.options.get("what", "")).strip()
    body = await desk.outbox.alert(what)
    if body is None:
        found = await desk.outbox.latest(plain_ticker(what), 1) if what else []
        body = found[0] if found else None
    alert = _alert(body) if body is not None else None
    if alert is None:
        return f"Nothing is known of {plain(what) or 'that'}: name a ticker, or the id at an alert's foot."
    analysis = alert.analysis
    rules = [f"· {clip(plain(rule), 200)}" for rule in analysis.rules[:12]] or ["· no rule left its name"]
    facts = [f"· {clip(plain(fact.quote), 200)}" for fact in analysis.facts[:4] if fact.verified and fact.quote]
    lines = [
        f"**{clip(plain(alert.headline), 200)}**",
        f"score {analysis.priority_score:.2f} ({analysis.priority}), by {analysis.source}",
        *rules,
        *(["Found in the text:", *facts] if facts else []),
    ]
    return "\n".join(lines)


async def _status(desk: Desk, call: Call) -> str:
    found = await desk.status()
    messages = found["messages"]
    waiting = messages["detected"]
    lines = [
        f"{'following the service' if found['following'] else 'not connected to the service'}, "
        f"{found['received']} messages since start",
        f"{messages['posted']} at work, {messages['enriched']} told whole, {messages['timed_out']} without the model,"
        f" {messages['gone']} gone, {waiting} waiting",
        f"{found['targets']} targets{', gone: ' + ', '.join(found['gone']) if found['gone'] else ''}; "
        f"{messages['doubts']} possible duplicates; Discord said 429 {found['limited']} times",
    ]
    return "\n".join(lines)


async def _usage(desk: Desk, call: Call) -> str:
    return told_usage(await desk.usage())


def _owner(call: Call) -> tuple[str, bool]:
    """Whose settings are meant, and whether they are the caller's own."""
    if call.options.get("where", "me" if not call.channel else "channel") == "me" or not call.channel:
        return f"user:{call.user}", True
    return f"channel:{call.channel}", False


async def _put(desk: Desk, call: Call, owner: str, preferences: Preferences) -> None:
    """Raises UsageError for who may not."""
    if owner.startswith("channel:") and not call.may_manage:
        raise UsageError("only members who may manage this channel change what it gets; `where: me` is yours")
    await desk.preferences.put(owner, preferences)


def _watched(preferences: Preferences) -> str:
    if not preferences.watch:
        return "The watchlist is empty."
    return clip("Watched: " + ", ".join(plain(name) for name in preferences.watch), CONTENT)


def _tickers(text: str) -> list[str]:
    found = [plain_ticker(part) for part in str(text)[:400].replace(",", " ").split()]
    wrong = [name for name in found if not name.replace("-", "").isalnum() or len(name) > 12]
    if wrong:
        raise UsageError(f"{wrong[0][:20]} is no ticker")
    return found


def _muted_name(options: Mapping[str, Any]) -> str:
    form = str(options.get("form", "")).strip().upper()[:20]
    if form:
        return f"FORM:{form}"
    tickers = _tickers(str(options.get("ticker", "")))
    if len(tickers) != 1:
        raise UsageError("name one ticker or one form")
    return tickers[0]


def _alert(body: bytes) -> Alert | None:
    try:
        return Alert.model_validate(orjson.loads(body))
    except (ValidationError, orjson.JSONDecodeError):
        return None


def _option(name: str, description: str, kind: int = _STRING, *choices: str, **more: Any) -> dict[str, Any]:
    listed = {"choices": [{"name": choice, "value": choice} for choice in choices]} if choices else {}
    return {"name": name, "description": description, "type": kind, **listed, **more}


_WHERE = _option("where", "This channel's settings, or your own", _STRING, "channel", "me")
_ROWS = (
    Command(
        "watch",
        "Tickers that come whatever their score",
        _watch,
        (
            _option("action", "What to do", _STRING, "add", "remove", "list", required=True),
            _option("ticker", "One or more, AAPL MSFT"),
            _WHERE,
        ),
    ),
    Command(
        "mute",
        "Hear nothing of a ticker or a form",
        _mute,
        (
            _option("ticker", "AAPL"),
            _option("form", "424B5"),
            _option("hours", "How long; 0 ends it, none means for good", _INTEGER, min_value=0, max_value=8760),
            _WHERE,
        ),
    ),
    Command(
        "snooze",
        "No alerts for a while",
        _snooze,
        (_option("minutes", "0 ends it", _INTEGER, required=True, min_value=0, max_value=10080), _WHERE),
    ),
    Command(
        "threshold",
        "From which priority alerts come, and how",
        _threshold,
        (
            _option("level", "Least priority", _STRING, *_LEVELS),
            _option("quiet", "Without a notification, but for the urgent", _BOOLEAN),
            _option("digest", "Together every ten minutes, but for the urgent", _BOOLEAN),
            _WHERE,
        ),
    ),
    Command("latest", "The newest alerts", _latest, (_option("ticker", "Of this ticker only"),)),
    Command(
        "why",
        "Why an alert scored as it did: the rules that fired",
        _why,
        (_option("what", "A ticker, or the id at the alert's foot", required=True),),
    ),
    Command("status", "What the bot is doing", _status),
    Command("usage", "What the models cost", _usage),
)
COMMANDS: Mapping[str, Command] = {command.name: command for command in _ROWS}
