"""Facts of ownership forms, stakes and offerings as a trader would say them. Start with `tell`.

Their parsers give facts by name (`transaction_shares`, `percent_of_class`, `offering_size`, …); sentences are built
from them alone, so every number in a sentence stands in the filing or is a product of two that do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalyst.filings.amounts import shown
from catalyst.filings.types import Parsed
from catalyst.stream.types import Fact

_ACTS = {
    "P": "bought",
    "S": "sold",
    "A": "was granted",
    "D": "returned to the issuer",
    "F": "had withheld for tax",
    "M": "exercised derivatives for",
    "C": "converted derivatives into",
    "X": "exercised derivatives for",
    "O": "exercised derivatives for",
    "G": "gave away",
    "U": "tendered",
    "W": "inherited",
}
_BY_PLAN = "under a 10b5-1 plan"
_TITLE = re.compile(r"^(?:director|officer|10 % owner)(?:, (?:director|officer|10 % owner))*(?:, |$)")
_SHORT_TITLES = (
    ("chief executive officer", "CEO"),
    ("chief financial officer", "CFO"),
    ("chief operating officer", "COO"),
    ("executive vice president", "EVP"),
    ("senior vice president", "SVP"),
)
_REPORTED = (
    ("revenue", "revenue"),
    ("net_income", "net income"),
    ("eps_diluted", "diluted EPS"),
    ("cash", "cash"),
)
_BIG = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Trade:
    """All transactions of one code in a filing: shares in all, their average price where every one has one."""

    code: str
    shares: Decimal
    value: Decimal | None
    """Dollars; None where a price is missing."""
    count: int

    @property
    def price(self) -> Decimal | None:
        return self.value / self.shares if self.value and self.shares else None


def tell(parsed: Parsed) -> str:
    """A sentence or two about who did what, or what is offered; empty where the facts don't say."""
    if parsed.family == "ownership":
        return _insider(parsed.facts)
    if parsed.family == "stake":
        return _stake(parsed.facts)
    if parsed.family == "offering":
        return _offering(parsed.facts)
    if parsed.family == "periodic":
        return _figures(parsed.facts)
    return _notice(parsed.facts) or _offering(parsed.facts)


def leanings(parsed: Parsed) -> Iterator[tuple[float, str]]:
    """What insiders' open-market trades say: buying more than selling, which has many reasons."""
    if parsed.family != "ownership":
        return
    planned = any(fact.name == "plan_10b5_1" for fact in parsed.facts)
    for trade in trades(parsed.facts):
        size = 1.0 if trade.value and trade.value >= _BIG else 0.6
        if trade.code == "P":
            yield 0.7 * size, "an insider bought in the open market"
        elif trade.code == "S":
            yield (-0.1 if planned else -0.3) * size, "an insider sold" + (f" {_BY_PLAN}" if planned else "")


def trades(facts: Sequence[Fact]) -> tuple[Trade, ...]:
    """The shares bought, sold or otherwise moved, by transaction code; derivatives left out."""
    rows: dict[str, list[tuple[Decimal, Decimal | None]]] = {}
    for row in _rows(facts):
        code, shares = row.get("transaction_code"), row.get("transaction_shares")
        if code and shares and isinstance(shares.value, Decimal) and isinstance(code.value, str):
            price = row["transaction_price"].value if "transaction_price" in row else None
            rows.setdefault(code.value, []).append((abs(shares.value), price if isinstance(price, Decimal) else None))
    return tuple(_trade(code, moved) for code, moved in rows.items())


def derived(parsed: Parsed) -> tuple[Decimal, ...]:
    """What the sentences compute: each code's shares in all, their value and their average price."""
    if parsed.family != "ownership":
        return ()
    found = trades(parsed.facts)
    return tuple(value for trade in found for value in (trade.shares, trade.value, trade.price) if value is not None)


def _rows(facts: Sequence[Fact]) -> Iterator[dict[str, Fact]]:
    """Facts that stand together: each transaction's begin with its code."""
    row: dict[str, Fact] = {}
    for fact in facts:
        if not fact.name.startswith(("transaction_", "derivative_")):
            continue
        if fact.name.endswith("transaction_code"):
            yield row
            row = {}
        row[fact.name] = fact
    yield row


def _trade(code: str, moved: Sequence[tuple[Decimal, Decimal | None]]) -> Trade:
    shares = sum((count for count, _ in moved), Decimal(0))
    value = sum((count * (price or 0) for count, price in moved), Decimal(0))
    priced = all(price is not None and price > 0 for _, price in moved)
    return Trade(code, shares, value if priced and shares else None, len(moved))


def _insider(facts: Sequence[Fact]) -> str:
    who = _who(facts)
    found = sorted(trades(facts), key=lambda trade: (trade.code not in "PS", -(trade.value or 0)))
    told = [f"{who} {_act(trade)}" for trade in found[:2]]
    planned = f" {_BY_PLAN}" if any(fact.name == "plan_10b5_1" for fact in facts) and told else ""
    after = _number(facts, "shares_owned_after", last=True)
    owned = (
        f", and then held {shown(after, 'shares')}"
        if after is not None and len(found) == 1 and found[0].count == 1
        else ""
    )
    if told:
        return "; ".join(told) + planned + owned + "."
    held = _number(facts, "shares_owned_after")
    return f"{who} reported holding {shown(held, 'shares')}." if held is not None else ""


def _act(trade: Trade) -> str:
    act = f"{_ACTS.get(trade.code, 'moved')} {shown(trade.shares, 'shares')}"
    if trade.price is None or trade.value is None:
        return act
    about = "about " if trade.count > 1 else ""
    return f"{act} at {about}{shown(trade.price.quantize(Decimal('0.01')), 'USD/share')} ({_rounded(trade.value)})"


def _rounded(value: Decimal) -> str:
    if value >= _BIG:
        return shown(value, "USD")
    return f"${value / 1000:,.0f}k" if value >= 1000 else f"${value:,.0f}"


def _who(facts: Sequence[Fact]) -> str:
    role = _TITLE.sub("", _term(facts, "owner_role")).strip()
    for long, short in _SHORT_TITLES:
        role = re.sub(long, short, role, flags=re.IGNORECASE)
    base = _term(facts, "owner_role").partition(",")[0]
    title = (role or base)[:50]
    name = _term(facts, "owner") or "An insider"
    return f"{title[:1].upper()}{title[1:]} {name}" if title else name


def _stake(facts: Sequence[Fact]) -> str:
    largest = max(_all(facts, "percent_of_class"), key=lambda fact: Decimal(fact.value), default=None)
    percent, shares = (
        largest.value if largest else None,
        max((f.value for f in _all(facts, "shares_owned")), default=None),
    )
    holder = largest.quote.partition(":")[0] if largest else ""
    who = (
        holder
        if 0 < len(holder) <= 60 and ":" not in holder and not re.search(r"percent", holder, re.I)
        else "A holder"
    )
    held = f"{shown(percent, '%')} of the class" if percent is not None else ""
    count = shown(shares, "shares") if shares is not None else ""
    both = f"{held} ({count})" if held and count else held or count
    return f"{who} reports {both}." if both else ""


def _all(facts: Sequence[Fact], name: str) -> list[Fact]:
    return [fact for fact in facts if fact.name == name and isinstance(fact.value, Decimal)]


def _offering(facts: Sequence[Fact]) -> str:
    size, count = _number(facts, "offering_size"), _number(facts, "offering_shares")
    price = _number(facts, "offering_price")
    kind = " ".join(
        part for part in (_term(facts, "offering_kind").replace(" ", "-"), _term(facts, "security_kind")) if part
    )
    dilution = _number(facts, "dilution")
    told = [
        f"of {shown(size, 'USD')}" if size is not None else "",
        f"of {shown(count, 'shares')}" if count is not None else "",
        f"at {shown(price, 'USD/share')} a share" if price is not None else "",
        f"({_term(facts, 'offering_stage')})" if _term(facts, "offering_stage") else "",
    ]
    if not any(told[:3]):
        return ""
    against = f" New shares are {shown(dilution, '%')} of those outstanding before." if dilution is not None else ""
    line = f"{kind} offering {' '.join(part for part in told if part)}.{against}".strip()
    return line[:1].upper() + line[1:]


def _notice(facts: Sequence[Fact]) -> str:
    """An intended sale, a late report, a delisting, a meeting, a tender offer; empty where the facts tell none."""
    if _term(facts, "late_form"):
        change = (
            " A significant change in results is expected." if _is(facts, "significant_change_expected", "yes") else ""
        )
        return f"The {_term(facts, 'late_form')} will be late.{change}"
    sold, worth = _number(facts, "shares_to_be_sold"), _number(facts, "sale_value")
    if sold is not None:
        value = f" worth {_rounded(worth)}" if worth is not None else ""
        broker = f" through {_term(facts, 'broker')}" if _term(facts, "broker") else ""
        return f"{_who(facts)} means to sell {shown(sold, 'shares')}{value}{broker}."
    if _term(facts, "filing_effect") == "delisting":
        exchange = f" from {_term(facts, 'exchange')}" if _term(facts, "exchange") else ""
        return f"{_term(facts, 'delisted_class') or 'A class of securities'} will be removed{exchange}."
    price = _number(facts, "offer_price")
    if price is not None:
        count = _number(facts, "shares_sought")
        what = shown(count, "shares") if count is not None else "shares"
        return f"Offer for {what} at {shown(price, 'USD/share')} a share."
    day = _term(facts, "meeting_date")
    return f"{(_term(facts, 'meeting_kind') or 'holders').capitalize()} meeting on {day}." if day else ""


def _is(facts: Sequence[Fact], name: str, value: str) -> bool:
    return _term(facts, name) == value


def _figures(facts: Sequence[Fact]) -> str:
    told = [said for name, words in _REPORTED if (said := _figure(facts, name, words))]
    line = ", ".join(told[:4])
    return f"{line[:1].upper()}{line[1:]}." if told else ""


def _figure(facts: Sequence[Fact], name: str, words: str) -> str:
    now = next((fact for fact in facts if fact.name == name and fact.scope == "current"), None)
    if now is None or not isinstance(now.value, Decimal):
        return ""
    before = next((fact for fact in facts if fact.name == name and fact.scope == "prior"), None)
    was = f" (before {shown(before.value, before.unit)})" if before else ""
    return f"{words} {shown(now.value, now.unit)}{was}"


def _term(facts: Sequence[Fact], name: str) -> str:
    return next((fact.value for fact in facts if fact.name == name and isinstance(fact.value, str)), "")


def _number(facts: Sequence[Fact], name: str, *, last: bool = False) -> Decimal | None:
    found = [fact.value for fact in facts if fact.name == name and isinstance(fact.value, Decimal)]
    return (found[-1] if last else found[0]) if found else None
