"""Where Discord is, and what a webhook's address says."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from catalyst.errors import SettingsError

API = "https://discord.com/api/v10"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a webhook is: `key` names it without its secret."""

    url: str = field(repr=False)
    thread: str
    key: str

    @classmethod
    def of(cls, url: str) -> Webhook:
        """From the address that Discord shows, with `?thread_id=` for a thread. Raises SettingsError."""
        parts = urlsplit(url.strip())
        steps = parts.path.strip("/").split("/")
        try:
            place = steps.index("webhooks")
            ident, _secret = steps[place + 1 :]
        except ValueError:
            raise SettingsError(
                "DISCORD_WEBHOOK_URL is no webhook's address: copy it from the channel's integrations page"
            ) from None
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"))
        if not secure or not ident.isdigit():
            raise SettingsError("DISCORD_WEBHOOK_URL must be an https address that ends in /webhooks/ID/TOKEN")
        thread = dict(parse_qsl(parts.query)).get("thread_id", "")
        return cls(urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", "")), thread, f"webhook:{ident}")
