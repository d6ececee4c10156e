"""Where a stop outlives the process: until when EDGAR must not be asked, kept before anybody could ask again.

EDGAR refuses an address, so a file beside the databases is the right place: another machine has another address.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import structlog


class Stops(Protocol):
    """The end of the latest stop, POSIX seconds on the walk's clock; 0 when there was none."""

    def kept(self) -> float: ...

    def keep(self, until: float) -> None: ...


class NoStops:
    """Keeps nothing: for a process that nobody restarts."""

    def kept(self) -> float:
        return 0.0

    def keep(self, until: float) -> None:
        """Forget it."""


class StopFile:
    """A file of one number. One that cannot be read counts as no stop; one that cannot be written is told of."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def kept(self) -> float:
        try:
            return float(self._path.read_text()[:40])
        except (OSError, ValueError):
            return 0.0

    def keep(self, until: float) -> None:
        draft = self._path.with_suffix(".tmp")
        try:
            with draft.open("w") as file:
                file.write(f"{until!r}\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as error:
            # The stop itself holds; only a restart within these minutes would not know of it.
            structlog.get_logger().error("edgar.stop_not_kept", path=str(self._path), error=str(error))


__all__ = ["NoStops", "StopFile", "Stops"]
