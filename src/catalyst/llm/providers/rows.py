"""A vendor as data: its address, the names of its keys, and what it and its models take differently.

`PROVIDERS` (in `__init__`) is the one list of them. Dialects ask `row.rule(model)`; they hold no vendor's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from yarl import URL

from catalyst.errors import SettingsError

Structured = Literal["schema", "object", "words"]
"""How a model is held to a JSON schema: natively; by JSON mode with the schema in words; by words alone."""

_VERSION = re.compile(r"/v\d+(?:beta\d*|alpha\d*)?$")


@dataclass(frozen=True, slots=True)
class ModelRule:
    """What the models that fit `pattern` (shell style) take; the first rule that fits counts."""

    pattern: str = "*"
    sampling: Literal["both", "one", "none"] = "both"
    """Whether temperature and top_p may be sent: both, one of them, or none (reasoning models)."""
    max_temperature: float = 2.0
    limit_field: str = "max_tokens"
    """The field that bounds the answer (the OpenAI-compatible dialect only)."""
    structured: Structured = "schema"
    refuses: frozenset[str] = frozenset()
    """Fields of a `Call` that these models cannot express: top_p, stop, seed, tools, tool_choice."""
    schema_with_tools: bool = True
    """Whether an output schema may stand beside tools."""
    signed_calls: bool = False
    """Gemini 3 and later want a thought signature on the function calls of earlier turns."""


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One vendor. `base_url` is its default address; empty where only the operator knows it."""

    name: str
    dialect: Literal["openai", "anthropic", "gemini"]
    base_url: str
    key_env: tuple[str, ...]
    base_url_env: tuple[str, ...]
    needs_key: bool = True
    local: bool = False
    """Runs on the operator's machine: no price, `/api/ps` and `keep_alive`."""
    version_path: str = ""
    """Appended to an address that names no version (`/v1` for Ollama and vLLM)."""
    strips: tuple[str, ...] = ("/chat/completions",)
    """Endings of an address that name an endpoint, not the base."""
    stream_usage: bool = True
    """Takes `stream_options`; without it a stream brings no usage."""
    seed: bool = True
    embeddings: bool = True
    rules: tuple[ModelRule, ...] = (ModelRule(),)

    def rule(self, model: str) -> ModelRule:
        """What `model` takes; an unknown one is taken for the newest kind, the last rule."""
        name = model.rpartition("/")[2].lower()
        for rule in self.rules:
            if fnmatchcase(name, rule.pattern):
                return rule
        return self.rules[-1]

    def base(self, address: str | None = None) -> URL:
        """The base that endpoints are appended to.

        Raises:
            SettingsError: the address is missing, or is not an http or https URL.
        """
        text = (address or self.base_url).strip()
        name = self.base_url_env[0]
        if not text:
            raise SettingsError(f"{self.name} has no address: set {name}, for example http://127.0.0.1:8000/v1")
        url = _parsed(text, name)
        path = _without(url.path.rstrip("/"), self.strips)
        if not _VERSION.search(path):
            path += self.version_path
        return url.with_query(None).with_fragment(None).with_path(path or "/")


def _parsed(text: str, name: str) -> URL:
    try:
        url = URL(text)
        valid = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        valid = False
    if not valid:
        raise SettingsError(f"{name} is not an http or https address: correct it, for example https://host/v1")
    if url.user or url.password:
        raise SettingsError(f"{name} holds a user or password: take it out, the key has its own setting")
    return url


def _without(path: str, endings: tuple[str, ...]) -> str:
    for ending in endings:
        path = path.removesuffix(ending).rstrip("/")
    return path
