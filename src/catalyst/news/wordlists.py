"""The room's word lists, read once at first use."""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files


def word_list(name: str) -> frozenset[str]:
    """A list of `data/words.toml`."""
    return frozenset(_lists()[name].split())


@functools.cache
def _lists() -> dict[str, str]:
    return tomllib.loads((files(__package__) / "data" / "words.toml").read_text("utf-8"))
