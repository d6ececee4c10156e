"""`get_llm_service()`: the hub for scripts and other programs, put together from the environment and `.env`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from catalyst.app.build.hub import hub
from catalyst.app.settings import Settings, load
from catalyst.errors import SettingsError
from catalyst.llm import LLMService


@contextlib.asynccontextmanager
async def get_llm_service(settings: Settings | None = None) -> AsyncIterator[LLMService]:
    """The hub, started, and closed at the end of the block: `async with get_llm_service() as hub`.

    Raises SettingsError when a setting is malformed or no provider is configured.
    """
    settings = settings or load()
    async with hub(settings, settings.app.data_dir, lasting=True) as llm:
        if llm is None:
            raise SettingsError(
                "no model can be asked: set a provider's key (GEMINI_API_KEY, ANTHROPIC_API_KEY, …), or "
                "LLM_LOCAL_ENABLED=1 with a local server"
            )
        yield llm
