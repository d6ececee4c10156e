"""Structured output: the schema to send, the JSON in a model's text, and whether it meets the schema.

Pydantic checks model classes. A plain JSON schema is checked for what models get wrong: types, required and unknown
properties, enumerations, bounds and lengths. Unknown keywords are not checked.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from catalyst.errors import LLMValidationError
from catalyst.llm.types import LLMRequest, Message

_FENCE = re.compile(r"```[\w-]*[ \t]*\r?\n(.*?)(?:```|\Z)", re.S)
_STARTS = re.compile(r"[{\[]")
_NAMED = re.compile(r'[\[\s]*\{\s*"[^"\\]*"\s*:')
_TRIES = 64
"""Places in a text where JSON is looked for."""

MOST_DEPTH = 64
"""Levels of a schema: deeper ones no vendor takes, and no reader of ours follows."""

_SHOWN = 1_000
"""Characters of a validation error that go into the repair turn."""

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}

_KEYWORDS: dict[str, tuple[type, ...]] = {
    "type": (str, list, tuple),
    "properties": (Mapping,),
    "required": (list, tuple),
    "enum": (list, tuple),
    "minimum": (int, float),
    "maximum": (int, float),
    "minLength": (int,),
    "maxLength": (int,),
}


class Mismatch(Exception):
    """The text does not hold what the schema asks; the message says what, for the repair turn."""


def schema_of(request: LLMRequest) -> Mapping[str, Any] | None:
    """The JSON schema to send: None for text, empty for any JSON."""
    if request.output_format == "text":
        return None
    wanted = request.output_schema
    if wanted is None:
        return {}
    if isinstance(wanted, Mapping):
        check_schema(wanted)
        return wanted
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return wanted.model_json_schema()
    raise LLMValidationError("output_schema must be a JSON schema (a dict) or a Pydantic model class")


def check_schema(schema: Mapping[str, Any], place: str = "output_schema", depth: int = 0) -> None:
    """Raises LLMValidationError where a keyword that answers are checked by makes no sense: before money is spent."""
    if depth > MOST_DEPTH:
        raise LLMValidationError(f"{place[:80]}… is deeper than {MOST_DEPTH} levels: flatten the schema")
    for keyword, kinds in _KEYWORDS.items():
        if keyword in schema and not isinstance(schema[keyword], kinds):
            raise LLMValidationError(f"{place[:80]}: {keyword!r} makes no sense there, see json-schema.org")
    if not all(isinstance(name, str) for keyword in ("type", "required") for name in _names(schema.get(keyword, ()))):
        raise LLMValidationError(f"{place[:80]}: 'type' and 'required' hold names only, see json-schema.org")
    for name, part in (*schema.get("properties", {}).items(), ("items", schema.get("items"))):
        if isinstance(part, Mapping):
            check_schema(part, f"{place}.{name}", depth + 1)


def fields_of(schema: Mapping[str, Any] | None) -> int:
    """How many fields the schema's top level has."""
    properties = (schema or {}).get("properties", {})
    return len(properties) if isinstance(properties, Mapping) else 0


def parse(request: LLMRequest, schema: Mapping[str, Any] | None, text: str) -> Any:
    """The parsed output: a model instance, or what JSON gives. Raises Mismatch."""
    found = find_json(text)
    wanted = request.output_schema
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        try:
            return wanted.model_validate(found)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False, include_context=False)
            lines = [f"{'.'.join(map(str, fault['loc'])) or 'the whole'}: {fault['msg']}" for fault in faults]
            raise Mismatch("; ".join(lines)[:_SHOWN]) from error
    if schema:
        faults_found = list(_faults(found, schema, "", 0))
        if faults_found:
            raise Mismatch("; ".join(faults_found)[:_SHOWN])
    return found


def find_json(text: str) -> Any:
    """The first JSON value in `text`: alone, in a Markdown fence, or in prose. Raises Mismatch."""
    for candidate in (text, *(match.group(1) for match in _FENCE.finditer(text))):
        try:
            return json.loads(candidate.strip().removeprefix("\ufeff"), parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            continue
    decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
    position, tries = 0, 0
    while tries < _TRIES and (start := _STARTS.search(text, position)) is not None:
        tries += 1
        try:
            value, _ = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError) as error:
            position = max(start.end(), _meant(text, start.start(), error))
        else:
            return value
    raise Mismatch("the answer holds no valid JSON")


def _meant(text: str, start: int, error: Exception) -> int:
    """Where to look on after what could not be read; raises Mismatch where that was meant as the answer.

    Most often it broke off: a part inside of it would pass for the whole.
    """
    end = error.pos if isinstance(error, json.JSONDecodeError) else start
    if _NAMED.match(text, start) or ":" in text[start:end]:
        raise Mismatch(f"the JSON at character {start + 1} cannot be read ({error})") from error
    return end


def repair_turns(text: str, fault: str) -> tuple[Message, Message]:
    """The two turns that ask once more: what the model said, and what is wrong with it."""
    return (
        Message(role="assistant", content=text or "(empty)"),
        Message(
            role="user",
            content=f"That answer does not meet the schema: {fault}. Answer again with the corrected JSON only.",
        ),
    )


def _names(value: str | list[Any] | tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
    return () if isinstance(value, str) else value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is beyond every number")
    return number


def _faults(value: Any, schema: Mapping[str, Any], place: str, depth: int) -> Iterator[str]:
    if depth > 32:
        return
    where = place or "the whole"
    kinds = schema.get("type")
    if kinds is not None and not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        yield f"{where} is not of type {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is none of {schema['enum']}"
    if isinstance(value, dict):
        yield from _object_faults(value, schema, place, depth)
    elif isinstance(value, list):
        items = schema.get("items")
        for index, item in enumerate(value if isinstance(items, Mapping) else ()):
            yield from _faults(item, items, f"{place}[{index}]", depth + 1)  # type: ignore[arg-type]
    else:
        yield from _scalar_faults(value, schema, where)


def _object_faults(value: dict[str, Any], schema: Mapping[str, Any], place: str, depth: int) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place + '.' if place else ''}{name} is missing"
    for name, item in value.items():
        inner = properties.get(name)
        if isinstance(inner, Mapping):
            yield from _faults(item, inner, f"{place}.{name}" if place else name, depth + 1)
        elif schema.get("additionalProperties") is False and name not in properties:
            yield f"{place + '.' if place else ''}{name} is not in the schema"


def _scalar_faults(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0) or len(value) > schema.get("maxLength", len(value)):
            yield f"{where} has the wrong length"
    elif isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where} is out of bounds"


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))
