"""Before a writer's first append: does the log end where it was said to? If not, refill it or begin a new epoch.

Redis may come back without its last writes (`appendfsync everysec`, a fail-over to a replica). Then offsets that
clients hold would be given out again, to other filings. `verdict` is the rule, in one place.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

import structlog

from catalyst.errors import Unavailable
from catalyst.stream.journal import Journal
from catalyst.stream.redis_link import Fence, Link
from catalyst.stream.redis_scripts import EPOCH, OWN, REFILL

SETTLE_SECONDS = 2.5
"""Where Redis does not sync each write, a new writer's name is on its disk after so long at the latest."""

CHUNK = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Server:
    """What Redis says of itself."""

    run: str
    """Another one after each start of the server."""
    syncs: bool
    """`appendonly yes` and `appendfsync always`, and not a promoted replica: what was acknowledged is on its disk."""
    settings: str
    """In words."""


@dataclass(frozen=True, slots=True)
class State:
    """The log as it stands, and who wrote it last."""

    epoch: str
    head: int
    run: str
    writer: str
    synced: bool


async def server(link: Link) -> Server:
    """Ask Redis who it is and how it keeps what it is given. Raises Unavailable."""
    run = str((await link.call("INFO", "server"))["run_id"])
    promoted = int((await link.call("INFO", "replication")).get("second_repl_offset", -1)) != -1
    try:
        found = [await link.call("CONFIG", "GET", name) for name in ("appendonly", "appendfsync")]
        keeps, sync = (each[1].decode() if len(each) == 2 else "unknown" for each in found)
    except Unavailable:
        keeps = sync = "unknown"  # a managed Redis may not say
    told = f"appendonly {keeps}, appendfsync {sync}" + (", as a replica that was promoted" if promoted else "")
    return Server(run, (keeps, sync) == ("yes", "always") and not promoted, told)


def warning(found: Server) -> str:
    """What may be lost with these settings; empty where nothing may."""
    if found.syncs:
        return ""
    return (
        f"Redis runs with {found.settings}: after a crash of its machine the newest filings' progress may be gone; "
        "messages are put back from the watching process' journal, or clients are told to start over. "
        "Set `appendonly yes` and `appendfsync always`"
    )


def verdict(state: State, now: Server, journal: Journal, seen: int) -> str:
    """`whole`, `refill` (the journal has what may be missing) or `renew` (nobody can say what was lost).

    `seen` is the last offset that this process has read of the same epoch.
    """
    ours = journal.epoch == state.epoch and journal.name == state.writer
    if ours and journal.head > state.head and journal.head >= seen:
        return "refill"
    if seen > state.head:
        return "renew"
    restarted = state.run != now.run
    return "renew" if restarted and not ours and not (state.synced and now.syncs) and state.run else "whole"


async def state_of(link: Link) -> State:
    """Raises Unavailable."""
    found = await link.call("HMGET", f"{link.prefix}:meta", "epoch", "head", "run", "writer", "synced")
    epoch, head, run, writer, synced = ((value or b"").decode() for value in found)
    return State(epoch, int(head or 0), run, writer, synced == "1")


async def prepare(link: Link, fence: Fence, journal: Journal, seen: int) -> str:
    """Make the log fit to be appended to and return its epoch. Raises Unavailable, Fenced or Behind."""
    now, state = await server(link), await state_of(link)
    outcome = verdict(state, now, journal, seen) if state.epoch else "renew"
    if outcome == "refill":
        outcome = await _refill(link, fence, journal, state)
    if outcome == "renew":
        state = await _renew(link, fence, state)
    if journal.epoch != state.epoch:
        await journal.begin(state.epoch, state.head)
    await link.write(OWN, fence, now.run, journal.name, "1" if now.syncs else "0")
    if not now.syncs and state.writer != journal.name:
        await asyncio.sleep(SETTLE_SECONDS)
    return state.epoch


async def _refill(link: Link, fence: Fence, journal: Journal, state: State) -> str:
    missing = await journal.after(state.head)
    if not missing:
        return "renew"
    for start in range(0, len(missing), CHUNK):
        flat = [value for entry in missing[start : start + CHUNK] for value in entry]
        await link.write(REFILL, fence, *flat)
    log.warning("stream.tail.refilled", first=state.head + 1, messages=len(missing))
    return "whole"


async def _renew(link: Link, fence: Fence, state: State) -> State:
    epoch = secrets.token_hex(8)
    await link.write(EPOCH, fence, epoch)
    if state.epoch:
        log.error("stream.epoch.renewed", head=state.head, was=state.epoch, epoch=epoch)
    return State(epoch, state.head, "", "", synced=False)
