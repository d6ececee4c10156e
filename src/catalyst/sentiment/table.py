"""The trained weights as they ship: one line a feature, with a version and a checksum. Pure.

`tools/train_sentiment.py` writes the file; docs/sentiment-data-card.md says what it was trained on.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from catalyst.errors import SettingsError

NAME = "headlines.tsv"
_HEAD = "# catalyst headline table"
BIAS = "<bias>"

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Table:
    """Log-odds that each feature adds to (bearish, bullish) over neutral."""

    version: str
    sha256: str
    bias: Pair
    signs: Mapping[str, Pair]
    words: Mapping[str, Pair]
    """Of words and pairs of words; in the file their names begin with `=`."""


def dump(table: Table, notes: Mapping[str, str]) -> str:
    """The file's text; `read` reads it back."""
    rows = [f"{BIAS}\t{table.bias[0]:.3f}\t{table.bias[1]:.3f}"]
    named = {**table.signs, **{"=" + name: pair for name, pair in table.words.items()}}
    rows += [f"{name}\t{bad:.3f}\t{good:.3f}" for name, (bad, good) in sorted(named.items())]
    body = "\n".join(rows) + "\n"
    head = [_HEAD, f"# version: {table.version}", *(f"# {key}: {value}" for key, value in notes.items())]
    return "\n".join([*head, f"# sha256: {_digest(body)}"]) + "\n" + body


def read(text: str) -> Table:
    """Raises SettingsError where the file is damaged or not a table."""
    head, _, rest = text.partition("\n# sha256: ")
    digest, _, body = rest.partition("\n")
    if not head.startswith(_HEAD) or digest != _digest(body):
        raise SettingsError(f"{NAME} is damaged (its checksum does not fit): reinstall the package")
    version = next((line[11:] for line in head.splitlines() if line.startswith("# version: ")), "")
    rows = [line.split("\t") for line in body.rstrip("\n").split("\n")]
    weights = {name: (float(bad), float(good)) for name, bad, good in rows}
    words = {name[1:]: pair for name, pair in weights.items() if name[0] == "="}
    signs = {name: pair for name, pair in weights.items() if name[0] != "="}
    return Table(version, digest, signs.pop(BIAS), signs, words)


@functools.cache
def shipped() -> Table:
    """The table of this package, read and checked once."""
    return read((files(__package__) / "data" / NAME).read_text("utf-8"))


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
