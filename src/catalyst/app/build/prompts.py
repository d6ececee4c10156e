"""The prompts that run: ours, and those of the operator's folder (PROMPTS_DIR)."""

from __future__ import annotations

from catalyst.app.settings import Settings
from catalyst.llm.prompts import PromptRegistry


def prompts(settings: Settings) -> PromptRegistry:
    """Every prompt by id and version. Raises SettingsError for a file that is none, or that changes one of ours."""
    folder = settings.hub.prompts_dir
    return PromptRegistry.load(*([folder] if folder else []))
