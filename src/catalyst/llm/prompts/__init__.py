"""Prompts as files. Read `registry.py` first; `template.py` is one file of them."""

from catalyst.llm.prompts.registry import PromptRegistry
from catalyst.llm.prompts.template import Prompt, Rendered, Settings, read_prompt

__all__ = ["Prompt", "PromptRegistry", "Rendered", "Settings", "read_prompt"]
