"""Whether two model answers say the same, before any judge is asked: as JSON, as figures, then as normalised text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import orjson

_FENCE = re.compile(r"\A\s*```[a-z]*\s*\n(.*?)\n?```\s*\Z", re.DOTALL | re.IGNORECASE)
_FIGURE = re.compile(
    r"(?P<minus>[-\u2212(]\s?)?(?P<unit>US\$|[$\u20ac\u00a3\u00a5])?\s?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"\s?(?P<scale>trillion|billion|million|thousand|tn|bn|mn|mm|[kmbt](?![a-z]))?\s?"
    r"(?P<percent>%|percent\b|per cent\b)?",
    re.IGNORECASE,
)
_SCALES = {
    "k": 3, "thousand": 3, "m": 6, "mm": 6, "mn": 6, "million": 6,
    "b": 9, "bn": 9, "billion": 9, "t": 12, "tn": 12, "trillion": 12,
}  # fmt: skip
_TOLERANCE = 0.005
_COUNTED = 10_000
_LONGEST = 200_000
"""Characters of an answer that are looked at; a longer one is left to the judge."""


def agree(a: str, b: str, schema: Mapping[str, Any] | None = None) -> bool | None:
    """Whether both answers say the same; None where only a judge could tell.

    With a schema both must be JSON of the same content (figures within half a percent, texts normalised). Without one,
    equal normalised texts agree; answers of figures disagree where the figures do; anything else is None.
    """
    if len(a) > _LONGEST or len(b) > _LONGEST:
        return None
    left, right = _json(a), _json(b)
    if schema is not None or (isinstance(left, dict | list) and isinstance(right, dict | list)):
        return _same_json(left, right) if left is not None and right is not None else None
    if _normal(a) == _normal(b):
        return True
    return _same_figures(a, b)


def _json(text: str) -> Any:
    fenced = _FENCE.match(text)
    try:
        return orjson.loads(fenced.group(1) if fenced else text)
    except orjson.JSONDecodeError:
        return None


def _same_json(a: Any, b: Any) -> bool | None:
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return False
        return _all(_same_json(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return _all(_same_json(x, y) for x, y in zip(a, b, strict=True)) if len(a) == len(b) else False
    if _is_number(a) and _is_number(b):
        return _close(float(a), float(b))
    if isinstance(a, str) and isinstance(b, str):
        return True if _normal(a) == _normal(b) else _same_figures(a, b)
    return bool(a == b and type(a) is type(b))


def _all(verdicts: Any) -> bool | None:
    """False when one is False, None when one is unknown, else True."""
    found: bool | None = True
    for verdict in verdicts:
        if verdict is False:
            return False
        if verdict is None:
            found = None
    return found


def _same_figures(a: str, b: str) -> bool | None:
    """Short answers that hold figures disagree with their figures; equal figures in other words prove nothing."""
    left, right = _figures(a), _figures(b)
    if not left or not right:
        return None
    if len(left) == len(right) == 1 and len(a) < 200 and len(b) < 200:
        (value_a, unit_a), (value_b, unit_b) = left[0], right[0]
        if not _close(value_a, value_b) or (unit_a and unit_b and unit_a != unit_b):
            return False
        return True if _only_figure(a) and _only_figure(b) and unit_a == unit_b else None
    return None


def _figures(text: str) -> list[tuple[float, str]]:
    return [_figure(found) for found in _FIGURE.finditer(text)]


def _figure(found: re.Match[str]) -> tuple[float, str]:
    value = float(found["digits"].replace(",", "")) * 10.0 ** _SCALES.get((found["scale"] or "").lower(), 0)
    unit = "%" if found["percent"] else (found["unit"] or "").replace("US$", "$")
    return (-value if found["minus"] else value), unit


def _only_figure(text: str) -> bool:
    """Whether nothing but the figure and its punctuation is said."""
    return not re.search(r"[^\W\d_]{2,}", _FIGURE.sub("", text))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _close(a: float, b: float) -> bool:
    """Within the tolerance of rounding; years and counts, which nobody rounds, only where they are equal."""
    if a.is_integer() and b.is_integer() and max(abs(a), abs(b)) < _COUNTED:
        return a == b
    return math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=1e-9)


def _normal(text: str) -> str:
    """Letter case, white space, Markdown marks and closing punctuation don't count; everything else does."""
    return " ".join(re.sub(r"[*_`#]+", "", text).casefold().split()).rstrip(" .!")
