"""Filings that EDGAR takes away: suspected by the feed's walks, proved by EDGAR's own 404s, then told of.

A row that vanishes proves nothing: pages shift, and the feed has gaps. A filing counts as withdrawn when its index
page and its text are both 404, twice, ten minutes apart. One that the feed shows again is told of as restored.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Protocol

import structlog

from catalyst.clock import Clock
from catalyst.errors import StorageError, TransportError
from catalyst.filings.fetch import Fetcher
from catalyst.filings.ledger import Entry, Ledger, Stage

PROOF_SECONDS = 600.0
"""Between the two looks that prove it."""

MAX_SUSPECTS = 100
"""Looked into at once; when more vanish together, the feed is ill, and the next walks name those that stay away."""

TRUSTED_SECONDS = 6 * 3600.0
"""A filing that was found there is not suspected again for so long."""

_MOST_TRUSTED = 10_000


class Teller(Protocol):
    """Whoever tells of it (`pipeline.Pipeline`)."""

    async def tell_afterwards(self, entry: Entry, *, withdrawn: bool) -> None: ...


class Withdrawals:
    """Suspects and their proofs. `note` from the walks; `run` until cancelled."""

    def __init__(self, ledger: Ledger, fetcher: Fetcher, teller: Teller, clock: Clock) -> None:
        self._ledger = ledger
        self._fetcher = fetcher
        self._teller = teller
        self._clock = clock
        self._suspects: dict[str, float | None] = {}
        """When both were first 404, on the clock; None before the first look."""
        self._trusted: dict[str, float] = {}
        self._log = structlog.get_logger()

    async def note(self, shown: Iterable[str], missing: Set[str]) -> None:
        """Take in what a walk showed and what it missed; what came back is told of at once."""
        shown = set(shown)
        for name in shown & self._suspects.keys():
            del self._suspects[name]
        now = self._clock.monotonic()
        for name in sorted(missing):
            if len(self._suspects) < MAX_SUSPECTS and self._trusted.get(name, 0.0) <= now:
                self._suspects.setdefault(name, None)
        for name in await self._ledger.returned(shown):
            await self._tell(name, withdrawn=False)

    async def run(self) -> None:
        """Look into the suspects once a minute, until cancelled. Raises StorageError."""
        while True:
            await self._clock.sleep(60.0)
            for name, since in list(self._suspects.items()):
                if since is None or self._clock.monotonic() - since >= PROOF_SECONDS:
                    await self._look(name, since)

    async def _look(self, name: str, since: float | None) -> None:
        entry = await self._ledger.get(name)
        if entry is None or entry.withdrawn or Stage.FINAL not in entry.stages:
            self._suspects.pop(name, None)  # what is not told to the end yet is the pipeline's to find out
            return
        try:
            gone = await self._fetcher.is_gone(entry.filing)
        except TransportError as error:
            self._log.info("withdrawal.unclear", accession=name, error=str(error))
            return
        if not gone:
            self._suspects.pop(name, None)
            self._trust(name)
        elif since is None:
            self._suspects[name] = self._clock.monotonic()
        elif self._suspects.pop(name, None) is not None:
            await self._tell(name, withdrawn=True)

    async def _tell(self, name: str, *, withdrawn: bool) -> None:
        entry = await self._ledger.get(name)
        if entry is None or entry.withdrawn == withdrawn:
            return
        self._log.warning("filing.withdrawn" if withdrawn else "filing.restored", accession=name)
        try:
            await self._teller.tell_afterwards(entry, withdrawn=withdrawn)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 (one filing's fault must not end the watch; the next walk brings it again)
            self._log.error("withdrawal.not_told", accession=name, exc_info=error)

    def _trust(self, name: str) -> None:
        if len(self._trusted) >= _MOST_TRUSTED:
            self._trusted.clear()
        self._trusted[name] = self._clock.monotonic() + TRUSTED_SECONDS


__all__ = ["Teller", "Withdrawals"]
