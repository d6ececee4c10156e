"""The room's settings: one frozen class, read from the environment's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalyst.errors import SettingsError


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """How sure is sure enough, and how much is done at once."""

    auto: float = 0.95
    """From this confidence on a value is applied without anybody looking."""
    review: float = 0.5
    """Below it a value is not even shown for review."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Field to its own `auto`."""
    tenant_field: str = ""
    """The record's field that names its tenant, such as roaster_id."""
    max_concurrent: int = 100
    max_chars: int = 24_000
    """Of an artifact in one question; a longer one is read in parts."""
    max_parts: int = 8
    """Questions about one field of one artifact; what they cannot hold is shortened, and said so."""
    patience_seconds: float = 900.0
    """How long an item waits for its tenant's quota before it is given back as failed, never dropped."""
    timeout_seconds: float = 60.0
    model: str = ""
    """Pins a model; empty lets the hub choose."""
    calibration: Path | None = None

    def __post_init__(self) -> None:
        for name, value in (("auto", self.auto), ("review", self.review), *self.thresholds.items()):
            if not 0 <= value <= 1:
                raise SettingsError(f"the threshold of {name} is {value:g}: give a confidence between 0 and 1")

    @classmethod
    def from_env(cls, values: Mapping[str, str]) -> EnrichSettings:
        """Read the room's names. Raises SettingsError listing what is malformed."""
        try:
            return cls(
                auto=float(values.get("ENRICH_AUTO_CONFIDENCE") or 0.95),
                review=float(values.get("ENRICH_REVIEW_CONFIDENCE") or 0.5),
                thresholds=_pairs(values.get("ENRICH_CONFIDENCE_THRESHOLDS", "")),
                tenant_field=values.get("ENRICH_TENANT_FIELD", ""),
                max_concurrent=max(1, int(values.get("ENRICH_MAX_CONCURRENT") or 100)),
                model=values.get("ENRICH_MODEL", ""),
                calibration=Path(values["ENRICH_CALIBRATION"]) if values.get("ENRICH_CALIBRATION") else None,
            )
        except ValueError as error:
            raise SettingsError(f"ENRICH_* settings: {error}: confidences are numbers between 0 and 1") from error


def _pairs(text: str) -> dict[str, float]:
    """`date=0.98,total=0.9`."""
    found = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, mark, value = part.partition("=")
        if not mark:
            raise ValueError(f"{part!r} is not FIELD=CONFIDENCE")
        found[name.strip()] = float(value)
    return found
