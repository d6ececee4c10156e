"""A little money held back for when the budget's database is locked or gone, so that answers still come.

A process that sees ample money keeps one small reservation, the float. While the database does not answer, calls are
paid from it and nothing else; what they cost stands in the owner's memory-mapped file, so it survives kill -9. When
the database is back, the float is settled like any reservation. Near the limit there is no float, and no call.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalyst.llm.budget import UNLIMITED, Claim, Reservation, Spent
from catalyst.llm.owner import SentFlags
from catalyst.llm.prices import NANO

MOST = 1 * NANO
"""The float is one dollar at most, and a thousandth of the limit."""

AMPLE = 50
"""It is held only while at least so many floats are left besides it."""


WORTH = 4
"""It is held only where it pays for so many calls."""


@dataclass(slots=True)
class Float:
    """Money at hand. `used` is what its calls may have cost so far."""

    reservation: Reservation
    flags: SentFlags
    used: int = 0
    running: int = 0

    def grant(self, claim: Claim) -> Reservation | None:
        """A reservation out of the float, or None where it cannot hold the claim."""
        held = {scope.key for scope in self.reservation.scopes}
        limited = (scope.key for scope in claim.scopes if scope.limit != UNLIMITED)
        if claim.amount > self.reservation.amount - self.used or any(key not in held for key in limited):
            return None
        self._use(claim.amount)
        self.running += 1
        return Reservation("float", claim.amount, claim.scopes, slot=-1)

    def settle(self, reservation: Reservation, cost: int) -> None:
        """A call that the float paid has ended."""
        self._use(cost - reservation.amount)
        self.running -= 1

    def _use(self, amount: int) -> None:
        self.used += amount
        self.flags.float_used(self.used)


def size(limit: int) -> int:
    """How large the float of this limit is."""
    return min(MOST, limit // 1000)


def wanted(claim: Claim, sums: dict[str, Spent]) -> int:
    """The float that a process should hold beside this claim, 0 where money is not ample."""
    month = claim.scopes[0]
    if month.limit == UNLIMITED:
        return 0
    spent, amount = sums[month.key], size(month.limit)
    ample = month.limit - spent.settled - spent.reserved > AMPLE * amount
    return amount if ample and amount >= WORTH * claim.amount else 0
