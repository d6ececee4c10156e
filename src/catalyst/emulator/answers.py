"""What the emulator answers, before anything is sent: a status, headers, and bytes (some still on disk)."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field

from catalyst.emulator.library import Span

ATOM = "application/atom+xml"
JSON = "application/json"
HTML = "text/html"
PLAIN = "text/plain"
RSS = "application/rss+xml"

TAG = "X-Catalyst-Recording"
"""Names where a filing's text comes from: recorded, stand-in or synthesised."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. `released` is when the filing it belongs to appeared (POSIX seconds), None for the rest."""

    content_type: str
    parts: tuple[bytes | Span, ...]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    released: float | None = None

    @property
    def length(self) -> int:
        return sum(len(part) for part in self.parts)

    def read(self) -> bytes:
        return b"".join(part if isinstance(part, bytes) else part.read() for part in self.parts)


def page(title: str, text: str, status: int) -> Answer:
    """A small HTML page, such as EDGAR's for errors."""
    body = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f"<title>SEC.gov | {html.escape(title)}</title></head>\n"
        f"<body><h1>{html.escape(title)}</h1>\n<p>{html.escape(text)}</p></body></html>\n"
    )
    return Answer(HTML, (body.encode("utf-8"),), status)


NOT_FOUND = page("File Not Found Error Alert (404)", "The page you asked for is not here, or not here yet.", 404)
BAD_REQUEST = page("Bad Request (400)", "A parameter of this address makes no sense.", 400)
NOT_ALLOWED = page("Method Not Allowed (405)", "Only GET and HEAD are answered here.", 405)
UNDECLARED = page(
    "Your Request Originates from an Undeclared Automated Tool",
    "Please declare your traffic by updating your user agent to include company-specific information: "
    "a name and an e-mail address.",
    403,
)
THRESHOLD = page(
    "Request Rate Threshold Exceeded",
    "Requests from your address exceeded 10 a second. It is refused until it has been quiet for 10 minutes.",
    403,
)
UNAVAILABLE = page("Service Unavailable (503)", "The service is down for a while.", 503)
