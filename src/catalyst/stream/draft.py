"""An alert, ready to be stored but for its offset: encoded before the writer's turn, so that this stays short."""

from __future__ import annotations

from typing import NamedTuple

from catalyst.stream import encode
from catalyst.stream.types import Alert, AlertType, Record

Reach = tuple[tuple[str, ...], float]
"""What one message of a filing was about: its tickers and its score."""


class Draft(NamedTuple):
    """What both logs keep of an alert."""

    key: str
    type: AlertType
    filing_id: str
    form: str
    tickers: tuple[str, ...]
    score: float
    tail: bytes

    @classmethod
    def of(cls, alert: Alert) -> Draft:
        return cls(
            alert.key,
            alert.type,
            alert.filing_id,
            alert.filing_type.upper(),
            encode.tickers(alert),
            alert.analysis.priority_score,
            encode.rest(alert),
        )

    @property
    def is_first(self) -> bool:
        """No earlier message of the filing can be in the log."""
        return self.key.endswith("/alert/1")

    def record(self, offset: int, body: bytes, earlier: tuple[Reach, ...]) -> Record:
        return Record(offset, self.type, self.filing_id, self.tickers, self.form, self.score, body, earlier)
