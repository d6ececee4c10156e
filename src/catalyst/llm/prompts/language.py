"""The part of Jinja2 that a prompt may use, and how long filling one in may take. Start with `environment`.

Prompts come from an operator's folder too, so a body is checked when it is read: values, conditions, and loops over
what the caller gave; no calls, no arithmetic, no macros. What is left ends soon, whatever the values are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, Undefined, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

MAX_CHARS = 2_000_000
"""Of one part, filled in."""
MAX_ITEMS = 2_000
"""Of one list or object among the values, at any depth."""
MAX_LOOPS = 2
"""Loops inside each other."""
MAX_DEPTH = 20
"""Lists and objects inside each other."""

FILTERS = frozenset(("join", "json", "length", "lower", "round", "title", "trim", "upper"))
TESTS = frozenset(("defined", "none", "number", "string", "true", "false"))

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.NSRef, nodes.For, nodes.If, nodes.CondExpr,
    nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Neg, nodes.Concat, nodes.Filter, nodes.Test,
)  # fmt: skip


class TooMuch(TemplateError):
    """A value or the filled-in text is larger than a prompt may be."""


def environment() -> SandboxedEnvironment:
    """Strict about what is missing, with `json` to put a value in as data that no tag can close."""
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
    made.filters["json"] = as_json
    return made


def as_json(value: Any) -> str:
    """Compact JSON; `<` and `>` are escaped, so that a value cannot close the tag it stands in."""
    if isinstance(value, Undefined):
        raise TemplateError(f"{value._undefined_name or 'a value'} is not there")
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def check(made: SandboxedEnvironment, body: str) -> set[str]:
    """The variables that a body uses. Raises TemplateError where it uses what a prompt may not."""
    tree = made.parse(body)
    for node in _under(tree):
        _allowed(node)
    if _loops(tree) > MAX_LOOPS:
        raise TemplateError(f"more than {MAX_LOOPS} loops stand inside each other")
    return set(meta.find_undeclared_variables(tree))


def fill(body: Template, values: Mapping[str, Any]) -> str:
    """A body with its values. Raises TemplateError when one is missing or the text becomes too long."""
    pieces: list[str] = []
    size = 0
    for piece in body.generate(values):
        size += len(piece)
        if size > MAX_CHARS:
            raise TooMuch(f"the text is longer than {MAX_CHARS:,} characters: send long text as documents")
        pieces.append(piece)
    return "".join(pieces)


def bounded(value: Any, depth: int = 0) -> None:
    """Raises TooMuch when a value holds more items, or nests deeper, than a prompt may be given."""
    if depth > MAX_DEPTH:
        raise TooMuch(f"a value nests deeper than {MAX_DEPTH}")
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        if len(value) > MAX_ITEMS:
            raise TooMuch(f"a list holds {len(value):,} items, more than {MAX_ITEMS:,}: send fewer")
        for item in value:
            bounded(item, depth + 1)


def _allowed(node: nodes.Node) -> None:
    if not isinstance(node, _ALLOWED):
        raise TemplateError(f"{type(node).__name__} (line {node.lineno}) is not for prompts")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise TemplateError(f"filter {node.name} is not one of {', '.join(sorted(FILTERS))}")
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        raise TemplateError(f"test {node.name} is not one of {', '.join(sorted(TESTS))}")
    if isinstance(node, nodes.For) and node.recursive:
        raise TemplateError("a loop that calls itself is not for prompts")


def _under(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _under(child)


def _loops(node: nodes.Node) -> int:
    deepest = max(map(_loops, node.iter_child_nodes()), default=0)
    return deepest + isinstance(node, nodes.For)
