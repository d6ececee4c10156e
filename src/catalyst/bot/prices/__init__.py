"""Where prices come from: one small adapter a vendor, and `Board`, which asks them in order and never waits too long.

Begin with `Board`; `source.py` says what an adapter is, `session.py` which trading session a price belongs to.
"""

from catalyst.bot.prices.board import Board
from catalyst.bot.prices.gate import Gate
from catalyst.bot.prices.screen import Screen
from catalyst.bot.prices.settings import PROVIDERS, PriceSettings
from catalyst.bot.prices.source import Source, SourceRefused

__all__ = ["PROVIDERS", "Board", "Gate", "PriceSettings", "Screen", "Source", "SourceRefused"]
