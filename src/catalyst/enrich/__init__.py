"""Fill missing fields of records: rules first, then the hub. Read `service.py` first, then `rules/`.

`Enricher.enrich_field(artifact, field, prompt)` and `batch_enrich(artifacts, fields)`; `jsonl.py` works through files.
"""

from catalyst.enrich.calibrate import Calibration, Calibrations
from catalyst.enrich.service import Enricher
from catalyst.enrich.settings import EnrichSettings
from catalyst.enrich.types import Artifact, Evidence, FieldResult, FieldSpec

__all__ = [
    "Artifact",
    "Calibration",
    "Calibrations",
    "EnrichSettings",
    "Enricher",
    "Evidence",
    "FieldResult",
    "FieldSpec",
]
