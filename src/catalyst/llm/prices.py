"""What a call costs: genai-prices' table, or the operator's, in whole nano-dollars (rounded up, once per attempt).

A rate is read once per model and price period; the arithmetic is in integers, about 1 µs against the library's 110.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from catalyst.errors import LLMModelError
from catalyst.llm.models import Model
from catalyst.llm.types import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

NANO = 1_000_000_000
"""Nano-dollars in a dollar."""

_PER = 1_000_000
"""Rates stand per million tokens."""

MOST_MODELS = 5_000
"""Names whose price is remembered: callers may pin any."""

_THEIR_NAMES = {"gemini": "google"}
"""genai-prices' name of a provider, where it is not ours."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano-dollars per million tokens of each kind, valid for inputs of more than `start` tokens."""

    input: int
    output: int
    cached: int
    cache_write: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """A model's rates, lowest tier first: the last one whose `start` the input exceeds prices the whole call."""

    tiers: tuple[Rates, ...]
    version: str

    def cost(self, usage: Usage) -> int:
        """Nano-dollars of `usage`. Cached and written tokens are part of the input and are counted once."""
        rates = self._rates(usage.input)
        cached = min(max(usage.cached, 0), max(usage.input, 0))
        written = min(max(usage.cache_write, 0), max(usage.input, 0) - cached)
        plain = max(usage.input, 0) - cached - written
        total = plain * rates.input + cached * rates.cached + written * rates.cache_write
        return -(-(total + max(usage.output, 0) * rates.output) // _PER)

    def bound(self, tokens_in: int, tokens_out: int) -> int:
        """Nano-dollars that a call of at most these tokens cannot exceed."""
        return -(-(tokens_in * self.input_rate(tokens_in) + tokens_out * self.output_rate(tokens_in)) // _PER)

    def output_for(self, money: int, tokens_in: int) -> int:
        """Most output tokens that `money` nano-dollars pay for after `tokens_in`; negative where not even those."""
        left = money * _PER - tokens_in * self.input_rate(tokens_in)
        rate = self.output_rate(tokens_in)
        if left < 0:
            return -1
        return left // rate if rate else 1 << 40

    def input_rate(self, tokens_in: int) -> int:
        """The dearest rate an input token may have."""
        return max(max(rates.input, rates.cached, rates.cache_write) for rates in self._reachable(tokens_in))

    def output_rate(self, tokens_in: int) -> int:
        return max(rates.output for rates in self._reachable(tokens_in))

    def _rates(self, tokens_in: int) -> Rates:
        for rates in reversed(self.tiers):
            if tokens_in > rates.start:
                return rates
        return self.tiers[0]

    def _reachable(self, tokens_in: int) -> tuple[Rates, ...]:
        if len(self.tiers) == 1:
            return self.tiers
        return tuple(rates for rates in self.tiers if rates.start == 0 or tokens_in > rates.start)


FREE = Price((Rates(0, 0, 0, 0),), "local")
"""A local model's price."""


def usd(nano: int) -> Decimal:
    """Nano-dollars as dollars."""
    return Decimal(nano).scaleb(-9)


def nano(amount: Decimal) -> int:
    """Dollars as whole nano-dollars, rounded down: a limit never grows."""
    return int(amount.scaleb(9))


class Prices:
    """Prices by model. Loads genai-prices at its first question (0.2 s), or when `load` is called."""

    def __init__(self, *, allow_unpriced: bool = False, free: frozenset[str] = frozenset()) -> None:
        self._allow_unpriced = allow_unpriced
        self._free = free
        self._snapshot: Any = None
        self._version = ""
        self._infos: dict[str, ModelInfo | None] = {}
        self._read: dict[int, tuple[ModelPrice, Price]] = {}
        self._set: dict[str, Price] = {}

    def load(self) -> None:
        """Import the price table; afterwards a price is a dictionary look-up."""
        if self._snapshot is None:
            import genai_prices
            from genai_prices.data_snapshot import get_snapshot

            self._snapshot = get_snapshot()
            self._version = f"genai-prices {genai_prices.__version__}"

    def of(self, model: Model, now: datetime) -> Price:
        """The price of `model` at `now`.

        Raises LLMModelError where none is known and LLM_ALLOW_UNPRICED is off.
        """
        found = self.find(model, now)
        if found is not None:
            return found
        if self._allow_unpriced:
            return Price(FREE.tiers, "unpriced")
        raise LLMModelError(
            f"{model.name} has no known price, so no budget could hold it: set one in LLM_MODELS_FILE, or set "
            "LLM_ALLOW_UNPRICED=1",
            provider=model.provider,
            model=model.name,
        )

    def find(self, model: Model, now: datetime) -> Price | None:
        """The price of `model` at `now`, None where none is known."""
        if model.provider in self._free:
            return FREE
        if model.price is not None:
            return self._own(model)
        self.load()
        if model.name not in self._infos:
            if len(self._infos) > MOST_MODELS:
                self._infos.clear()
            self._infos[model.name] = self._look_up(model)
        info = self._infos[model.name]
        if info is None:
            return None
        period = info.get_prices(now)
        held = self._read.get(id(period))
        if held is None:
            held = self._read[id(period)] = (period, _price(period, self._version))
        return held[1]

    def _own(self, model: Model) -> Price:
        held = self._set.get(model.name)
        if held is None:
            assert model.price is not None
            ins, out, cached = (_rate(value) for value in (model.price.input, model.price.output, model.price.cached))
            held = self._set[model.name] = Price((Rates(ins, out, cached, ins),), "operator")
        return held

    def _look_up(self, model: Model) -> ModelInfo | None:
        wanted = _THEIR_NAMES.get(model.provider, model.provider)
        for provider in self._snapshot.providers:
            if provider.id == wanted:
                info: ModelInfo | None = provider.find_model(model.id)
                return info
        return None


def _price(period: ModelPrice, version: str) -> Price:
    starts = {0}
    for name in ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok"):
        starts |= {tier.start for tier in getattr(getattr(period, name), "tiers", ())}
    return Price(tuple(_tier(period, start) for start in sorted(starts)), version)


def _tier(period: ModelPrice, start: int) -> Rates:
    plain = _at(period.input_mtok, start) or 0
    cached, written = _at(period.cache_read_mtok, start), _at(period.cache_write_mtok, start)
    return Rates(
        plain,
        _at(period.output_mtok, start) or 0,
        plain if cached is None else cached,
        plain if written is None else written,
        start,
    )


def _at(price: Any, start: int) -> int | None:
    """The rate of a possibly tiered price for inputs just above `start`."""
    if price is None:
        return None
    rate = getattr(price, "base", price)
    for tier in getattr(price, "tiers", ()):
        if start >= tier.start:
            rate = tier.price
    return _rate(rate)


def _rate(dollars: Decimal) -> int:
    """Dollars per million tokens as nano-dollars per million, rounded up."""
    return int((dollars * NANO).to_integral_value(ROUND_CEILING))
