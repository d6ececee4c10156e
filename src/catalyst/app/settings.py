"""Read the environment and `.env` once, and hand each room its own frozen settings.

Every name is listed in `NAMES` with what it is for; `.env.example` and `catalyst check` derive from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dotenv import dotenv_values

from catalyst.app.names import NAMES, WITHOUT_EFFECT
from catalyst.app.traces import TraceSettings
from catalyst.bot.settings import BotSettings
from catalyst.enrich.settings import EnrichSettings
from catalyst.errors import SettingsError
from catalyst.filings.settings import FilingsSettings
from catalyst.llm.settings import HubSettings
from catalyst.news.settings import NewsSettings
from catalyst.web.gateway.settings import GatewaySettings
from catalyst.web.settings import WebSettings

T = TypeVar("T")
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class AppSettings:
    """What the process itself needs: where its data lies and how it logs."""

    data_dir: Path = Path("data")
    log_level: str = "warning"
    log_format: str = "console"
    """`console` or `json`."""
    use_models: bool = True
    """FEATURE_UNIFIED_LLM_SERVICE: off means rules only."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set, by room."""

    app: AppSettings
    filings: FilingsSettings
    hub: HubSettings
    web: WebSettings
    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    bot: BotSettings = field(default_factory=BotSettings)
    news: NewsSettings = field(default_factory=NewsSettings)
    enrich: EnrichSettings = field(default_factory=EnrichSettings)
    traces: TraceSettings = field(default_factory=TraceSettings)
    idle: tuple[str, ...] = ()
    """Names that were set but have no effect in this version."""


def load(environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Settings:
    """Read `env_file` (where it exists), then the environment over it. One SettingsError lists all faults."""
    values = dict(_file(env_file)) | dict(os.environ if environ is None else environ)
    values = {name: value.strip() for name, value in values.items() if value.strip()}
    faults: list[str] = []
    app = _caught(faults, lambda: _app(values), AppSettings())
    filings = _caught(faults, lambda: FilingsSettings.from_env(values), FilingsSettings())
    hub = _caught(faults, lambda: HubSettings.from_env(values), HubSettings())
    web = _caught(faults, lambda: WebSettings.from_env(values), WebSettings())
    gateway = _caught(faults, lambda: GatewaySettings.from_env(values), GatewaySettings())
    bot = _caught(faults, lambda: BotSettings.from_env(values), BotSettings())
    news = _caught(faults, lambda: NewsSettings.from_env(values), NewsSettings())
    enrich = _caught(faults, lambda: EnrichSettings.from_env(values), EnrichSettings())
    traces = _caught(faults, lambda: TraceSettings.from_env(values), TraceSettings())
    if faults:
        raise SettingsError("; ".join(faults))
    idle = tuple(name for name in WITHOUT_EFFECT if name in values)
    return Settings(app, filings, hub, web, gateway, bot, news, enrich=enrich, traces=traces, idle=idle)


def defaults() -> Settings:
    """What an empty environment gives."""
    return load({}, None)


def known(name: str) -> bool:
    """Whether any room reads this name."""
    return name in NAMES or name in WITHOUT_EFFECT


def flag(values: Mapping[str, str], name: str, default: bool) -> bool:
    """A switch: 1/true/yes/on or 0/false/no/off."""
    text = values.get(name, "").lower()
    if not text:
        return default
    if text not in _TRUE | _FALSE:
        raise SettingsError(f"{name}={text!r} is neither on (1) nor off (0)")
    return text in _TRUE


def _file(path: Path | None) -> Mapping[str, str]:
    if path is None or not path.exists():
        return {}
    try:
        return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error


def _app(values: Mapping[str, str]) -> AppSettings:
    level = values.get("CATALYST_LOG_LEVEL", "warning").lower()
    if level not in ("debug", "info", "warning", "error"):
        raise SettingsError(f"CATALYST_LOG_LEVEL={level!r}: use debug, info, warning or error")
    form = values.get("CATALYST_LOG_FORMAT", "console").lower()
    if form not in ("console", "json"):
        raise SettingsError(f"CATALYST_LOG_FORMAT={form!r}: use console or json")
    return AppSettings(
        Path(values.get("CATALYST_DATA_DIR", "data")),
        level,
        form,
        flag(values, "FEATURE_UNIFIED_LLM_SERVICE", True),
    )


def _caught(faults: list[str], read: Callable[[], T], fallback: T) -> T:
    try:
        return read()
    except SettingsError as error:
        faults.append(str(error))
        return fallback
