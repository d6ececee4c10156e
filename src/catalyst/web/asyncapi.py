"""The AsyncAPI 3 document of `/ws/filings`, made from the models and codes that the code itself uses.

    python -m catalyst.web.asyncapi > docs/api/asyncapi.yaml

It is served at `/api/asyncapi.yaml`; a test compares the file in docs/api with what is made here.
"""

from __future__ import annotations

from typing import Any

import yaml
from fastapi import APIRouter, Response
from pydantic.json_schema import models_json_schema

from catalyst import __version__
from catalyst.web import messages

VERSION = "3.0.0"
SENT = (
    messages.Connected,
    messages.Subscribed,
    messages.CaughtUp,
    messages.Heartbeat,
    messages.FilingMessage,
    messages.HeadlineMessage,
)
TAKEN = (messages.Auth, messages.Subscribe)
_TEXTS = {
    "Ping": ("ping", "The text `ping`, not JSON: answered by the text `pong`."),
    "Pong": ("pong", "The text `pong`, not JSON."),
}
_ABOUT = """Connect, send `auth` where the service asks for a key (or X-API-Key with the handshake), then `subscribe`.
After `subscribed` what was missed is replayed, then comes `caught_up`, then what is live: no gap and no repeat.
Who sends nothing for 2 s gets everything, live. Keep `epoch` and the last `seq` or `pos`; after any close connect
again and send them in `resume`."""


def document() -> dict[str, Any]:
    """The document as plain values."""
    _, schemas = models_json_schema(
        [(model, "serialization" if model in SENT else "validation") for model in (*SENT, *TAKEN)],
        ref_template="#/components/schemas/{model}",
    )
    models = {model.__name__: _message(model.__name__, model.__doc__ or "") for model in (*SENT, *TAKEN)}
    texts = {name: _text(name, word, about) for name, (word, about) in _TEXTS.items()}
    return {
        "asyncapi": VERSION,
        "info": {"title": "Catalyst's stream", "version": __version__, "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:8765", "protocol": "ws", "description": "The default bind."}},
        "channels": {"filings": _channel([*models, *texts])},
        "operations": {
            "send": _operation("send", "What the service sends.", [model.__name__ for model in SENT] + ["Pong"]),
            "receive": _operation("receive", "What it takes.", [model.__name__ for model in TAKEN] + ["Ping"]),
        },
        "components": {"messages": models | texts, "schemas": schemas["$defs"]},
    }


def text() -> str:
    """The document as YAML."""
    return yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110)


def asyncapi_router() -> APIRouter:
    """The route: open to all, like `/openapi.json`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/asyncapi.yaml")
    async def asyncapi() -> Response:
        """The stream's description."""
        return Response(text(), media_type="application/yaml")

    return router


def _channel(names: list[str]) -> dict[str, Any]:
    return {
        "address": "/ws/filings",
        "description": "Version 1. The service closes with the codes in `x-close-codes`.",
        "x-close-codes": {str(code): why for code, why in messages.CLOSE_CODES.items()},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "ws": {"headers": {"type": "object", "properties": {"X-API-Key": {"type": "string"}}}},
        },
    }


def _operation(action: str, summary: str, names: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/filings"},
        "messages": [{"$ref": f"#/channels/filings/messages/{name}"} for name in names],
    }


def _message(name: str, about: str) -> dict[str, Any]:
    return {"name": name, "summary": about.split("\n")[0], "payload": {"$ref": f"#/components/schemas/{name}"}}


def _text(name: str, word: str, about: str) -> dict[str, Any]:
    return {"name": name, "summary": about, "contentType": "text/plain", "payload": {"type": "string", "const": word}}


if __name__ == "__main__":
    print(text(), end="")
