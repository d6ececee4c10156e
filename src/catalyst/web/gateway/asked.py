"""Reading fields out of a request body that nobody has checked: each refusal names the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import orjson
from pydantic import ValidationError

from catalyst.llm.types import LLMRequest
from catalyst.web.gateway.faults import invalid

TIERS = ("auto", "simple", "medium", "complex", "critical")
OURS = "catalyst/"
"""Model names that leave the choice to the hub: `catalyst/auto`, `catalyst/simple` …"""

LOCAL_TENANT = "gateway"
"""Whom requests are counted for where no key is asked for."""


def body(raw: bytes) -> dict[str, Any]:
    """The JSON object of a body."""
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise invalid(f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise invalid("the body must be a JSON object")
    return found


def only(fields: Mapping[str, Any], known: frozenset[str], ignored: frozenset[str]) -> None:
    """Refuse what cannot be honoured; a null counts as absent."""
    for name, value in fields.items():
        if name not in known and name not in ignored and value is not None:
            raise invalid(f"{name[:80]!r} is not supported here: leave it out", name[:80], "unsupported_parameter")


def text_of(content: Any, where: str) -> str:
    """A message's content: a string, or a list of text parts."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if not isinstance(content, list):
        raise invalid(f"{where} must be a string or a list of parts", where)
    pieces = []
    for part in content:
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            kind = str(part.get("type"))[:40] if isinstance(part, dict) else type(part).__name__
            raise invalid(f"{where}: a part of type {kind!r} is not supported, only text", where)
        pieces.append(part["text"])
    return "".join(pieces)


def listed(fields: Mapping[str, Any], name: str) -> list[Any]:
    """A list of a field, empty where it is absent."""
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(f"{name} must be a list", name)
    return value


def mapping(value: Any, name: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise invalid(f"{name} must be an object", name)
    return cast("dict[str, Any]", value)


def model_fields(name: Any) -> dict[str, Any]:
    """`model` as the hub takes it: a pinned one, or a complexity."""
    if not isinstance(name, str) or not name:
        raise invalid("name a model: `catalyst/auto`, or one of GET /v1/models", "model")
    if not name.startswith(OURS):
        return {"model": name}
    if name[len(OURS) :] not in TIERS:
        raise invalid(f"{name[:80]!r} is none of catalyst/{', catalyst/'.join(TIERS)}", "model", "model_not_found")
    return {"complexity": name[len(OURS) :]}


def request(fields: dict[str, Any]) -> LLMRequest:
    """The hub's request; absent fields (None) take the hub's defaults."""
    try:
        return LLMRequest.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise invalid(f"{where or 'the request'}: {first['msg']}", where or None) from error
