"""Calibrate from labelled rows: what rules and model said, held against what is right. Start with `calibrated`."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from catalyst.enrich.calibrate import LEAST_ROWS, Calibration, Calibrations
from catalyst.enrich.rules import RULES
from catalyst.enrich.service import Enricher
from catalyst.enrich.types import Artifact, FieldSpec, Kind
from catalyst.errors import LLMServiceError

log = structlog.get_logger()

LABELS = "labels"
"""The key of a labelled row under which the right values stand, field to value."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One labelled item: the score of the rules, or the model's own confidence, and whether the value was right."""

    field: str
    score: float
    right: bool
    source: Literal["rules", "model"] = "rules"


def same(kind: Kind, value: str, label: str, locale: str = "") -> bool:
    """Whether a value says what the label says, however the label is written."""
    if kind in ("date", "total", "currency"):
        read = RULES[kind]
        said = label if kind == "date" else f"TOTAL {label}" if kind == "total" else label
        return value == label or any(found.value == value for found in read(said, locale)[:1])
    return _letters(value) == _letters(label)


def rows_of(records: Iterable[Mapping[str, object]], specs: Sequence[FieldSpec]) -> Iterable[Seen]:
    """What the rules say of labelled records; a record without a field's label says nothing of it."""
    for item in _items(records, specs):
        rules = item.spec.rules
        found = RULES[rules](item.artifact.text, item.artifact.locale) if rules in RULES else []
        if found:
            yield Seen(item.spec.name, found[0].score, item.agrees(found[0].value))


async def asked_of_model(
    records: Iterable[Mapping[str, object]],
    specs: Sequence[FieldSpec],
    enricher: Enricher,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Seen]:
    """What the model says of labelled records, where the artifact says it too: only such a value is ever applied.

    An item that no model answers is left out. Costs what enriching the records costs. Raises LLMServiceError where
    none was answered.
    """
    items, seen, failures, done = _items(records, specs), list[Seen](), list[LLMServiceError](), itertools.count(1)

    async def work() -> None:
        for item in items:
            try:
                reading = await enricher.read_by_model(item.artifact, item.spec)
            except LLMServiceError as error:
                failures.append(error)
                log.warning("enrich.uncalibrated", field=item.spec.name, artifact=item.artifact.id, error=str(error))
            else:
                if reading is not None and not reading.doubt:
                    seen.append(Seen(item.spec.name, reading.confidence, item.agrees(reading.value), "model"))
            progress(next(done))

    async with asyncio.TaskGroup() as group:
        for _ in range(enricher.settings.max_concurrent):
            group.create_task(work())
    if failures and not seen:
        raise failures[0]
    return seen


def calibrated(seen: Iterable[Seen], known: Calibrations) -> dict[str, str]:
    """Add a curve for each field with enough rows; says for each field what became of it."""
    rows: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for one in seen:
        rows.setdefault((one.field, one.source), []).append((one.score, one.right))
    said = {}
    for (field, source), pairs in rows.items():
        name = field if source == "rules" else f"{field} by the model"
        right = sum(was for _, was in pairs) / len(pairs)
        if len(pairs) < LEAST_ROWS:
            said[name] = f"{len(pairs)} labelled rows, {LEAST_ROWS} are needed"
            continue
        known.curves[f"{field}/{source}"] = Calibration.fit(pairs)
        said[name] = f"{len(pairs)} rows, {right:.1%} right"
    return said


@dataclass(frozen=True, slots=True)
class _Item:
    """One field of one labelled record."""

    artifact: Artifact
    spec: FieldSpec
    label: str
    locale: str
    """How the label is written."""

    def agrees(self, value: str) -> bool:
        return same(self.spec.rules, value, self.label, self.locale)


def _items(records: Iterable[Mapping[str, object]], specs: Sequence[FieldSpec]) -> Iterator[_Item]:
    for record in records:
        labels = record.get(LABELS)
        if not isinstance(labels, dict):
            continue
        artifact = Artifact.of({key: value for key, value in record.items() if key != LABELS})
        locale = artifact.locale or str(record.get("label_locale", ""))
        for spec in specs:
            if (label := labels.get(spec.name)) is not None:
                yield _Item(artifact, spec, str(label), locale)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()
