"""The hub as an OpenAI-compatible and Anthropic-compatible endpoint. `app.py` is a request's life.

One file per wire format: `openai.py`, `anthropic.py`. `faults.py` says what each error of the hub is to a client.
"""

from catalyst.web.gateway.app import Gateway
from catalyst.web.gateway.settings import GatewaySettings

__all__ = ["Gateway", "GatewaySettings"]
