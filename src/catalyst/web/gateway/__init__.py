"""The hub as an OpenAI-compatible and Anthropic-compatible endpoint. `app.py` is a request's life.

One file per wire format: `openai.py`, `anthropic.py`. `faults.py` says what each error of the hub is to a client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from catalyst.web.gateway.settings import GatewaySettings

if TYPE_CHECKING:
    from catalyst.web.gateway.app import Gateway

__all__ = ["Gateway", "GatewaySettings"]


def __getattr__(name: str) -> Any:
    """`Gateway` when it is asked for: each command reads settings, few serve, and FastAPI takes 0.4 s to load."""
    if name == "Gateway":
        return import_module("catalyst.web.gateway.app").Gateway
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
