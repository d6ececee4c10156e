"""Catalyst: SEC filings read by the cheapest good-enough model, told to traders within seconds."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`get_llm_service`, from the composition root, which is imported only when somebody asks for it."""
    if name == "get_llm_service":
        return import_module("catalyst.app.hub").get_llm_service
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
