"""EDGAR's rules for programs: say who you are, at most 10 requests a second, 10 minutes of quiet after an excess."""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from dataclasses import dataclass, field

RATE = 10
WINDOW = 0.95
"""Seconds over which requests are counted: a sender that keeps to `RATE` in its own second is not refused for the
milliseconds that the way here adds to one request and not to the next."""

QUIET = 600.0
MAX_PEERS = 1024

_CONTACT = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def declared(user_agent: str) -> bool:
    """Whether a User-Agent names a contact: an e-mail address."""
    return _CONTACT.search(user_agent) is not None


@dataclass(slots=True)
class _Peer:
    recent: deque[float] = field(default_factory=deque)
    last: float = float("-inf")
    blocked: bool = False


class RateLimit:
    """Counts each peer's requests in simulated time; `rate` None switches it off."""

    def __init__(self, rate: int | None = RATE, quiet: float = QUIET) -> None:
        self.rate = rate
        self.refused = 0
        self._quiet = quiet
        self._peers: OrderedDict[str, _Peer] = OrderedDict()

    def allows(self, peer: str, now: float) -> bool:
        """Note one request; False while the peer is blocked. Each refused one begins the quiet time anew."""
        if self.rate is None:
            return True
        known = self._peer(peer)
        if known.blocked and now - known.last >= self._quiet:
            known.blocked = False
            known.recent.clear()
        known.last = now
        known.recent.append(now)
        while known.recent[0] <= now - WINDOW:
            known.recent.popleft()
        known.blocked = known.blocked or len(known.recent) > self.rate
        if known.blocked:
            known.recent.clear()
            self.refused += 1
        return not known.blocked

    def _peer(self, peer: str) -> _Peer:
        known = self._peers.setdefault(peer, _Peer())
        self._peers.move_to_end(peer)
        if len(self._peers) > MAX_PEERS:
            self._peers.popitem(last=False)
        return known
