"""Logging: structlog to stderr, one line an event, for people or as JSON."""

from __future__ import annotations

import logging
import re
import sys

import structlog

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def configure(level: str = "warning", form: str = "console") -> None:
    """Send events of `level` and above to stderr; `form` is `console` or `json`."""
    number = getattr(logging, level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _harmless_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, format="%(name)s: %(message)s")


def harmless(text: str, keep: str = "") -> str:
    """`text` with control and direction characters spelled out, but those in `keep`.

    What a filing or a peer says must not be able to write to the terminal.
    """
    return _CONTROL.sub(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], text)


def plain(text: str) -> str:
    """`text` with blanks for control characters: for prose, whose marks of direction and lines stay.

    What a model repeats from a document must not steer the terminal.
    """
    return "".join(" " if char not in "\n\t" and (char < " " or "\x7f" <= char < "\xa0") else char for char in text)


def _harmless_event(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = harmless(value, "\n\t" if name == "exception" else "")
    return event
