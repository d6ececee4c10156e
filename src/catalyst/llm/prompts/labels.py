"""Which version is meant: aliases, and variants tried side by side. Both stand in a folder's `prompts.toml`.

    [aliases.production]
    "email.followup" = "v2"

    [variants."email.followup"]
    v1 = 90
    v2 = 10

A variant is drawn by a hash of the caller's key, so the same key gets the same one in every process, for ever; and
changing the weights moves only those keys that the change concerns (weighted rendezvous hashing, RFC draft
mohanty-bess-weighted-hrw).
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalyst.errors import SettingsError

FILE = "prompts.toml"
PRODUCTION = "production"
"""The alias that is meant when a caller names no version."""

_KEYS = frozenset(("aliases", "variants"))


@dataclass(frozen=True, slots=True)
class Labels:
    """What one `prompts.toml` says."""

    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Alias to prompt id to version."""
    variants: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Prompt id to version to weight."""


def read_labels(text: str, source: str) -> Labels:
    """Read a `prompts.toml`. Raises SettingsError, naming `source` and what is wrong."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source} is no TOML: {error}") from error
    if unknown := given.keys() - _KEYS:
        raise SettingsError(f"{source} has unknown tables: {', '.join(sorted(unknown))}; there are aliases, variants")
    aliases, variants = _tables(given, "aliases", source), _tables(given, "variants", source)
    return Labels(
        {alias: _versions(row, f"{source}: alias {alias}") for alias, row in aliases.items()},
        {name: _weights(row, f"{source}: variants of {name}") for name, row in variants.items()},
    )


def drawn(prompt_id: str, weights: Mapping[str, float], key: str) -> str:
    """The version that `key` gets, by weight. The same for the same key wherever and whenever it is asked."""
    return max(weights, key=lambda version: (_points(prompt_id, version, key, weights[version]), version))


def _points(prompt_id: str, version: str, key: str, weight: float) -> float:
    if weight <= 0:
        return 0.0
    digest = hashlib.sha256("\0".join((prompt_id, version, key)).encode("utf-8", "surrogatepass")).digest()
    share = (int.from_bytes(digest[:8]) + 1) / (2**64 + 1)
    return weight / -math.log(share)


def _tables(given: Mapping[str, Any], name: str, source: str) -> dict[str, Mapping[str, Any]]:
    tables = given.get(name, {})
    if not isinstance(tables, dict) or not all(isinstance(row, dict) for row in tables.values()):
        raise SettingsError(
            f'{source}: {name} must hold tables, such as [{name}.production] or [{name}."email.followup"]'
        )
    return tables


def _versions(row: Mapping[str, Any], where: str) -> dict[str, str]:
    if wrong := [name for name, version in row.items() if not isinstance(version, str)]:
        raise SettingsError(f'{where}: {", ".join(wrong)} needs a version such as "v2"; put the prompt\'s id in quotes')
    return dict(row)


def _weights(row: Mapping[str, Any], where: str) -> dict[str, float]:
    for version, weight in row.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise SettingsError(f"{where}: {version} needs a weight of 0 or more")
    if sum(row.values()) <= 0:
        raise SettingsError(f"{where}: one weight at least must be above 0")
    return {version: float(weight) for version, weight in row.items()}
