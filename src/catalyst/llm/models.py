"""The catalog: which models exist, who serves them, and how requests are routed over them.

Data lives in `models.toml`; the operator's file replaces or adds single entries. Prices stand in `prices.py`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Any

from catalyst.errors import LLMModelError, SettingsError
from catalyst.llm.types import Complexity

TIERS: tuple[Complexity, ...] = ("simple", "medium", "complex", "critical")
DEFAULT_CONTEXT = 128_000
EMBEDS = "embed"
"""The capability of a model that makes vectors, and answers nothing."""


@dataclass(frozen=True, slots=True)
class SetPrice:
    """A price the operator set, USD per million tokens."""

    input: Decimal
    output: Decimal
    cached: Decimal


@dataclass(frozen=True, slots=True)
class Model:
    """One model of one provider. `id` is the provider's own name of it, `context` its window in tokens."""

    name: str
    provider: str
    id: str
    context: int = DEFAULT_CONTEXT
    tier: str = "medium"
    capabilities: frozenset[str] = frozenset()
    """`schema`, `tools`, `stream`, `embed`; empty where nobody said, and then nothing is ruled out."""
    retired: str = ""
    """Its successor's name, where the provider no longer serves it."""
    price: SetPrice | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """What a free tier takes: requests a day in the provider's own zone, and a minute."""

    daily: int = 0
    spare: int = 100
    per_minute: int = 0
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Models by name, aliases, and the weighted row of each complexity."""

    models: Mapping[str, Model]
    aliases: Mapping[str, str]
    routes: Mapping[str, tuple[tuple[str, int], ...]]
    last: str
    substitutes: Mapping[str, tuple[str, ...]]
    quotas: Mapping[str, Quota]
    providers: frozenset[str] = field(default_factory=frozenset)
    """Names that may stand before a slash in `provider/model`."""

    def find(self, name: str) -> Model:
        """The model of this name, alias, or `provider/model`.

        Raises LLMModelError where there is none, or where it is retired (the message names the successor).
        """
        model = self._known(name)
        if model.retired:
            raise LLMModelError(
                f"{name} is retired: use {self.aliases.get(model.retired, model.retired)} instead",
                provider=model.provider,
                model=name,
            )
        return model

    def embedder(self, providers: Container[str]) -> str:
        """The first model that embeds and whose provider is among `providers`.

        Raises LLMModelError where there is none.
        """
        for model in self.models.values():
            if EMBEDS in model.capabilities and model.provider in providers and not model.retired:
                return model.name
        raise LLMModelError(
            "no provider with a key embeds: set OPENAI_API_KEY or GEMINI_API_KEY, or name a model",
            provider="",
            model="",
        )

    def _known(self, name: str) -> Model:
        name = self.aliases.get(name, name)
        found = self.models.get(name)
        if found is not None:
            return found
        provider, slash, own = name.partition("/")
        if slash and own and provider in self.providers:
            known = self.models.get(own)
            return known if known is not None and known.provider == provider else Model(name, provider, own)
        close = difflib.get_close_matches(name, [*self.models, *self.aliases], 3, 0.5)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise LLMModelError(
            f"no model is named {name!r}{hint} (any other works as provider/model)", provider="", model=name
        )


def load_catalog(
    user_file: Path | None = None,
    *,
    defaults: Mapping[str, str] | None = None,
    extra: Iterable[Model] = (),
    providers: Iterable[str] = (),
) -> Catalog:
    """Read our table, then the operator's over it. `defaults` replaces aliases, `extra` adds models (the local one).

    Raises SettingsError for a file that cannot be read or names something unknown.
    """
    data = tomllib.loads(resources.files("catalyst.llm").joinpath("models.toml").read_text("utf-8"))
    if user_file is not None:
        data = _merged(data, _user_data(user_file))
    models = {name: _model(name, entry) for name, entry in data["models"].items()}
    models |= {model.name: model for model in extra}
    aliases = dict(data["aliases"]) | {name: value for name, value in (defaults or {}).items() if value}
    routes = dict(data["routes"])
    last = str(routes.pop("last"))
    catalog = Catalog(
        models=models,
        aliases=aliases,
        routes={tier: tuple(row.items()) for tier, row in routes.items()},
        last=last,
        substitutes={tier: tuple(names) for tier, names in data["substitutes"].items()},
        quotas={name: Quota(**entry) for name, entry in data["quotas"].items()},
        providers=frozenset(providers) | {model.provider for model in models.values()},
    )
    _check(catalog, user_file)
    return catalog


def _user_data(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"LLM_MODELS_FILE {path} cannot be read: {error}") from error


def _merged(ours: dict[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    merged = {section: dict(entries) for section, entries in ours.items()}
    for section, entries in theirs.items():
        if section not in merged or not isinstance(entries, Mapping):
            raise SettingsError(f"the models file has an unknown section {section!r}: use {', '.join(merged)}")
        for name, entry in entries.items():
            before = merged[section].get(name)
            adds = section in ("models", "quotas") and isinstance(before, Mapping)
            merged[section][name] = {**before, **entry} if adds else entry  # type: ignore[dict-item]
    return merged


def _model(name: str, entry: Mapping[str, Any]) -> Model:
    try:
        price = entry.get("price")
        return Model(
            name=name,
            provider=str(entry["provider"]),
            id=str(entry.get("id", name)),
            context=int(entry.get("context", DEFAULT_CONTEXT)),
            tier=str(entry.get("tier", "medium")),
            capabilities=frozenset(entry.get("capabilities", ())),
            retired=str(entry.get("retired", "")),
            price=_price(price) if price is not None else None,
        )
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise SettingsError(f"model {name!r} of the models file is malformed: {error!r}") from error


def _price(entry: Mapping[str, Any]) -> SetPrice:
    ins, out = Decimal(str(entry["input"])), Decimal(str(entry["output"]))
    cached = Decimal(str(entry.get("cached", ins)))
    if min(ins, out, cached) < 0 or not (ins + out + cached).is_finite():
        raise ValueError("a price is negative")
    return SetPrice(ins, out, cached)


def _check(catalog: Catalog, path: Path | None) -> None:
    named = [name for row in catalog.routes.values() for name, _ in row] + [catalog.last]
    named += [name for row in catalog.substitutes.values() for name in row] + list(catalog.aliases)
    try:
        for name in named:
            catalog.find(name)
    except LLMModelError as error:
        raise SettingsError(f"{path or 'models.toml'}: {error}") from error
