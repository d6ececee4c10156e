"""All prompts by id and version: those that ship and those of the operator's folder. Start with `PromptRegistry`.

A folder adds prompts and versions; it never changes one that is there. What runs is the alias `production`: of a
shipped prompt its newest shipped version, unless the folder's `prompts.toml` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from catalyst.errors import LLMValidationError, SettingsError
from catalyst.llm.prompts.labels import FILE, PRODUCTION, Labels, drawn, read_labels
from catalyst.llm.prompts.template import Prompt, Rendered, read_prompt

MAX_BYTES = 256 * 1024


class PromptRegistry:
    """Prompts, each version immutable: two different texts under one id and version are refused."""

    def __init__(self, prompts: Iterable[Prompt] = (), labels: Labels | None = None) -> None:
        self._prompts: dict[str, dict[str, Prompt]] = {}
        self._aliases: dict[str, dict[str, str]] = {PRODUCTION: {}}
        self._variants: dict[str, dict[str, float]] = {}
        for prompt in prompts:
            self.add(prompt)
        if labels is not None:
            self.label(labels, FILE)

    @classmethod
    def load(cls, *folders: Path) -> PromptRegistry:
        """The shipped prompts and those in `folders`. Raises SettingsError on the first file that is no prompt."""
        registry = cls()
        for resource in sorted(files(__package__).iterdir(), key=lambda resource: resource.name):
            if resource.name.endswith(".prompt"):
                registry.add(read_prompt(resource.read_text("utf-8"), resource.name))
        shipped = {name: registry.get(name) for name in registry.ids()}
        registry._aliases[PRODUCTION] = {name: prompt.version for name, prompt in shipped.items()}
        for folder in folders:
            registry._read(folder, shipped)
        return registry

    def add(self, prompt: Prompt) -> None:
        """Take a prompt in. Raises SettingsError when that version is known with another text."""
        known = self._prompts.setdefault(prompt.id, {}).setdefault(prompt.version, prompt)
        if known.digest != prompt.digest:
            raise SettingsError(
                f"prompt {prompt.id} {prompt.version} is there twice with different texts: give one a new version"
            )

    def label(self, labels: Labels, source: str) -> None:
        """Take aliases and variants in, over those there are. Raises SettingsError for a version there is none of."""
        named = [(name, version) for row in labels.aliases.values() for name, version in row.items()]
        named += [(name, version) for name, row in labels.variants.items() for version in row]
        for name, version in named:
            if version not in self._prompts.get(name, {}):
                raise SettingsError(f"{source} names {name} {version}, and there is no such prompt: see `prompts list`")
        for alias, row in labels.aliases.items():
            self._aliases.setdefault(alias, {}).update(row)
        self._variants |= {name: dict(row) for name, row in labels.variants.items()}

    def ids(self) -> tuple[str, ...]:
        return tuple(sorted(self._prompts))

    def versions(self, prompt_id: str) -> tuple[str, ...]:
        """Oldest first. Raises LLMValidationError for an unknown id."""
        return tuple(sorted(self._known(prompt_id), key=lambda version: int(version[1:])))

    def aliases(self, prompt_id: str) -> dict[str, str]:
        """Alias to version; `production` is always there. Raises LLMValidationError for an unknown id."""
        named = {alias: row[prompt_id] for alias, row in self._aliases.items() if prompt_id in row}
        return {PRODUCTION: self.versions(prompt_id)[-1]} | named

    def variants(self, prompt_id: str) -> Mapping[str, float]:
        """Version to weight; empty where no variants are tried."""
        return dict(self._variants.get(prompt_id, {}))

    def get(self, prompt_id: str, version: str | None = None) -> Prompt:
        """A prompt by version or alias, by default `production`. Raises LLMValidationError when there is none."""
        known, aliases = self._known(prompt_id), self.aliases(prompt_id)
        chosen = version or PRODUCTION
        chosen = aliases.get(chosen, chosen)
        if chosen not in known:
            raise LLMValidationError(
                f"prompt {prompt_id} has no version {chosen}: there are "
                f"{', '.join((*self.versions(prompt_id), *sorted(aliases)))}"
            )
        return known[chosen]

    def assign(self, prompt_id: str, key: str) -> Prompt:
        """The variant that `key` (a tenant, a customer, a filing) gets, always the same; else what runs in production.

        Raises LLMValidationError for an unknown id.
        """
        weights = self._variants.get(prompt_id)
        return self.get(prompt_id, drawn(prompt_id, weights, key) if weights else None)

    def render(self, prompt_id: str, /, version: str | None = None, **variables: Any) -> Rendered:
        """Fill a prompt in. Raises LLMValidationError on an unknown prompt or version, or a wrong variable."""
        return self.get(prompt_id, version).render(variables)

    def _read(self, folder: Path, shipped: Mapping[str, Prompt]) -> None:
        """Take a folder in. A new version of a shipped prompt must take that one's variables, for ours call it."""
        if not folder.is_dir():
            raise SettingsError(f"{folder} is no folder of prompts: PROMPTS_DIR must name one")
        for path in sorted(folder.glob("*.prompt")):
            prompt = read_prompt(_text(path), str(path))
            known = shipped.get(prompt.id)
            if known is not None and known.variables != prompt.variables:
                raise SettingsError(
                    f"{path} is a version of the shipped {prompt.id} and must take the same variables: "
                    f"{', '.join(f'{name} ({kind})' for name, kind in known.variables.items())}"
                )
            self.add(prompt)
        if (folder / FILE).exists():
            self.label(read_labels(_text(folder / FILE), str(folder / FILE)), str(folder / FILE))

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
