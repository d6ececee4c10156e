"""Forecasts that were made, kept for `explain`: durable, the latest ones only."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence

from catalyst.cashflow.types import Explanation
from catalyst.db import Database

MOST = 200
"""Forecasts kept; the oldest leave first."""
MOST_BYTES = 64 << 20
"""All of them, compressed."""
_STEPS = (
    """CREATE TABLE forecasts (
        place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, body BLOB NOT NULL
    );""",
)


class Forecasts:
    """Explanations by forecast id."""

    def __init__(self, db: Database, *, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._db = db
        self._most = most
        self._most_bytes = most_bytes
        db.migrate("cashflow", _STEPS)

    async def put(self, explanation: Explanation) -> None:
        """Keep it; on disk when this returns. Raises StorageError."""
        body = zlib.compress(explanation.model_dump_json().encode())

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO forecasts (id, size, body) VALUES (?, ?, ?)",
                (explanation.forecast_id, len(body), body),
            )
            rows = connection.execute("SELECT place, size FROM forecasts ORDER BY place DESC").fetchall()
            connection.executemany(
                "DELETE FROM forecasts WHERE place = ?", _surplus(rows, self._most, self._most_bytes)
            )

        await self._db.write(work)

    async def get(self, forecast_id: str) -> Explanation | None:
        """None where it was never made here, or has left. Raises StorageError."""

        def work(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute("SELECT body FROM forecasts WHERE id = ?", (forecast_id,)).fetchone()
            return None if row is None else bytes(row[0])

        body = await self._db.read(work)
        return None if body is None else Explanation.model_validate_json(zlib.decompress(body))


def _surplus(rows: Sequence[tuple[int, int]], most: int, most_bytes: int) -> list[tuple[int]]:
    """Places of the rows, newest first, that don't fit; the newest always stays."""
    gone, taken = [], 0
    for index, (place, size) in enumerate(rows):
        taken += size
        if index and (index >= most or taken > most_bytes):
            gone.append((place,))
    return gone
