"""Small readers for untrusted answers, and the refusals every dialect words the same way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from catalyst.errors import LLMValidationError
from catalyst.llm.providers.rows import ModelRule
from catalyst.llm.types import Call, ToolCall, Usage

EMPTY: Final[Mapping[str, Any]] = {}


def count(value: object) -> int:
    """A number of tokens; 0 for anything that is none."""
    return value if type(value) is int and 0 <= value < 1 << 40 else 0


def is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 40


def mapping(value: object) -> Mapping[str, Any]:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else EMPTY


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def vector(value: Any) -> list[float]:
    """An embedding. Raises TypeError or ValueError for anything that is none."""
    numbers = [float(number) for number in value]
    if isinstance(value, str) or not numbers:
        raise ValueError("no numbers")
    return numbers


def usage(total_in: int, total_out: int, *, cached: int = 0, cache_write: int = 0, reasoning: int = 0) -> Usage:
    """A `Usage` whose parts never exceed their whole, whatever the vendor said."""
    cached = min(cached, total_in)
    return Usage(total_in, total_out, cached, min(cache_write, total_in - cached), min(reasoning, total_out))


def refuse_unsupported(call: Call, rule: ModelRule, provider: str) -> None:
    """Raise LLMValidationError for the first field that is set and that this model cannot express."""
    for name in ("top_p", "stop", "seed", "tools", "tool_choice"):
        value = getattr(call, name)
        if value is None or value == ():
            continue
        if name in rule.refuses or (name == "top_p" and rule.sampling == "none"):
            raise refused(provider, call.model, name)
    if call.temperature is not None and rule.sampling != "none" and call.temperature > rule.max_temperature:
        raise refused(provider, call.model, "temperature", f"above {rule.max_temperature:g}")
    _check_tool_choice(call, provider)


def refused(provider: str, model: str, name: str, detail: str = "") -> LLMValidationError:
    what = f"{name} {detail}".strip()
    return LLMValidationError(f"{provider} cannot express {what} for {model}: leave it out or choose another model")


def arguments(call: ToolCall) -> dict[str, Any]:
    """The arguments of an earlier tool call as an object, for vendors that take no text there."""
    try:
        given = orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise LLMValidationError(f"the arguments of tool call {call.id!r} are no JSON object: correct them")
    return given


def sampling(call: Call, rule: ModelRule) -> tuple[float | None, float | None]:
    """The temperature and top_p to send. Of models that take one only, an explicit top_p wins."""
    if rule.sampling == "none":
        return None, None
    if rule.sampling == "one" and call.top_p is not None:
        return None, call.top_p
    return call.temperature, call.top_p


def _check_tool_choice(call: Call, provider: str) -> None:
    choice = call.tool_choice
    if choice is None:
        return
    if not call.tools:
        raise LLMValidationError(f"tool_choice {choice!r} without tools: {provider} has none to choose, give tools")
    if choice not in ("auto", "none", "required") and all(choice != tool.name for tool in call.tools):
        raise LLMValidationError(f"tool_choice names no tool of this request: {choice!r}")
