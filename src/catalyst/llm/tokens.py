"""How many tokens a text is: an estimate for choosing, and a bound that no tokenizer exceeds, for money.

A byte-level tokenizer makes at most one token of each UTF-8 byte; every provider of the table uses one (or a
SentencePiece model with byte fallback, which obeys the same bound).
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from catalyst.llm.types import Message, Tool

BYTES_PER_TOKEN = 3.6
"""Mean over English filings; numbers and tables have fewer bytes a token."""

FRAME = 64
"""Tokens of the chat template around the whole call."""

PER_MESSAGE = 16
"""Tokens of the chat template around one message."""

TOOLS_FRAME = 1_024
"""Tokens that a provider's own tool or schema instructions may add."""


def utf8_length(text: str) -> int:
    """Bytes of `text` in UTF-8 (lone surrogates count as three)."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def input_bytes(messages: Sequence[Message], tools: Sequence[Tool], schema: object) -> int:
    """Bytes of everything that is sent as input."""
    size = 0
    for message in messages:
        size += utf8_length(message.content)
        for call in message.tool_calls:
            size += utf8_length(call.arguments) + len(call.name) + len(call.id)
    for tool in tools:
        size += len(orjson.dumps(tool.parameters)) + utf8_length(tool.description) + len(tool.name)
    if schema:
        size += len(orjson.dumps(schema))
    return size


def estimated(size: int) -> int:
    """The likely tokens of `size` bytes."""
    return int(size / BYTES_PER_TOKEN) + 8


def bound(size: int, messages: int, *, framed: bool) -> int:
    """Tokens that an input of `size` bytes in `messages` turns cannot exceed; `framed`: with tools or a schema."""
    return size + FRAME + PER_MESSAGE * messages + (TOOLS_FRAME if framed else 0)
