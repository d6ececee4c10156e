"""Prompts as files. Read `registry.py` first; `template.py` is one file of them, `labels.py` which version is meant."""

from catalyst.llm.prompts.labels import Labels, read_labels
from catalyst.llm.prompts.registry import PromptRegistry
from catalyst.llm.prompts.template import Prompt, Rendered, Settings, read_prompt

__all__ = ["Labels", "Prompt", "PromptRegistry", "Rendered", "Settings", "read_labels", "read_prompt"]
