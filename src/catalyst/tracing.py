"""The seam of traces: what a room calls to say what it did and how long that took. Off, it does nothing.

`app/traces.py` has the OpenTelemetry backend. Attributes are names, counts and identifiers: never text of a prompt, an
answer or a filing, never a secret.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Literal, Protocol

Kind = Literal["internal", "client", "server"]
Value = str | int | float | bool
Attributes = Mapping[str, Value]

NONE: Attributes = {}


class Span(Protocol):
    """What is under way."""

    def set(self, attributes: Attributes) -> None: ...


class Tracer(Protocol):
    """`on` says whether anybody listens: who would compute attributes for it asks that first."""

    @property
    def on(self) -> bool: ...

    def span(self, name: str, attributes: Attributes = NONE) -> AbstractContextManager[Span]:
        """What happens inside the block; an exception that leaves it is kept by its type's name alone."""
        ...

    def note(
        self, name: str, seconds: float, attributes: Attributes = NONE, *, kind: Kind = "internal", root: str = ""
    ) -> None:
        """Something that ended just now after `seconds`; an `error.type` among the attributes marks it failed.

        With `root` it is the whole of the trace of that name, which `within` puts the parts into.
        """
        ...

    def within(self, root: str) -> AbstractContextManager[None]:
        """Whatever is traced inside the block belongs to the trace of this name, in any process and after a restart."""
        ...


class _Nothing:
    """A span that nobody sees, and the block around it."""

    def set(self, attributes: Attributes) -> None: ...

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *ended: object) -> None: ...


class NoTracer:
    """Traces nothing, at the cost of a call."""

    on = False
    _nothing = _Nothing()
    _null: AbstractContextManager[None] = contextlib.nullcontext()

    def span(self, name: str, attributes: Attributes = NONE) -> AbstractContextManager[Span]:
        return self._nothing

    def note(
        self, name: str, seconds: float, attributes: Attributes = NONE, *, kind: Kind = "internal", root: str = ""
    ) -> None: ...

    def within(self, root: str) -> AbstractContextManager[None]:
        return self._null


NO_TRACER = NoTracer()
