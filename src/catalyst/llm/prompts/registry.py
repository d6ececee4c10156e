"""All prompts by id and version: those that ship and those of the operator's folder. Start with `PromptRegistry`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from catalyst.errors import LLMValidationError, SettingsError
from catalyst.llm.prompts.template import Prompt, Rendered, read_prompt

MAX_BYTES = 256 * 1024


class PromptRegistry:
    """Prompts, each version immutable: two different texts under one id and version are refused."""

    def __init__(self, prompts: Iterable[Prompt] = ()) -> None:
        self._prompts: dict[str, dict[str, Prompt]] = {}
        for prompt in prompts:
            self.add(prompt)

    @classmethod
    def load(cls, *folders: Path) -> PromptRegistry:
        """The shipped prompts and those in `folders`. Raises SettingsError on the first file that is no prompt."""
        registry = cls()
        for resource in sorted(files(__package__).iterdir(), key=lambda resource: resource.name):
            if resource.name.endswith(".prompt"):
                registry.add(read_prompt(resource.read_text("utf-8"), resource.name))
        for folder in folders:
            for path in sorted(folder.glob("*.prompt")):
                registry.add(read_prompt(_text(path), str(path)))
        return registry

    def add(self, prompt: Prompt) -> None:
        """Take a prompt in. Raises SettingsError when that version is known with another text."""
        known = self._prompts.setdefault(prompt.id, {}).setdefault(prompt.version, prompt)
        if known.digest != prompt.digest:
            raise SettingsError(
                f"prompt {prompt.id} {prompt.version} is there twice with different texts: give one a new version"
            )

    def ids(self) -> tuple[str, ...]:
        return tuple(sorted(self._prompts))

    def versions(self, prompt_id: str) -> tuple[str, ...]:
        """Oldest first. Raises LLMValidationError for an unknown id."""
        return tuple(sorted(self._known(prompt_id), key=lambda version: int(version[1:])))

    def get(self, prompt_id: str, version: str | None = None) -> Prompt:
        """A prompt, by default its newest version. Raises LLMValidationError when there is none."""
        known = self._known(prompt_id)
        chosen = version or self.versions(prompt_id)[-1]
        if chosen not in known:
            raise LLMValidationError(
                f"prompt {prompt_id} has no version {chosen}: there are {', '.join(self.versions(prompt_id))}"
            )
        return known[chosen]

    def render(self, prompt_id: str, /, version: str | None = None, **variables: Any) -> Rendered:
        """Fill a prompt in. Raises LLMValidationError on an unknown prompt or version, or a wrong variable."""
        return self.get(prompt_id, version).render(variables)

    def _known(self, prompt_id: str) -> dict[str, Prompt]:
        if prompt_id not in self._prompts:
            raise LLMValidationError(f"no prompt {prompt_id}: there are {', '.join(self.ids()) or 'none'}")
        return self._prompts[prompt_id]


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SettingsError(f"{path} is larger than {MAX_BYTES} bytes: a prompt is not")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as UTF-8 text: {error}") from error
