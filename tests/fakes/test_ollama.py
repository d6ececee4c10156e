"""Ollama's own endpoints, as the local tier uses them."""

from __future__ import annotations

import json

from catalyst.http import Http
from tests.fakes.plugin import Wire


async def test_a_model_is_loaded_kept_listed_and_released(wire: Wire):
    async def asked(path: str, body: dict[str, object] | None = None) -> dict:
        sent = None if body is None else json.dumps(body).encode()
        answer = await http.request("GET" if body is None else "POST", wire.ollama.origin + path, body=sent)
        return dict(json.loads(answer.body))

    async with Http() as http:
        assert (await asked("/api/ps"))["models"] == []
        loaded = await asked("/api/generate", {"model": "mistral", "keep_alive": "10m"})
        assert (loaded["done_reason"], loaded["response"]) == ("load", "")
        assert [held["name"] for held in (await asked("/api/ps"))["models"]] == ["mistral"]
        assert (await asked("/api/generate", {"model": "mistral", "keep_alive": 0}))["done_reason"] == "unload"
        assert (await asked("/api/ps"))["models"] == []
