"""How often Discord answers: windows per route, the channel's hidden limit, the global one, and the ban.

A window begins with its first request and ends whole (as the real ones do); the channel's 30 messages a minute show in
no header and answer 429 with scope `shared`; 10,000 failed requests in ten minutes end in a ban of the address.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Window:
    """One route of one target."""

    limit: int
    seconds: float
    used: int = 0
    ends: float = 0.0

    def take(self, now: float) -> bool:
        if now >= self.ends:
            self.used, self.ends = 0, now + self.seconds
        self.used += 1
        return self.used <= self.limit

    def headers(self, name: str, now: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": f"{self.ends:.3f}",
            "X-RateLimit-Reset-After": f"{max(0.0, self.ends - now):.3f}",
            "X-RateLimit-Bucket": name,
        }


@dataclass
class Sliding:
    """At most `limit` in any `seconds`."""

    limit: int
    seconds: float
    times: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """0 where one more is allowed."""
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()
        return 0.0 if len(self.times) < self.limit else self.times[0] + self.seconds - now

    def add(self, now: float) -> None:
        self.times.append(now)


@dataclass(frozen=True)
class Verdict:
    """A 429: seconds, whether everything is meant, and the scope that the header names."""

    after: float
    everywhere: bool
    scope: str


class Limits:
    """All of one Discord's. `now` is its clock, POSIX seconds."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        posts: tuple[int, float] = (5, 2.0),
        edits: tuple[int, float] = (5, 1.0),
        channel: int = 30,
        per_second: int = 50,
    ) -> None:
        self.now = now
        self.sizes = {"post": posts, "edit": edits}
        self._windows: dict[tuple[str, str], Window] = {}
        self._channels: dict[str, Sliding] = {}
        self._channel = channel
        self._second = Sliding(per_second, 1.0)
        self._invalid = Sliding(10_000, 600.0)

    def banned(self) -> float:
        """Seconds that the address stays banned."""
        return self._invalid.wait(self.now())

    def failed(self) -> None:
        """A 401, 403 or 429 that was not shared."""
        self._invalid.add(self.now())

    def take(self, route: str, target: str, channel: str) -> tuple[dict[str, str], Verdict | None]:
        """The headers of one request, and why it is refused."""
        now = self.now()
        if (wait := self._second.wait(now)) > 0:
            return {}, Verdict(wait, True, "global")
        self._second.add(now)
        window = self._windows.setdefault((route, target), Window(*self.sizes[route]))
        good = window.take(now)
        headers = window.headers(f"{route}-bucket", now)
        if not good:
            return headers, Verdict(window.ends - now, False, "user")
        if route == "post":
            minute = self._channels.setdefault(channel, Sliding(self._channel, 60.0))
            if (wait := minute.wait(now)) > 0:
                return headers, Verdict(wait, False, "shared")
            minute.add(now)
        return headers, None
