"""The lexicons of the cache: data files beside this one, and their version."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

READING = 1
"""Raise it when the code reads differently with the same lexicons."""


@cache
def guard_version() -> str:
    """A short hash over the lexicons and the way of reading: kept answers of another version are not compared."""
    digest = hashlib.sha256(str(READING).encode())
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith((".toml", ".tsv")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
