"""The enricher over the hub, with what was calibrated: `catalyst enrich` and POST /enrich use it."""

from __future__ import annotations

from pathlib import Path

from catalyst.app.build.prompts import prompts
from catalyst.app.settings import Settings
from catalyst.clock import SystemClock
from catalyst.enrich import Calibrations, Enricher
from catalyst.enrich.service import Hub


def calibration_file(settings: Settings, data_dir: Path) -> Path:
    """Where `catalyst enrich calibrate` keeps what it learned."""
    return settings.enrich.calibration or data_dir / "enrich-calibration.json"


def enricher(settings: Settings, data_dir: Path, hub: Hub | None) -> Enricher:
    """An enricher; without a hub only rules speak. Raises SettingsError for a calibration that is none."""
    known = Calibrations.load(calibration_file(settings, data_dir))
    return Enricher(hub, prompts(settings), SystemClock(), known, settings.enrich)
