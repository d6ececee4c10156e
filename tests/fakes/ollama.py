"""Ollama: the OpenAI-compatible endpoints, and its own `/api/ps`, `/api/generate` with `keep_alive`, `/api/version`."""

from __future__ import annotations

from typing import Any

from tests.fakes.openai import OpenAI
from tests.fakes.server import Answer, Asked, Fault

_OWN = ("/api/ps", "/api/generate", "/api/tags", "/api/version")
_GIBIBYTE = 1 << 30


class Ollama(OpenAI):
    """Asks for no key, and keeps models in memory."""

    key = ""
    base = "/v1"
    models = ("mistral", "mistral:*", "llama3*")
    reasoning = ()
    strict_schemas = False

    def __init__(self) -> None:
        self.resident: dict[str, int] = {}
        """Model to bytes held; a test may put one there."""

    def check(self, asked: Asked) -> None:
        if asked.path in _OWN:
            if asked.path == "/api/generate":
                self._check_generate(asked)
            return
        super().check(asked)
        if "tool_choice" in (asked.body or {}):
            raise Fault(400, self.fault("tool_choice is not supported", "invalid_request_error"))

    def streams(self, asked: Asked) -> bool:
        return asked.path not in _OWN and super().streams(asked)

    def whole(self, asked: Asked, answer: Answer) -> Any:
        if asked.path == "/api/ps":
            held = [
                {"name": name, "model": name, "size": size, "size_vram": size} for name, size in self.resident.items()
            ]
            return {"models": held}
        if asked.path == "/api/generate":
            return self._generate(asked.body)
        if asked.path == "/api/tags":
            return {"models": [{"name": "mistral:latest", "model": "mistral:latest"}]}
        if asked.path == "/api/version":
            return {"version": "0.12.0"}
        self.resident[asked.body["model"]] = 4 * _GIBIBYTE
        return super().whole(asked, answer)

    def no_model(self, name: str) -> Fault:
        return Fault(404, self.fault(f"model '{name}' not found", "api_error"))

    def error(self, status: int, message: str) -> Any:
        return self.fault(message or f"the runner says {status}", "api_error")

    def _check_key(self, asked: Asked) -> None:
        return None

    def _check_generate(self, asked: Asked) -> None:
        if not isinstance(asked.body, dict) or not asked.body.get("model"):
            raise Fault(400, {"error": "model is required"})
        if asked.body["model"] not in ("mistral", "mistral:latest"):
            raise Fault(404, {"error": f"model '{asked.body['model']}' not found"})

    def _generate(self, body: dict[str, Any]) -> Any:
        name = body["model"]
        done: dict[str, Any] = {"model": name, "created_at": "2025-12-12T14:00:00Z", "response": "", "done": True}
        if not body.get("prompt") and body.get("keep_alive") == 0:
            self.resident.pop(name, None)
            return done | {"done_reason": "unload"}
        self.resident[name] = 4 * _GIBIBYTE
        if not body.get("prompt"):
            return done | {"done_reason": "load"}
        return done | {"response": "Hello.", "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 1}
