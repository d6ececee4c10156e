"""Server-sent events, bytes in, payloads out: no I/O, any chunking, bounded.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

MEBIBYTE = 1 << 20


class EventParser:
    """Collects the `data` of each event. Names, ids and comments are read over: vendors repeat the name in the data.

    Raises ValueError when one event holds more than `max_bytes`.
    """

    def __init__(self, max_bytes: int = 4 * MEBIBYTE) -> None:
        self._max = max_bytes
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._started = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that `chunk` completes."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if not chunk:
            return []
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        if end == 0:
            self._keep(chunk)
            return []
        self._after_cr = chunk.endswith(b"\r")
        head = b"".join((*self._line, chunk[:end]))
        self._size -= sum(map(len, self._line))
        self._line.clear()
        events = self._read(head.splitlines())
        if end < len(chunk):
            self._keep(chunk[end:])
        return events

    def close(self) -> list[bytes]:
        """What the stream left unfinished: an event without its blank line, perhaps cut in the middle."""
        lines = [b"".join(self._line), b""]
        self._line.clear()
        return self._read(lines)

    def _read(self, lines: list[bytes]) -> list[bytes]:
        if not self._started and lines:
            self._started = True
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        events = []
        for line in lines:
            if not line:
                if self._data:
                    events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                    self._data.clear()
                    self._size = 0
            elif line.startswith(b"data"):
                self._field(line)
        return events

    def _field(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            value = line[6:] if line[5:6] == b" " else line[5:]
        elif line == b"data":
            value = b""
        else:
            return
        self._data.append(value)
        self._grow(len(value))

    def _keep(self, part: bytes) -> None:
        self._line.append(part)
        self._grow(len(part))

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._max:
            raise ValueError(f"an event holds more than {self._max} bytes")
