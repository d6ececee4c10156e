"""Which figure a row's label names: revenue, net income, EPS and the like, GAAP or not. Start with `figure_of`.

A label must be the figure's name as a whole, not merely hold it: "Total revenue" is revenue, "Product revenue" is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Basis = Literal["gaap", "non_gaap"]

_NOTE = re.compile(
    r"\((?:\d{1,2}|[a-h]|[ivx]{1,4}|unaudited|note \d+)\)|[*†‡§#^]+|(?<=[a-z)])\d{1,2}(?=$|[\s,;:])|\s\d$"
)
_AVERAGE = re.compile(r"\bper (?:weighted[ -])?average (?=(?:common |diluted |basic )*share)")
_LOSS = re.compile(r"\s*/?\s*\((?:loss|losses|income|deficit|earnings|profit|used in|decrease)\)\s*/?\s*")
_SPACE = re.compile(r"[\s:;,.–—\-−/]+")
_BULLET = re.compile(r"^(?:[\s•·▪◦◾●\-–—*]+|o\s+)+(?=\S)")
_ADJUSTED = re.compile(
    r"\bnon ?gaap\b|\badjusted\b|\bunderlying\b|\bpro ?forma\b|\bcore\b|\bexcluding\b|\bnormalized\b|"
    r"\bas defined\b|\bcomparable\b"
)
_GAAP_WORDS = re.compile(
    r"\b(?:as )?reported\b|\bon a? ?gaap basis\b|\bgaap\b|\bon a? ?non ?gaap basis\b|\bnon ?gaap\b|\bunaudited\b|"
    r"\bas adjusted\b|\bnon gaap measure\b|\bus gaap\b|\badjusted\b|\bunderlying\b|\bpro ?forma\b|\bcore\b|\(\s*\)"
)
_NET = r"(?:net |consolidated |total |group )*"
_REVENUE = re.compile(
    rf"{_NET}(?:operating )?revenues?(?: net)?(?: and other(?: income)?)?|"
    rf"{_NET}sales(?: and (?:other )?(?:operating )?revenues?)?|"
    rf"{_NET}revenues? and sales|revenues? total|revenues? net of interest expense|"
    rf"total revenues? net of interest expense|"
    r"net operating revenues?|turnover|total sales and other(?: operating)? (?:revenue|income)s?|"
    r"total revenues? and other income"
)
_PROFIT = r"(?:income|earnings|loss|profit)"
_NET_INCOME = re.compile(
    rf"(?:consolidated |total |group )?net {_PROFIT}|profit(?: for the (?:period|quarter|year))?|"
    rf"net {_PROFIT} consolidated"
)
_ATTRIBUTABLE = re.compile(
    rf"(?:consolidated )?(?:net )?{_PROFIT}(?: and comprehensive {_PROFIT})? (?:attributable|available|"
    rf"applicable|allocable) (?:to|for) (?P<whom>.+)|"
    rf"(?P<owner>(?!net\b|operating\b|total\b|comprehensive\b|gross\b|segment\b).{{3,40}}) net {_PROFIT}"
)
_MINORITY = re.compile(
    r"non ?controlling|minority|redeemable|participating|diluted|preferred|discontinued|unvested|preference"
)
_COMMON = re.compile(r"\bcommon\b|\bordinary\b")
_OPERATING = re.compile(
    rf"(?:total |consolidated |net )?operating {_PROFIT}|{_PROFIT} from operations|"
    rf"total (?:operating )?{_PROFIT} from operations|"
    rf"{_PROFIT} from operations total|operating {_PROFIT} total"
)
_EBITDA = re.compile(
    r"(?:total |consolidated )?adjusted ebitdax?(?: as defined)?|(?:total )?ebitdax? as (?:defined|adjusted)|"
    r"(?:total )?ebitdax? adjusted"
)
_CASH = re.compile(r"(?:total )?cash(?: and|&)? (?:cash )?equivalents|cash")
_CASH_END = re.compile(
    r"(?:net )?cash(?: and|&)? (?:cash )?equivalents (?:at )?(?:the )?end of (?:the )?(?:period|year|quarter)"
)
_DIVIDEND = re.compile(
    r"(?:quarterly |regular |cash |common |stock )*dividends? (?:declared |paid |declared and paid )*(?:per |"
    r"on )?(?:common |ordinary )?(?:stock )?"
    r"(?:per )?(?:common )?share(?: of common stock)?(?: declared| paid)?|(?:cash )?dividends? per share"
)
_PER_SHARE = re.compile(
    r"\bper (?:common |ordinary |class a |basic |diluted |fully diluted )*share\b|\beps\b|\bper share\b"
)
_EPS_WORDS = re.compile(rf"{_PROFIT}|\beps\b")
_NOT_EPS = re.compile(
    r"dividend|book value|\bshares\b|weighted|average|shares used|used (?:in|to|for)|number of|tangible|"
    r"cash flow|ffo|funds|nav\b|revenue|price|"
    r"\bper ads\b|distribut|impact|effect|continuing|discontinued|before|cumulative|ratio|share count|spread|"
    r"taxable|undistributed|tax\b"
)
_SHARES = re.compile(r"weighted|average|\bshares\b|share count")
_MAYBE = re.compile(
    r"revenue|sales|income|loss|earning|profit|eps|share|ebitda|cash|dividend|turnover|basic|dilut|class a|gaap|"
    r"reported|common stock",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """What a row is about. `rank` orders rival rows of one name: the lowest is the figure itself."""

    name: str
    basis: Basis
    rank: int = 0


def plain(label: str) -> str:
    """A label in lower case without footnotes, dashes and `(loss)`; "Net (loss) income" becomes "net income"."""
    text = _BULLET.sub("", label.lower().replace("’", "'").replace("&", " and "))
    text = _AVERAGE.sub("per ", _NOTE.sub(" ", text))
    text = _LOSS.sub(" ", f"{text} ")
    return _SPACE.sub(" ", text.replace("(", " ").replace(")", " ")).strip()


def figure_of(label: str, context: str = "", title_basis: Basis | None = None) -> Figure | None:
    """The figure that a label names under a heading such as "Net income per share:" (`context`), or None."""
    if len(label) > 160 or not _MAYBE.search(label):
        return None
    text = plain(label)
    adjusted = _ADJUSTED.search(text) is not None
    basis: Basis = "non_gaap" if adjusted else "gaap"
    core = _SPACE.sub(" ", _GAAP_WORDS.sub(" ", text)).strip()
    found = _ebitda(text) or _per_share(text, core, plain(context), adjusted) or _money(core, adjusted)
    if found is None:
        return None
    if title_basis == "non_gaap" and not re.search(r"\bgaap\b|reported", text):
        basis = "non_gaap"
    name, rank = found
    if name == "net_income" and rank == 2 and basis == "non_gaap":
        return None
    if name == "ebitda_adjusted":
        basis = "non_gaap"
    if basis == "non_gaap" and name in ("revenue", "cash", "dividend_per_share"):
        return None
    return Figure(name, basis, rank)


def _ebitda(text: str) -> tuple[str, int] | None:
    core = _SPACE.sub(" ", re.sub(r"\bnon ?gaap(?: measure)?\b", " ", text)).strip()
    return ("ebitda_adjusted", 0) if _EBITDA.fullmatch(core) else None


def _money(core: str, adjusted: bool) -> tuple[str, int] | None:
    if _REVENUE.fullmatch(core):
        return "revenue", 0 if "total" in core or "consolidated" in core else 1
    if _OPERATING.fullmatch(core):
        return "operating_income", 0
    if _NET_INCOME.fullmatch(core):
        return "net_income", 1
    if _CASH.fullmatch(core):
        return "cash", 0 if "equivalents" in core else 1
    if _CASH_END.fullmatch(core):
        return "cash", 2
    if adjusted and re.fullmatch(rf"{_PROFIT} from continuing operations", core):
        return "net_income", 3
    return _owned(core)


def _owned(core: str) -> tuple[str, int] | None:
    """Net income of the company's own holders, which stands beside the whole where others own a part."""
    found = _ATTRIBUTABLE.fullmatch(core)
    if found is None or _MINORITY.search(core) or "before" in core or "per " in core or "from" in core.split():
        return None
    if found["whom"] is None:
        return ("net_income", 0) if not re.search(r"\b(?:of|from|in|tax|other|and)\b", found["owner"]) else None
    return "net_income", 2 if _COMMON.search(found["whom"]) else 0


def _per_share(text: str, core: str, context: str, adjusted: bool) -> tuple[str, int] | None:
    """EPS by the label alone, or by a bare "Diluted" under a heading that speaks of earnings per share."""
    if _DIVIDEND.fullmatch(core):
        return "dividend_per_share", 0
    spoken = f"{context} {text}"
    if _NOT_EPS.search(text):
        return _continuing(text, adjusted)
    own = _PER_SHARE.search(text) is not None
    if _SHARES.search(text) or not (own or _under_eps(context, text)):
        return None
    if not (_EPS_WORDS.search(text) if own else _row_under_eps(text)):
        return None
    return _kind(text if re.search(r"basic|dilut", text) else spoken, adjusted, own)


def _continuing(text: str, adjusted: bool) -> tuple[str, int] | None:
    """Adjusted EPS is often told of continuing operations only."""
    rest = text.replace("from continuing operations", " ").replace("attributable to", " ")
    if adjusted and rest != text and _PER_SHARE.search(rest) and not _NOT_EPS.search(rest):
        return _kind(rest, adjusted, True, 1)
    return None


def _under_eps(context: str, text: str) -> bool:
    return (
        bool(_PER_SHARE.search(context))
        and bool(_EPS_WORDS.search(f"{context} {text}"))
        and not _SHARES.search(context)
    )


def _row_under_eps(text: str) -> bool:
    """What may stand under such a heading: "Basic", "Diluted", "Net loss", "Class A common stock"."""
    return (
        re.fullmatch(
            rf"(?:net {_PROFIT} )?(?:total )?(?:basic|diluted|fully diluted|assuming dilution|"
            rf"basic and diluted)(?: {_PROFIT})?|"
            rf"net {_PROFIT}(?: attributable to .{{1,60}})?|"
            r"(?:class a )?common stock|class a|as reported|gaap|non ?gaap",
            text,
        )
        is not None
    )


def _kind(text: str, adjusted: bool, own: bool, rank: int = 0) -> tuple[str, int] | None:
    basic, diluted = "basic" in text, bool(re.search(r"dilut", text))
    if basic and diluted:
        return "eps_both", rank
    if diluted:
        return "eps_diluted", rank
    if basic:
        return "eps_basic", rank
    if adjusted and own:
        return "eps_diluted", rank
    return ("eps_plain", rank) if own else None
