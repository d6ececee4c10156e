"""What `/openapi.json` says beside the routes: tags, the key, and the gateway, which stands before FastAPI."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

TAGS = {
    "filings": "What the stream carried: recent filings, a company's, one, and its text.",
    "watchlists": "Tickers that are alerted from the feed row, whatever the form.",
    "status": "How the service is: at a glance, for whoever restarts it, and to scrape.",
    "usage": "What models were used for and what that cost.",
    "headlines": "What headlines mean.",
    "enrich": "Missing fields of records.",
    "writer": "Drafts and summaries, each with what in it is not in the input.",
    "cashflow": "When invoices are paid, and what comes in by week or month.",
    "gateway": "The hub behind OpenAI's and Anthropic's wire formats: any client of theirs works.",
}
KEYS: dict[str, Any] = {
    "X-API-Key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
}
DESCRIPTION = """Live alerts come over the WebSocket `/ws/filings` (see `/api/asyncapi.yaml`).
Where the service asks for keys, send one in `X-API-Key`; every answer but a page is JSON, every refusal
`{"detail": …}` with what to do."""

_OPEN = {"type": "object", "additionalProperties": True}
_TEXT = {"type": "string"}


def _body(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": True}


_MESSAGES = {"type": "array", "items": _OPEN, "minItems": 1}
_GATEWAY: dict[tuple[str, str], tuple[str, str, dict[str, Any] | None]] = {
    ("post", "/v1/chat/completions"): (
        "Answer a chat in OpenAI's format",
        "Streams where `stream` is true. `model` is a real one, or `catalyst/auto|simple|medium|complex|critical`.",
        _body("model", "messages", model=_TEXT, messages=_MESSAGES, stream={"type": "boolean"}),
    ),
    ("post", "/v1/messages"): (
        "Answer a chat in Anthropic's format",
        "Streams where `stream` is true.",
        _body("model", "messages", "max_tokens", model=_TEXT, messages=_MESSAGES, max_tokens={"type": "integer"}),
    ),
    ("post", "/v1/embeddings"): (
        "Vectors of texts",
        "`input` is a text or a list of them.",
        _body("model", "input", model=_TEXT, input={"oneOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
    ),
    ("get", "/v1/models"): ("The models that can be asked", "In OpenAI's list format.", None),
}
_REFUSED = {
    "400": "The request cannot be read.",
    "401": "No known key.",
    "403": "The key lacks the right.",
    "404": "No such model.",
    "413": "The body is too long.",
    "429": "Over the tenant's quota, or the month's money is spent: see Retry-After.",
    "502": "Every provider failed.",
    "503": "No model is configured, or none can be asked now.",
    "504": "No answer within the request's time.",
}


def describe(app: FastAPI) -> None:
    """Let `app` answer `/openapi.json` with the whole document, made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    for (method, path), (summary, text, body) in _GATEWAY.items():
        made["paths"].setdefault(path, {})[method] = _operation(summary, text, body)
    used = {tag for path in made["paths"].values() for operation in path.values() for tag in operation.get("tags", ())}
    made["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
    made["components"]["securitySchemes"] = KEYS
    made["security"] = [{name: []} for name in KEYS] + [{}]
    return made


def _operation(summary: str, text: str, body: dict[str, Any] | None) -> dict[str, Any]:
    answer = {"description": "As the vendor's own API answers.", "content": {"application/json": {"schema": _OPEN}}}
    if body is not None and "stream" in text.lower():
        answer["content"] = answer["content"] | {"text/event-stream": {"schema": _TEXT}}  # type: ignore[operator]
    refused = {
        code: {"description": why, "content": {"application/json": {"schema": _OPEN}}} for code, why in _REFUSED.items()
    }
    found: dict[str, Any] = {"tags": ["gateway"], "summary": summary, "description": text}
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found | {"responses": {"200": answer, **refused}}
