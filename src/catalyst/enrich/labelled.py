"""Calibrate from labelled rows: what rules and model said, held against what is right. Start with `calibrated`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalyst.enrich.calibrate import LEAST_ROWS, Calibration, Calibrations
from catalyst.enrich.rules import RULES
from catalyst.enrich.types import Artifact, FieldSpec, Kind

LABELS = "labels"
"""The key of a labelled row under which the right values stand, field to value."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One labelled item: the rules' score, and whether their value was right."""

    field: str
    score: float
    right: bool


def same(kind: Kind, value: str, label: str, locale: str = "") -> bool:
    """Whether a value says what the label says, however the label is written."""
    if kind in ("date", "total", "currency"):
        read = RULES[kind]
        said = label if kind == "date" else f"TOTAL {label}" if kind == "total" else label
        return value == label or any(found.value == value for found in read(said, locale)[:1])
    return _letters(value) == _letters(label)


def rows_of(records: Iterable[Mapping[str, object]], specs: Sequence[FieldSpec]) -> Iterable[Seen]:
    """What the rules say of labelled records; a record without a field's label says nothing of it."""
    for record in records:
        labels = record.get(LABELS)
        if not isinstance(labels, dict):
            continue
        artifact = Artifact.of({key: value for key, value in record.items() if key != LABELS})
        for spec in specs:
            label = labels.get(spec.name)
            found = RULES[spec.rules](artifact.text, artifact.locale) if spec.rules in RULES else []
            if label is not None and found:
                right = same(
                    spec.rules, found[0].value, str(label), artifact.locale or str(record.get("label_locale", ""))
                )
                yield Seen(spec.name, found[0].score, right)


def calibrated(seen: Iterable[Seen], known: Calibrations) -> dict[str, str]:
    """Add a curve for each field with enough rows; says for each field what became of it."""
    rows: dict[str, list[tuple[float, bool]]] = {}
    for one in seen:
        rows.setdefault(one.field, []).append((one.score, one.right))
    said = {}
    for name, pairs in rows.items():
        right = sum(was for _, was in pairs) / len(pairs)
        if len(pairs) < LEAST_ROWS:
            said[name] = f"{len(pairs)} labelled rows, {LEAST_ROWS} are needed"
            continue
        known.curves[f"{name}/rules"] = Calibration.fit(pairs)
        said[name] = f"{len(pairs)} rows, {right:.1%} right"
    return said


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()
