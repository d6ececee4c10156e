"""What an operator can set about prices: which vendors in which order, their keys, and the screen's bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from catalyst.bot.prices import alpaca, finnhub, tiingo, yahoo
from catalyst.errors import SettingsError

PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "alpaca": ("ALPACA_API_KEY", "ALPACA_SECRET_KEY"),
    "finnhub": ("FINNHUB_API_KEY",),
    "tiingo": ("TIINGO_API_KEY",),
    "yahoo": (),
    "recorded": ("QUOTE_RECORDING",),
}
"""Every source and the names it needs. Those with keys are used where their keys are set; the others when named."""

_BASES = {"alpaca": alpaca.BASE, "finnhub": finnhub.BASE, "tiingo": tiingo.BASE, "yahoo": yahoo.BASE}
_ON, _OFF = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """Sources in the order they are asked; none: alerts come without prices."""

    providers: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By environment name."""
    bases: Mapping[str, str] = field(default_factory=lambda: dict(_BASES))
    alpaca_feed: str = "iex"
    recording: Path | None = None
    floor: Decimal = Decimal(0)
    ceiling: Decimal = Decimal("Infinity")
    skip_otc: bool = False
    theme: Literal["dark", "light"] = "dark"
    """Of charts."""

    @classmethod
    def from_env(cls, values: Mapping[str, str]) -> PriceSettings:
        """Raises SettingsError for a value that makes no sense, and for a named source without its key."""
        needed = {name for names in PROVIDERS.values() for name in names}
        feed = values.get("ALPACA_FEED", "iex").lower()
        if feed not in alpaca.FEEDS:
            raise SettingsError(f"ALPACA_FEED={feed[:20]!r}: use {', '.join(alpaca.FEEDS)}")
        made = cls(
            providers=_providers(values),
            keys={name: _key(name, values[name]) for name in needed - {"QUOTE_RECORDING"} if values.get(name)},
            bases={name: _base(name, values, base) for name, base in _BASES.items()},
            alpaca_feed=feed,
            recording=Path(values["QUOTE_RECORDING"]) if values.get("QUOTE_RECORDING") else None,
            floor=_dollars("PRICE_FLOOR", values, "0"),
            ceiling=_dollars("PRICE_CEILING", values, "Infinity"),
            skip_otc=_flag("SKIP_OTC", values),
            theme=_theme(values.get("CHART_THEME", "dark").lower()),
        )
        if made.floor > made.ceiling:
            raise SettingsError("PRICE_FLOOR is above PRICE_CEILING: no alert would be told")
        return made


def _providers(values: Mapping[str, str]) -> tuple[str, ...]:
    text = values.get("QUOTE_PROVIDERS", "")
    if not text:
        return tuple(name for name, needs in PROVIDERS.items() if needs and all(values.get(each) for each in needs))
    named = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    for name in named:
        if name not in PROVIDERS:
            raise SettingsError(f"QUOTE_PROVIDERS names {name[:20]!r}: use {', '.join(PROVIDERS)}")
        missing = [each for each in PROVIDERS[name] if not values.get(each)]
        if missing:
            raise SettingsError(f"QUOTE_PROVIDERS names {name}, which needs {' and '.join(missing)}: set it")
    if len(set(named)) < len(named):
        raise SettingsError("QUOTE_PROVIDERS names a source twice: name each once, the first is asked first")
    return named


def _key(name: str, text: str) -> str:
    """It goes into a header: nothing but what may stand there."""
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > 200:
        raise SettingsError(f"{name} is no key: copy it again from the vendor's page")
    return text


def _base(provider: str, values: Mapping[str, str], default: str) -> str:
    name = f"{provider.upper()}_BASE_URL"
    text = values.get(name, default)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{name} is no http address")
    return text


def _dollars(name: str, values: Mapping[str, str], default: str) -> Decimal:
    try:
        value = Decimal(values.get(name, default))
    except InvalidOperation:
        value = Decimal(-1)
    if value.is_nan() or value < 0:
        raise SettingsError(f"{name}={values[name][:20]!r}: use dollars, 0.50")
    return value


def _theme(text: str) -> Literal["dark", "light"]:
    if text == "dark":
        return "dark"
    if text == "light":
        return "light"
    raise SettingsError(f"CHART_THEME={text[:20]!r}: use dark or light")


def _flag(name: str, values: Mapping[str, str]) -> bool:
    text = values.get(name, "0").lower()
    if text not in _ON | _OFF:
        raise SettingsError(f"{name}={text[:20]!r} is neither on (1) nor off (0)")
    return text in _ON


__all__ = ["PROVIDERS", "PriceSettings"]
