"""What an operator can set about the bot: one frozen class, read from the environment by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from catalyst.bot.places import API, Webhook
from catalyst.bot.prices.settings import PriceSettings
from catalyst.errors import SettingsError

_ON, _OFF = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class BotSettings:
    """Where alerts come from, where they go, and how."""

    service_url: str = "ws://127.0.0.1:8765"
    service_key: str = field(default="", repr=False)
    filings: bool = True
    """SEC_DIGESTER_ENABLED: off leaves headlines only."""
    progressive: bool = True
    """FEATURE_PROGRESSIVE_ALERTS: off sends one message with the final word, after 10 s at the latest."""
    webhooks: tuple[Webhook, ...] = ()
    token: str = field(default="", repr=False)
    channels: tuple[str, ...] = ()
    public_key: str = ""
    application_id: str = ""
    api: str = API
    host: str = "127.0.0.1"
    port: int = 8766
    """Of the interactions endpoint; it listens only with DISCORD_PUBLIC_KEY."""
    json_url: str = field(default="", repr=False)
    json_secret: str = field(default="", repr=False)
    min_priority: float = 0.0
    """Where a channel has set no threshold of its own."""
    prices: PriceSettings = field(default_factory=PriceSettings)

    @property
    def targets(self) -> int:
        """How many places alerts go to."""
        return len(self.webhooks) + len(self.channels) + bool(self.json_url)

    @classmethod
    def from_env(cls, values: Mapping[str, str]) -> BotSettings:
        """Read the room's names. Raises SettingsError for a value that makes no sense."""
        made = cls(
            service_url=values.get("SEC_DIGESTER_URL", "ws://127.0.0.1:8765"),
            service_key=values.get("CATALYST_API_KEY", ""),
            filings=_flag(values, "SEC_DIGESTER_ENABLED"),
            progressive=_flag(values, "FEATURE_PROGRESSIVE_ALERTS"),
            webhooks=tuple(Webhook.of(url) for url in _listed(values.get("DISCORD_WEBHOOK_URL", ""))),
            token=_token(values.get("DISCORD_TOKEN", "")),
            channels=tuple(_ident("DISCORD_CHANNELS", text) for text in _listed(values.get("DISCORD_CHANNELS", ""))),
            public_key=_public_key(values.get("DISCORD_PUBLIC_KEY", "")),
            application_id=_ident("DISCORD_APPLICATION_ID", values.get("DISCORD_APPLICATION_ID", "")),
            api=values.get("DISCORD_API_URL", API).rstrip("/"),
            host=values.get("CATALYST_BOT_HOST", "127.0.0.1"),
            port=_port(values.get("CATALYST_BOT_PORT", "8766")),
            json_url=_url(values.get("ALERT_WEBHOOK_URL", "")),
            json_secret=values.get("ALERT_WEBHOOK_SECRET", ""),
            prices=PriceSettings.from_env(values),
            min_priority=_share(values.get("ALERT_MIN_PRIORITY", "0")),
        )
        made._check()
        return made

    def _check(self) -> None:
        if self.channels and not self.token:
            raise SettingsError("DISCORD_CHANNELS needs DISCORD_TOKEN: copy the bot's token from its application page")
        if self.json_url and len(self.json_secret) < 16:
            raise SettingsError("ALERT_WEBHOOK_URL needs ALERT_WEBHOOK_SECRET: `openssl rand -hex 24` makes one")
        keys = [webhook.key for webhook in self.webhooks]
        if len(set(keys)) < len(keys) or len(set(self.channels)) < len(self.channels):
            raise SettingsError("a webhook or a channel is named twice: each would get every alert twice")


def _flag(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name, "1").lower()
    if text not in _ON | _OFF:
        raise SettingsError(f"{name}={text[:20]!r} is neither on (1) nor off (0)")
    return text in _ON


def _ident(name: str, text: str) -> str:
    if text and not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise SettingsError(f"{name}: an id is a number; switch on developer mode in Discord, then copy it")
    return text


def _token(text: str) -> str:
    if not text.isascii() or any(character.isspace() for character in text) or len(text) > 200:
        raise SettingsError("DISCORD_TOKEN is no token: copy it from the application's Bot page, without 'Bot'")
    return text


def _public_key(text: str) -> str:
    try:
        good = not text or len(bytes.fromhex(text)) == 32
    except ValueError:
        good = False
    if not good:
        raise SettingsError("DISCORD_PUBLIC_KEY is 64 hexadecimal digits: copy it from the application's General page")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise SettingsError(f"CATALYST_BOT_PORT={text[:20]!r} is no port: use a number from 0 to 65535")
    return int(text)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise SettingsError("ALERT_WEBHOOK_URL is no http address")
    return text


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise SettingsError(f"ALERT_MIN_PRIORITY={text[:20]!r}: use a number from 0 to 1")
    return value


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
