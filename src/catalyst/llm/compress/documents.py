"""The documents of a request, each shortened by itself. Start with `shortened`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from catalyst.llm.compress.choose import Compressed, compress

SHORTEST = 400
"""Characters; what is shorter is not worth shortening."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shortened:
    """Documents in their order, and what was made of each that was shortened."""

    documents: tuple[str, ...]
    made: tuple[Compressed, ...]

    @property
    def tokens_saved(self) -> int:
        return sum(one.tokens_before - one.tokens_after for one in self.made)


def shortened(documents: Sequence[str]) -> Shortened:
    """Shorten what is long enough; a document that would become no shorter stays as it is."""
    texts: list[str] = []
    made: list[Compressed] = []
    for document in documents:
        mark, body = _unfenced(document)
        found = compress(body) if len(body) >= SHORTEST else None
        if found is None or len(found.text) >= len(body):
            texts.append(document)
            continue
        texts.append(f"{mark}\n{found.text}\n{mark}" if mark else found.text)
        made.append(found)
        log.info(
            "document.shortened",
            tokens_before=found.tokens_before,
            tokens_after=found.tokens_after,
            numbers_kept=round(found.numbers_kept, 3),
            entities_kept=round(found.entities_kept, 3),
            dropped=dict(found.dropped),
        )
    return Shortened(tuple(texts), tuple(made))


def _unfenced(document: str) -> tuple[str, str]:
    """The mark that a caller put around a document on lines of its own, if there is one, and what stands between."""
    first, _, rest = document.partition("\n")
    body, _, last = rest.rpartition("\n")
    return (first, body) if first and first == last else ("", document)
