"""JSON schemas rewritten into the dialects that vendors enforce.

`openai_strict`: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
`anthropic_native`: https://docs.claude.com/en/docs/build-with-claude/structured-outputs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from catalyst.errors import LLMValidationError

_DEEPEST = 64
_NESTS_ONE = ("items",)
_NESTS_MANY = ("anyOf", "allOf", "oneOf", "prefixItems")
_NESTS_NAMED = ("properties", "$defs", "definitions")


def openai_strict(schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The schema as strict mode demands it, and whether it can be strict at all.

    Strict objects list every property as required and allow no others. A schema that needs open objects is returned
    as it came, with False: the model then sees it, and we validate.
    """
    if not _closable(schema, 0) or schema.get("type") != "object":
        return dict(schema), False
    return _strict(schema, schema, 0), True


def anthropic_native(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as structured output takes it: closed objects, and bounds it does not know told in the description."""
    return _native(schema, 0)


def in_words(schema: Mapping[str, Any]) -> str:
    """The schema as an instruction, for models that are not held to it."""
    if not schema:
        return "Answer with one JSON object and nothing else."
    return f"Answer with one JSON object that fits this JSON schema, and nothing else:\n{orjson.dumps(schema).decode()}"


def _closable(schema: object, depth: int) -> bool:
    """False where an object must take names that the schema does not list."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return False
    if schema.get("type") == "object" and not schema.get("properties"):
        return False
    if schema.get("additionalProperties", False) is not False or "oneOf" in schema or "not" in schema:
        return False
    return all(_closable(part, depth + 1) for part in _parts(schema))


def _parts(schema: Mapping[str, Any]) -> list[Any]:
    parts = [schema[name] for name in _NESTS_ONE if name in schema]
    for name in _NESTS_MANY:
        parts += schema.get(name) or []
    for name in _NESTS_NAMED:
        parts += list((schema.get(name) or {}).values())
    return parts


def _strict(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise LLMValidationError("the output schema refers to itself without end: give $ref a place of its own")
    if "$ref" in schema and len(schema) > 1:  # strict mode takes a bare reference only
        merged = {**_resolved(schema["$ref"], root), **{k: v for k, v in schema.items() if k != "$ref"}}
        return _strict(merged, root, depth + 1)
    strict = {name: _strict_part(name, value, root, depth) for name, value in schema.items() if name != "default"}
    if len(strict.get("allOf") or ()) == 1:
        strict.update(strict.pop("allOf")[0])
    if strict.get("type") == "object":
        strict["additionalProperties"] = False
    if "properties" in strict:
        strict["required"] = list(strict["properties"])
    return strict


def _strict_part(name: str, value: Any, root: Mapping[str, Any], depth: int) -> Any:
    if name in _NESTS_ONE:
        return _strict(value, root, depth + 1)
    if name in _NESTS_MANY:
        return [_strict(part, root, depth + 1) for part in value]
    if name in _NESTS_NAMED:
        return {key: _strict(part, root, depth + 1) for key, part in value.items()}
    return value


def _resolved(ref: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    place: Any = root
    for step in ref.removeprefix("#/").split("/"):
        place = place.get(step) if isinstance(place, Mapping) else None
    if not ref.startswith("#/") or not isinstance(place, Mapping):
        raise LLMValidationError(f"the output schema refers to {ref[:100]!r}, which it does not hold: define it")
    return place


_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
_PLAIN = ("description", "title")


def _native(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise LLMValidationError("the output schema is nested too deeply: flatten it")
    left = dict(schema)
    native: dict[str, Any] = {}
    if "$defs" in left:
        native["$defs"] = {name: _native(part, depth + 1) for name, part in left.pop("$defs").items()}
    if "$ref" in left:
        return {**native, "$ref": left["$ref"]}
    native.update({name: left.pop(name) for name in ("enum", "const") if name in left})
    if native.keys() & {"enum", "const"}:
        left.pop("type", None)
    elif not _native_union(left, native, depth):
        native["type"] = kind = left.pop("type", "object" if "properties" in left else "string")
        native.update({name: left.pop(name) for name in _PLAIN if left.get(name) is not None})
        _native_kind(kind, left, native, depth)
    native.update({name: left.pop(name) for name in _PLAIN if left.get(name) is not None})
    if left:
        told = "{" + ", ".join(f"{name}: {value}" for name, value in left.items()) + "}"
        native["description"] = f"{native['description']}\n\n{told}" if "description" in native else told
    return native


def _native_union(left: dict[str, Any], native: dict[str, Any], depth: int) -> bool:
    for name, sent in (("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")):
        if isinstance(left.get(name), list):
            native[sent] = [_native(part, depth + 1) for part in left.pop(name)]
            left.pop("type", None)
            return True
    return False


def _native_kind(kind: Any, left: dict[str, Any], native: dict[str, Any], depth: int) -> None:
    if kind == "object":
        properties = left.pop("properties", {})
        native["properties"] = {name: _native(part, depth + 1) for name, part in properties.items()}
        native["additionalProperties"] = False
        left.pop("additionalProperties", None)
        if "required" in left:
            native["required"] = list(left.pop("required"))
    elif kind == "array":
        if "items" in left:
            native["items"] = _native(left.pop("items"), depth + 1)
        if left.get("minItems") in (0, 1):
            native["minItems"] = left.pop("minItems")
    elif kind == "string" and left.get("format") in _FORMATS:
        native["format"] = left.pop("format")
