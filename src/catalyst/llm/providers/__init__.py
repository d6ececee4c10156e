"""The vendors as rows of one table, and the one way to make a `Provider` from a row.

To add a vendor that speaks a known dialect, add a row. Wire formats live in `openai_compatible`, `anthropic`, `gemini`.
"""

from __future__ import annotations

from collections.abc import Callable

from catalyst.http import Http
from catalyst.llm.providers.anthropic import Anthropic
from catalyst.llm.providers.gemini import Gemini
from catalyst.llm.providers.openai_compatible import OpenAICompatible
from catalyst.llm.providers.rows import ModelRule, ProviderRow
from catalyst.llm.types import Provider

_DIALECTS: dict[str, Callable[[ProviderRow, Http, str, str | None], Provider]] = {
    "openai": OpenAICompatible,
    "anthropic": Anthropic,
    "gemini": Gemini,
}

_REASONS = ModelRule("*", sampling="none", limit_field="max_completion_tokens", refuses=frozenset({"stop"}))
"""OpenAI's reasoning models, and whatever comes after them."""
_CHATS = tuple(ModelRule(pattern) for pattern in ("gpt-3.5*", "gpt-4*", "chatgpt-*", "gpt-5*-chat*", "ft:gpt-[34]*"))
"""OpenAI's models without reasoning."""
_NO_SEED = frozenset({"seed"})

PROVIDERS: dict[str, ProviderRow] = {
    row.name: row
    for row in (
        ProviderRow(
            "openai",
            "openai",
            "https://api.openai.com/v1",
            ("OPENAI_API_KEY",),
            ("OPENAI_BASE_URL",),
            rules=(*_CHATS, _REASONS),
        ),
        ProviderRow(
            "deepseek",
            "openai",
            "https://api.deepseek.com",
            ("DEEPSEEK_API_KEY",),
            ("DEEPSEEK_BASE_URL",),
            embeddings=False,
            rules=(
                ModelRule("deepseek-reasoner*", sampling="none", structured="object", refuses=_NO_SEED),
                ModelRule(structured="object", refuses=_NO_SEED),
            ),
        ),
        ProviderRow(
            "openrouter", "openai", "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",), ("OPENROUTER_BASE_URL",)
        ),
        ProviderRow(
            "ollama",
            "openai",
            "http://127.0.0.1:11434",
            ("OLLAMA_API_KEY",),
            ("OLLAMA_BASE_URL", "LLM_ENDPOINT_URL"),
            needs_key=False,
            local=True,
            version_path="/v1",
            strips=("/chat/completions", "/api/generate", "/api/chat", "/api"),
            rules=(ModelRule(refuses=frozenset({"tool_choice"})),),
        ),
        ProviderRow(
            "vllm",
            "openai",
            "http://127.0.0.1:8000",
            ("VLLM_API_KEY",),
            ("VLLM_BASE_URL",),
            needs_key=False,
            local=True,
            version_path="/v1",
        ),
        ProviderRow("custom", "openai", "", ("CUSTOM_API_KEY",), ("CUSTOM_BASE_URL",), needs_key=False),
        ProviderRow(
            "anthropic",
            "anthropic",
            "https://api.anthropic.com",
            ("ANTHROPIC_API_KEY",),
            ("ANTHROPIC_BASE_URL",),
            version_path="/v1",
            strips=("/messages",),
            embeddings=False,
            rules=(ModelRule(sampling="none", refuses=_NO_SEED),),
        ),
        ProviderRow(
            "gemini",
            "gemini",
            "https://generativelanguage.googleapis.com",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            ("GEMINI_BASE_URL",),
            version_path="/v1",
            strips=(),
            rules=(ModelRule("gemini-[12]*", schema_with_tools=False), ModelRule(signed_calls=True)),
        ),
    )
}


def make_provider(row: ProviderRow, http: Http, key: str, base_url: str | None = None) -> Provider:
    """The `Provider` of one row under one key; `base_url` replaces the row's address.

    Raises:
        SettingsError: the key or the address is missing or malformed.
    """
    return _DIALECTS[row.dialect](row, http, key, base_url)


__all__ = ["PROVIDERS", "ModelRule", "ProviderRow", "make_provider"]
