"""One request's attempts, each one reserved, sent, priced and recorded.

`Attempts.run` answers a job, `Attempts.stream` yields it. An `Attempt` holds the money, the provider's slot and the
ledger row of one try; it lets go of all three however the try ends, and nothing it does then waits. `walk` chooses
the targets.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from catalyst.clock import Clock
from catalyst.errors import LLMServiceError, LLMStreamError
from catalyst.llm import tokens
from catalyst.llm.breaker import Breaker, Circuit
from catalyst.llm.budget import Budget, Claim, Reservation
from catalyst.llm.gate import Gate
from catalyst.llm.job import Job
from catalyst.llm.ledger import Ledger, Row
from catalyst.llm.metrics import HubMetrics
from catalyst.llm.prices import Price, Prices, usd
from catalyst.llm.quotas import FreeQuotas
from catalyst.llm.retry import Backoff
from catalyst.llm.router import Router, Target
from catalyst.llm.settings import VendorDefaults
from catalyst.llm.spans import tell_attempt
from catalyst.llm.trail import BLAMED, CircuitBusy, Trail, may_be_billed, outcome_of
from catalyst.llm.types import Attempt as Record
from catalyst.llm.types import Call, Completion, Delta, Outcome, Usage
from catalyst.llm.walk import Walk
from catalyst.tracing import NO_TRACER, Tracer

LEAST_TOKENS = 64
"""A request that left max_tokens unset is cut no shorter than this to fit the money left."""

MOST_TOKENS = 20_000_000
"""No call of any provider uses more."""

GRACE = 15.0
"""Seconds that a lease outlives its attempt's deadline."""

_NO_DEFAULTS = VendorDefaults()

log = structlog.get_logger()


@dataclass(slots=True)
class Attempt:
    """One try at one target, from the reservation to the ledger row."""

    target: Target
    job: Job
    price: Price
    reservation: Reservation
    circuit: Circuit
    most: int
    """Output tokens that it may bring."""
    seconds: float
    began: float
    quota_day: str = ""
    sent: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Attempts:
    """See the module. Shared by all requests of a service."""

    router: Router
    prices: Prices
    budget: Budget
    ledger: Ledger
    breaker: Breaker
    quotas: FreeQuotas
    gates: Mapping[str, Gate]
    metrics: HubMetrics
    clock: Clock
    backoff: Backoff
    vendors: Mapping[str, VendorDefaults]
    ended: Callable[[str, bool], None] = lambda provider, well: None
    """Told of each attempt's end, well or not (the local tier releases its model on repeated failure)."""
    tracer: Tracer = NO_TRACER

    async def run(self, trail: Trail) -> tuple[Completion, Target]:
        """The first answer. Raises AllProvidersFailed, BudgetExceeded, or the error of an only target."""
        walk = self._walk(trail)
        while (target := await walk.next()) is not None:
            try:
                return await self.once(trail, target, trail.job), target
            except LLMServiceError as error:
                await walk.failed(error)
        raise trail.verdict()

    async def once(self, trail: Trail, target: Target, job: Job) -> Completion:
        """One attempt that answers whole; the repair turn uses it too."""
        attempt = await self._begin(target, job)
        try:
            send = target.provider.embed if job.texts else target.provider.complete
            completion = await send(self._started(attempt))
            self._answered(trail, attempt, completion.usage, completion.text)
            return completion
        except BaseException as error:
            self._broke(trail, attempt, error)
            raise
        finally:
            self.gates[target.model.provider].leave()

    async def stream(self, trail: Trail) -> AsyncGenerator[tuple[Delta, Target], None]:
        """The answer in pieces. Falls back until the first token; after it LLMStreamError says what was delivered."""
        walk = self._walk(trail)
        while (target := await walk.next()) is not None:
            delivered: list[str] = []
            try:
                async with aclosing(self._pieces(trail, target, delivered)) as pieces:
                    async for delta in pieces:
                        yield delta, target
                return
            except LLMServiceError as error:
                if delivered:
                    raise _cut(target, delivered, error) from error
                await walk.failed(error)
        raise trail.verdict()

    async def _pieces(self, trail: Trail, target: Target, delivered: list[str]) -> AsyncGenerator[Delta, None]:
        attempt = await self._begin(target, trail.job)
        usage: Usage | None = None
        try:
            async with aclosing(target.provider.stream(self._started(attempt))) as deltas:
                async for delta in deltas:
                    usage = delta.usage or usage
                    if delta.text:
                        delivered.append(delta.text)
                    yield delta
            self._answered(trail, attempt, usage or Usage(), "".join(delivered))
        except GeneratorExit:
            self._abandoned(trail, attempt, usage, "".join(delivered))
            raise
        except BaseException as error:
            self._broke(trail, attempt, error, usage)
            raise
        finally:
            self.gates[target.model.provider].leave()

    def _walk(self, trail: Trail) -> Walk:
        return Walk(
            trail,
            router=self.router,
            breaker=self.breaker,
            quotas=self.quotas,
            metrics=self.metrics,
            clock=self.clock,
            backoff=self.backoff,
        )

    async def _begin(self, target: Target, job: Job) -> Attempt:
        """A slot at the provider, then the money. Raises BudgetExceeded or QuotaExceeded."""
        gate = self.gates[target.model.provider]
        if not gate.try_enter():
            await gate.enter(job.request.tenant, job.request.priority, job.deadline - self.clock.monotonic())
        try:
            price, most, seconds, claim = self._claim(target, job)
            reservation = await self.budget.reserve(claim)
        except BaseException:
            gate.leave()
            raise
        if reservation.amount < claim.amount:  # the money left holds a shorter answer
            most = max(1, min(most, price.output_for(reservation.amount, job.bound)))
        circuit = self.breaker.of(target.name)
        if reason := circuit.blocked():
            gate.leave()
            self.budget.settle(reservation, 0)
            raise CircuitBusy(f"{target.name}: {reason}")
        circuit.enter()
        return Attempt(target, job, price, reservation, circuit, most, seconds, self.clock.monotonic())

    def _claim(self, target: Target, job: Job) -> tuple[Price, int, float, Claim]:
        """The price, the output tokens and the seconds of a call, and the money that it needs at most."""
        request, vendor = job.request, self.vendors.get(target.model.provider, _NO_DEFAULTS)
        price = self.prices.of(target.model, job.now)
        most = min(request.max_tokens, vendor.max_tokens or request.max_tokens)
        seconds = max(0.001, min(job.deadline - self.clock.monotonic(), vendor.timeout_seconds or 300.0))
        least = most if "max_tokens" in request.model_fields_set else min(LEAST_TOKENS, most)
        claim = Claim(price.bound(job.bound, most), price.bound(job.bound, least), job.scopes, seconds + GRACE)
        return price, most, seconds, claim

    def _started(self, attempt: Attempt) -> Call:
        """The call, which marks its reservation just before it leaves: what never left is never charged."""

        async def before_send() -> None:
            await self.budget.sent(attempt.reservation)
            attempt.sent = True

        provider = attempt.target.model.provider
        attempt.quota_day = self.quotas.count(provider)
        attempt.began = self.clock.monotonic()
        request, vendor = attempt.job.request, self.vendors.get(provider, _NO_DEFAULTS)
        temperature = request.temperature
        if vendor.temperature is not None and "temperature" not in request.model_fields_set:
            temperature = vendor.temperature
        return attempt.job.call(attempt.target.model.id, attempt.most, attempt.seconds, temperature, before_send)

    def _answered(self, trail: Trail, attempt: Attempt, usage: Usage, text: str) -> None:
        attempt.circuit.succeeded()
        self.ended(attempt.target.model.provider, True)
        self.router.measured(attempt.target, self.clock.monotonic() - attempt.began)
        if not _plausible(usage):
            used = Usage(trail.job.bound, tokens.utf8_length(text))
            self._close(trail, attempt, Outcome.OK, used, attempt.reservation.amount, estimated=True)
            return
        size = tokens.utf8_length(text)
        if usage.input <= 0 and usage.output <= 0:  # nothing was said: shown is the likely, charged the most it can be
            cost = min(attempt.price.cost(Usage(trail.job.bound, size)), attempt.reservation.amount)
            likely = Usage(trail.job.tokens, tokens.estimated(size))
            self._close(trail, attempt, Outcome.OK, likely, cost, estimated=True)
            return
        cost = attempt.price.cost(usage)
        if cost > attempt.reservation.amount:
            log.warning("budget.bound.exceeded", request=trail.job.id, target=attempt.target.name, cost=str(usd(cost)))
        self._close(trail, attempt, Outcome.OK, usage, cost)

    def _abandoned(self, trail: Trail, attempt: Attempt, usage: Usage | None, text: str) -> None:
        """The consumer stopped: charged is the input and what was delivered, by bounds where nothing was said."""
        attempt.circuit.left()
        if usage is not None and _plausible(usage):
            self._close(trail, attempt, Outcome.CANCELLED, usage, attempt.price.cost(usage))
            return
        usage = Usage(trail.job.bound, tokens.utf8_length(text) + LEAST_TOKENS)
        cost = min(attempt.price.cost(usage), attempt.reservation.amount) if attempt.sent else 0
        self._close(trail, attempt, Outcome.CANCELLED, usage, cost, estimated=True)

    def _broke(self, trail: Trail, attempt: Attempt, error: BaseException, usage: Usage | None = None) -> None:
        if attempt.closed:
            return
        outcome = outcome_of(error)
        if outcome in BLAMED:
            attempt.circuit.failed()
            self.ended(attempt.target.model.provider, False)
        else:
            attempt.circuit.left()
        usage = usage or getattr(error, "usage", None)
        if usage is not None and not _plausible(usage):
            usage = None
        if usage is not None:
            cost = attempt.price.cost(usage)
        else:
            cost = attempt.reservation.amount if attempt.sent and may_be_billed(error) else 0
        estimated = usage is None and cost > 0
        self._close(trail, attempt, outcome, usage or Usage(), cost, estimated=estimated, detail=str(error)[:300])

    def _close(
        self,
        trail: Trail,
        attempt: Attempt,
        outcome: Outcome,
        usage: Usage,
        cost: int,
        *,
        estimated: bool = False,
        detail: str = "",
    ) -> None:
        """Settle the money and record the row; nothing here waits, so nothing here can be cancelled."""
        attempt.closed = True
        self.budget.settle(attempt.reservation, cost)
        job, model = trail.job, attempt.target.model
        seconds = self.clock.monotonic() - attempt.began
        row = Row(
            at=self.clock.now().timestamp(),
            request=job.id,
            tenant=job.request.tenant,
            feature=job.request.feature_name,
            provider=model.provider,
            model=model.name,
            outcome=outcome.value,
            tokens_in=usage.input,
            tokens_out=usage.output,
            tokens_cached=usage.cached,
            cost=cost,
            price_version=attempt.price.version,
            latency_ms=seconds * 1000,
            retry=trail.calls,
            estimated=estimated,
            variant=job.request.template,
            left_out=job.tokens_left_out,
            quota_day=attempt.quota_day,
        )
        self.ledger.record(row)
        if self.tracer.on:
            tell_attempt(self.tracer, row, model.id, embeds=bool(job.texts))
        self.metrics.observe(model.provider, model.name, outcome.value, seconds, usage.input, usage.output, cost / 1e9)
        trail.calls += 1
        trail.cost += cost
        trail.records.append(Record(model.provider, model.name, outcome, seconds * 1000, usage, usd(cost), detail))


def _plausible(usage: Usage) -> bool:
    """Whether a provider's count can be true: a number beyond it would spoil the budget for everybody."""
    counts = (usage.input, usage.output, usage.cached, usage.cache_write, usage.reasoning)
    return min(counts) >= 0 and max(counts) <= MOST_TOKENS


def _cut(target: Target, delivered: list[str], error: LLMServiceError) -> LLMStreamError:
    return LLMStreamError(
        f"{target.name} broke off after {sum(map(len, delivered))} characters ({error}); ask again",
        provider=target.model.provider,
        model=target.model.name,
        delivered="".join(delivered),
    )
