"""Price sources and the chart's painter, from settings."""

from __future__ import annotations

from catalyst.bot.chart import Painter
from catalyst.bot.prices import Board, PriceSettings, Screen, Source
from catalyst.bot.prices.alpaca import Alpaca
from catalyst.bot.prices.finnhub import Finnhub
from catalyst.bot.prices.recorded import Recorded
from catalyst.bot.prices.tiingo import Tiingo
from catalyst.bot.prices.yahoo import Yahoo
from catalyst.clock import Clock
from catalyst.errors import SettingsError
from catalyst.http import Http


def board(settings: PriceSettings, http: Http, clock: Clock) -> Board:
    """The sources in the operator's order; close it. Raises SettingsError where a recording cannot be read."""
    return Board([_source(name, settings, http, clock) for name in settings.providers], clock)


def screen(settings: PriceSettings) -> Screen:
    return Screen(settings.floor, settings.ceiling, settings.skip_otc)


def painter(settings: PriceSettings) -> Painter:
    return Painter(settings.theme)


def _source(name: str, settings: PriceSettings, http: Http, clock: Clock) -> Source:
    keys, base = settings.keys, settings.bases.get(name, "")
    if name == "alpaca":
        feed = settings.alpaca_feed
        return Alpaca(keys["ALPACA_API_KEY"], keys["ALPACA_SECRET_KEY"], http, base=base, feed=feed)
    if name == "finnhub":
        return Finnhub(keys["FINNHUB_API_KEY"], http, base=base)
    if name == "tiingo":
        return Tiingo(keys["TIINGO_API_KEY"], http, base=base)
    if name == "yahoo":
        return Yahoo(http, base=base)
    if settings.recording is None:
        raise SettingsError("QUOTE_PROVIDERS names recorded, which needs QUOTE_RECORDING: set it")
    return Recorded.read(settings.recording, clock.now)
