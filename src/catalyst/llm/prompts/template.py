"""One prompt file: front matter, a system part and a user part; strict about its variables. Start with `read_prompt`.

A `.prompt` file is YAML between two `---` lines (id, version, description, tier, temperature, max_tokens, variables,
output_schema), then the parts under `[system]` and `[user]` lines, in the part of Jinja2 that `language` allows.
Values are inserted as data: template marks inside them stay as they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from jinja2 import Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from catalyst.errors import LLMValidationError, SettingsError
from catalyst.llm.prompts import language
from catalyst.llm.types import LLMRequest

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list, tuple),
    "object": (dict,),
}
TIERS = ("simple", "medium", "complex", "critical")

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FILE = re.compile(r"\A---\n(?P<front>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)
_PARTS = re.compile(r"\A\s*\[system\]\n(?P<system>.*?)\n\[user\]\n(?P<user>.*)\Z", re.DOTALL)
_ID = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_VERSION = re.compile(r"v[1-9]\d{0,5}")
_KEYS = frozenset(("id", "version", "description", "tier", "temperature", "max_tokens", "variables", "output_schema"))


@dataclass(frozen=True, slots=True)
class Settings:
    """How a prompt wants to be run."""

    tier: str
    """simple, medium, complex or critical; a caller may know better."""
    temperature: float
    max_tokens: int
    output_schema: Mapping[str, Any] | None = None
    """JSON schema of the answer; None for free text."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt ready to send."""

    system: str
    user: str
    settings: Settings
    key: str
    """Which template made it: `filing.analyze@v1:` and a hash of the file."""

    def request(self, **options: Any) -> LLMRequest:
        """The request that asks it and names its template; `options` are `LLMRequest`'s, over the prompt's own.

        A prompt with an output schema asks for JSON. Raises pydantic's ValidationError for a bad option.
        """
        settings = self.settings
        asked: dict[str, Any] = {
            "prompt": self.user,
            "system_prompt": self.system,
            "complexity": settings.tier,
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
            "template": self.key,
        }
        if settings.output_schema is not None:
            asked |= {"output_format": "json", "output_schema": dict(settings.output_schema)}
        return LLMRequest(**asked | options)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One immutable version of a prompt."""

    id: str
    version: str
    description: str
    variables: Mapping[str, str]
    """Name to type; all are required."""
    settings: Settings
    system: str
    user: str
    digest: str
    _environment: SandboxedEnvironment = field(repr=False, compare=False)
    _made: dict[str, Template] = field(default_factory=dict, repr=False, compare=False)

    @property
    def key(self) -> str:
        return f"{self.id}@{self.version}:{self.digest[:12]}"

    def render(self, variables: Mapping[str, Any]) -> Rendered:
        """Fill the parts in. Raises LLMValidationError on a missing, unknown or mistyped variable."""
        self._check(variables)
        try:
            language.bounded(list(variables.values()))
            system, user = (language.fill(self._compiled(part), variables) for part in (self.system, self.user))
        except (TemplateError, TypeError, ValueError, RecursionError) as error:
            raise LLMValidationError(f"prompt {self.key} cannot be filled in: {error}") from error
        return Rendered(system.strip(), user.strip(), self.settings, self.key)

    def _compiled(self, part: str) -> Template:
        """A part made ready once: compiling costs more than filling in."""
        if part not in self._made:
            self._made[part] = self._environment.from_string(part)
        return self._made[part]

    def _check(self, variables: Mapping[str, Any]) -> None:
        missing, unknown = self.variables.keys() - variables.keys(), variables.keys() - self.variables.keys()
        for names, what in ((missing, "needs"), (unknown, "does not know")):
            if names:
                raise LLMValidationError(
                    f"prompt {self.id} {self.version} {what} {', '.join(sorted(names))}: "
                    f"its variables are {', '.join(self.variables) or 'none'}"
                )
        for name, kind in self.variables.items():
            value = variables[name]
            if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
                raise LLMValidationError(
                    f"prompt {self.id} {self.version}: {name} must be a {kind}, not {type(value).__name__}"
                )


def read_prompt(text: str, source: str) -> Prompt:
    """Read a prompt file. Raises SettingsError, naming `source` and what is wrong."""
    found = _FILE.match(text.replace("\r\n", "\n"))
    if found is None:
        raise _bad(source, "it does not begin with front matter between two --- lines")
    front = _front(found["front"], source)
    parts = _PARTS.match(found["body"])
    if parts is None:
        raise _bad(source, "it has no [system] part followed by a [user] part")
    variables = _variables(front, source)
    environment = language.environment()
    _check_use(environment, parts["system"] + "\n" + parts["user"], variables, source)
    return Prompt(
        front["id"], front["version"], str(front.get("description", "")), variables, _settings(front, source),
        parts["system"], parts["user"], hashlib.sha256(text.encode()).hexdigest(), environment,
    )  # fmt: skip


def _front(text: str, source: str) -> dict[str, Any]:
    try:
        front = yaml.load(text, Loader=_LOADER)  # noqa: S506 (the safe loader, in C where it is built)
    except yaml.YAMLError as error:
        raise _bad(source, f"its front matter is no YAML ({error})") from error
    if not isinstance(front, dict):
        raise _bad(source, "its front matter is no mapping")
    unknown = front.keys() - _KEYS
    if unknown:
        raise _bad(source, f"its front matter has unknown keys: {', '.join(sorted(map(str, unknown)))}")
    if not _ID.fullmatch(str(front.get("id", ""))) or not _VERSION.fullmatch(str(front.get("version", ""))):
        raise _bad(source, "it needs an id such as filing.analyze and a version such as v1")
    return front


def _variables(front: Mapping[str, Any], source: str) -> dict[str, str]:
    given = front.get("variables") or {}
    if not isinstance(given, dict):
        raise _bad(source, "variables must map each name to its type")
    kinds = {str(name): str(kind.get("type") if isinstance(kind, dict) else kind) for name, kind in given.items()}
    wrong = [name for name, kind in kinds.items() if kind not in TYPES or not name.isidentifier()]
    if wrong:
        raise _bad(source, f"variables without a known type ({', '.join(TYPES)}): {', '.join(wrong)}")
    return kinds


def _settings(front: Mapping[str, Any], source: str) -> Settings:
    tier, temperature, tokens = (
        front.get("tier", "medium"),
        front.get("temperature", 0.0),
        front.get("max_tokens", 1024),
    )
    schema = front.get("output_schema")
    if tier not in TIERS:
        raise _bad(source, f"tier must be one of {', '.join(TIERS)}")
    if not isinstance(temperature, int | float) or not 0 <= temperature <= 2:
        raise _bad(source, "temperature must be a number from 0 to 2")
    if not isinstance(tokens, int) or not 1 <= tokens <= 100_000:
        raise _bad(source, "max_tokens must be a whole number from 1 to 100000")
    if schema is not None and not isinstance(schema, dict):
        raise _bad(source, "output_schema must be a JSON schema")
    return Settings(tier, float(temperature), tokens, schema)


def _check_use(environment: SandboxedEnvironment, body: str, variables: Mapping[str, str], source: str) -> None:
    """What the parts use and what the front matter declares must be the same."""
    try:
        used = language.check(environment, body)
    except TemplateError as error:
        raise _bad(source, f"its body is no template ({error})") from error
    if used != variables.keys():
        differing = ", ".join(sorted(used ^ variables.keys()))
        raise _bad(source, f"its body and its variables differ in: {differing}")


def _bad(source: str, why: str) -> SettingsError:
    return SettingsError(f"{source} is no prompt: {why}")
