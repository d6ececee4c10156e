"""Answer one request and account for its cost.

`LLMService.query` is a request's whole life, in order: cache, limits, route, budget, attempts, ledger, cache. Wire
formats live in `providers/`; the parts are put together in `assembly`.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import structlog

from catalyst.errors import (
    BudgetExceeded,
    LLMServiceError,
    QuotaExceeded,
    StructuredOutputError,
    UsageError,
)
from catalyst.llm.answer import AnswerStream
from catalyst.llm.budget import Spent
from catalyst.llm.cache_seam import CacheHit, Visit
from catalyst.llm.embedding import Embeddings, embed
from catalyst.llm.job import Job
from catalyst.llm.prices import usd
from catalyst.llm.ready import ready, shortened_beside
from catalyst.llm.recall import recalled, visited
from catalyst.llm.router import Target
from catalyst.llm.spans import answered, asked
from catalyst.llm.structured import Mismatch, parse, repair_turns
from catalyst.llm.trail import Trail
from catalyst.llm.types import Completion, LLMRequest, LLMResponse
from catalyst.llm.usage import By, UsageLine, report
from catalyst.tracing import NO_TRACER, Tracer

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from catalyst.clock import Clock
    from catalyst.http import Http
    from catalyst.llm.assembly import Parts
    from catalyst.llm.cache_seam import AnswerCache
    from catalyst.llm.compress import Shortened
    from catalyst.llm.models import Catalog
    from catalyst.llm.settings import HubSettings

OWN_TENANT = "default"
"""Requests of Catalyst's own pipelines name no tenant; they are bounded by money and providers, not by quota."""

ANSWER_SECONDS = 0.5
"""A request that would have less than this left after its wait is refused at once: it could not be answered."""

log = structlog.get_logger()


class LLMService:
    """The hub. Make it with `from_settings`; `async with` starts and closes it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._run = uuid.uuid4().hex[:12]
        self._numbers = itertools.count(1)
        self._started = False

    @classmethod
    def from_settings(
        cls,
        settings: HubSettings,
        http: Http,
        clock: Clock,
        data_dir: Path,
        *,
        registry: CollectorRegistry | None = None,
        cache: AnswerCache | None = None,
        tracer: Tracer = NO_TRACER,
    ) -> LLMService:
        """Put a hub together. Raises SettingsError for a model table or an address that makes no sense."""
        from catalyst.llm.assembly import assemble

        return cls(assemble(settings, http, clock, data_dir, registry=registry, cache=cache, tracer=tracer))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Load prices, settle what a killed process left, restore counts. Safe to call twice; `query` calls it."""
        if not self._started:
            self._started = True
            await self._parts.start()
            if self._parts.cache is not None:
                self._parts.cache.start(self._past_cache)

    async def close(self) -> None:
        """Write what is left of ledger and budget, and close the database."""
        await self._parts.close()
        self._started = False

    async def query(self, request: LLMRequest, *, external: bool | None = None) -> LLMResponse:
        """The answer to `request`.

        `external` says whether the tenant's limits count it; unset, every named tenant's requests are.
        Raises LLMValidationError, StructuredOutputError, QuotaExceeded, BudgetExceeded, AllProvidersFailed; a pinned
        model's own ProviderError.
        """
        if not self._parts.tracer.on:
            return await self._query(request, external)
        with self._parts.tracer.span("hub.query", asked(request)) as span:
            response = await self._query(request, external)
            span.set(answered(response))
            return response

    async def _query(self, request: LLMRequest, external: bool | None) -> LLMResponse:
        """From cache to cache."""
        await self.start()
        began = self._clock.monotonic()
        job = await self.prepared(request)
        visit = await self.visit(job)
        try:
            if visit.hit is not None:
                return self.recalled(job, visit.hit, began)
            response = await self._asked(job, external, began)
            response.cache_key = visit.key
            await visit.keep(response)
            return response
        finally:
            visit.leave()

    async def _asked(self, job: Job, external: bool | None, began: float) -> LLMResponse:
        """The answer of a model."""
        await self._enter(job, external)
        try:
            trail = Trail(job)
            try:
                completion, target = await self.attempted(trail)
            finally:
                self._parts.stats.note(trail)
            parsed, completion = await self._validated(trail, target, completion)
        finally:
            self._parts.gate.leave()
        return self._response(trail, target, completion, parsed, began)

    def stream(self, request: LLMRequest, *, external: bool | None = None) -> AnswerStream:
        """The answer in pieces; `.response` holds the whole once it ended. Leaving early settles what was used."""
        return AnswerStream(self, request, external)

    async def embed(self, texts: Sequence[str], model: str | None = None, **asked: Any) -> Embeddings:
        """One vector for each text, priced, budgeted and recorded like any answer; see `embedding.embed`."""
        return await embed(self, texts, model or self._parts.catalog.embedder(self._parts.providers), **asked)

    async def query_batch(
        self, requests: Sequence[LLMRequest], *, max_concurrent: int = 10, external: bool | None = None
    ) -> list[LLMResponse | LLMServiceError]:
        """Answers in the order of the requests; one that failed is its error, as a value."""
        await self.start()
        if self._parts.local is not None:
            await self._parts.local.warm_up()
        numbers = iter(range(len(requests)))
        answers: list[Any] = [None] * len(requests)

        async def work() -> None:
            for number in numbers:
                try:
                    answers[number] = await self.query(requests[number], external=external)
                except LLMServiceError as error:
                    answers[number] = error

        async with asyncio.TaskGroup() as group:
            for _ in range(min(max_concurrent, len(requests))):
                group.create_task(work())
        return answers

    def query_sync(self, request: LLMRequest) -> LLMResponse:
        """`query` for scripts. Raises UsageError inside a running event loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self._once(request))
        raise UsageError("query_sync was called inside an event loop: await query() there")

    def estimate_cost(self, request: LLMRequest) -> Decimal:
        """What the request would likely cost at its first target: estimated input and all of max_tokens."""
        job = self.prepare(request)
        route = self._parts.router.route(job, job.now)
        if not route.targets:
            return Decimal(0)
        price = self._parts.prices.of(route.targets[0].model, job.now)
        return usd(price.bound(job.tokens, request.max_tokens))

    def bound(self, request: LLMRequest) -> int:
        """Nano-dollars that one attempt of the request at its first target reserves; 0 where there is none."""
        job = self.prepare(request)
        route = self._parts.router.route(job, job.now)
        if not route.targets:
            return 0
        return self._parts.prices.of(route.targets[0].model, job.now).bound(job.bound, request.max_tokens)

    @property
    def providers(self) -> list[str]:
        """The providers that can be asked, by name."""
        return sorted(self._parts.attempts.gates)

    @property
    def catalog(self) -> Catalog:
        """The models that are known."""
        return self._parts.catalog

    async def check(self) -> dict[str, str]:
        """Provider to what is wrong with its address or key, empty where nothing is. Costs nothing."""
        names = self.providers
        outcomes = await asyncio.gather(*(self._parts.providers[name].ping() for name in names), return_exceptions=True)
        return {name: "" if fault is None else str(fault) for name, fault in zip(names, outcomes, strict=True)}

    @property
    def cache(self) -> AnswerCache | None:
        """The answer cache, to reject an answer or forget a document; None where it is off."""
        return self._parts.cache

    def is_available(self) -> bool:
        """Whether any provider has a key, or the local tier is on."""
        return self._parts.router.has_targets

    async def spent(self) -> Mapping[str, Spent]:
        """This day's and this month's sums, by scope key (`day/…`, `month/…`)."""
        now, periods = self._clock.now(), self._parts.periods
        return await self._parts.attempts.budget.spent([periods.day(now), periods.month(now)])

    async def usage(self, by: By, since: str = "", until: str = "9999", tenant: str = "") -> list[UsageLine]:
        """See `usage.report`: of this machine's ledger, or of all machines' where they share one."""
        shared = self._parts.attempts.ledger.shared
        if shared is not None:
            return await shared.report(by, since, until, tenant)
        return await report(self._parts.store, by, since, until, tenant)

    @property
    def settings(self) -> HubSettings:
        """What the operator set: limits, time zone, keys' providers."""
        return self._parts.settings

    async def health(self) -> dict[str, Any]:
        """Whether the hub can answer, with circuits, money, quotas and queues."""
        return await self._parts.health()

    get_service_health = health

    def get_stats(self) -> dict[str, Any]:
        """`{monitor: {by_provider, totals, periods}, cache, router}` since the start or `reset_metrics`."""
        return self._parts.stats.snapshot(self._parts)

    def counted(self, name: str) -> dict[str, float]:
        """A Prometheus sample's value by its labels, for benches and tests."""
        families = self._parts.metrics.registry.collect()
        samples = (sample for family in families for sample in family.samples if sample.name == name)
        return {"/".join(sample.labels.values()): sample.value for sample in samples}

    def reset_metrics(self) -> None:
        """Begin `get_stats` anew; Prometheus counters and the ledger stay."""
        self._parts.stats.reset(self._clock.now())

    async def prepared(self, request: LLMRequest) -> Job:
        """`prepare`, with documents shortened beside the event loop. Raises LLMValidationError."""
        return self.prepare(request, await shortened_beside(request))

    def prepare(self, request: LLMRequest, short: Shortened | None = None) -> Job:
        """A request made ready; its documents shortened where it asks for that. Raises LLMValidationError."""
        name = request.request_id or f"{self._run}-{next(self._numbers)}"
        return ready(request, name, self._parts, self._clock, short)

    async def enter(self, job: Job, external: bool | None) -> None:
        """What `query` does before its attempts, for streams and embeddings; pair it with `leave`."""
        await self.start()
        await self._enter(job, external)

    async def visit(self, job: Job) -> Visit:
        """What the cache knows of the request; `leave` it in every case."""
        return await visited(self._parts, job)

    def recalled(self, job: Job, hit: CacheHit, began: float) -> LLMResponse:
        """A kept answer as this request's own, recorded in the ledger."""
        return recalled(self._parts, job, hit, began)

    async def _past_cache(self, request: LLMRequest) -> LLMResponse:
        """What a model says now, for the cache's audits: in the tenant's budget, outside its limits, last in line."""
        changes = {"enable_cache": False, "priority": "low", "request_id": ""}
        return await self.query(request.model_copy(update=changes), external=False)

    def leave(self, trail: Trail) -> None:
        """Give the slot back and count the attempts."""
        self._parts.gate.leave()
        self._parts.stats.note(trail)

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def pieces(self, trail: Trail) -> Any:
        """The stream of (delta, target)."""
        return self._parts.attempts.stream(trail)

    async def _once(self, request: LLMRequest) -> LLMResponse:
        try:
            return await self.query(request)
        finally:
            await self._parts.pause()

    async def _enter(self, job: Job, external: bool | None) -> None:
        """The tenant's turn, then a slot of the hub."""
        parts, request = self._parts, job.request
        try:
            if external or (external is None and request.tenant != OWN_TENANT):
                left = job.deadline - self._clock.monotonic() - ANSWER_SECONDS
                waited = await parts.limits.acquire(request.tenant, min(parts.settings.queue_seconds, left))
                if waited:
                    parts.metrics.quota_wait.observe(waited)
            if not parts.gate.try_enter():
                await parts.gate.enter(request.tenant, request.priority, job.deadline - self._clock.monotonic())
        except QuotaExceeded:
            parts.metrics.quota_refused.inc()
            raise

    async def attempted(self, trail: Trail) -> tuple[Completion, Target]:
        """The first answer of any target."""
        try:
            return await self._parts.attempts.run(trail)
        except BudgetExceeded:
            self._parts.metrics.budget_refused.inc()
            raise

    async def _validated(self, trail: Trail, target: Target, completion: Completion) -> tuple[Any, Completion]:
        """The parsed output, after one repair turn if need be. Raises StructuredOutputError."""
        job = trail.job
        if job.schema is None or completion.tool_calls:
            return None, completion
        try:
            return parse(job.request, job.schema, completion.text), completion
        except Mismatch as fault:
            trail.reject()
            wrong, said = str(fault), completion.text
        log.info("output.repaired", target=target.name, request=job.id)
        try:
            again = await self._parts.attempts.once(trail, target, job.with_turns(repair_turns(said, wrong)))
            return parse(job.request, job.schema, again.text), again
        except Mismatch as fault:
            trail.reject()
            wrong, said = str(fault), again.text
        except LLMServiceError as error:
            wrong = f"{wrong}; the repair failed: {error}"
        raise StructuredOutputError(
            f"{target.name} never met the schema ({wrong}): simplify the schema, or use a stronger model", raw=said
        )

    def _response(self, trail: Trail, target: Target, completion: Completion, parsed: Any, began: float) -> LLMResponse:
        usage = completion.usage
        return LLMResponse(
            text=completion.text,
            parsed_output=parsed,
            provider=target.model.provider,
            model=target.model.name,
            latency_ms=(self._clock.monotonic() - began) * 1000,
            tokens_input=usage.input,
            tokens_output=usage.output,
            tokens_cached=usage.cached,
            cost_usd=usd(trail.cost),
            finish_reason=completion.finish_reason,
            tool_calls=list(completion.tool_calls),
            retries=trail.retries,
            attempts=trail.records,
            route=trail.route,
            request_id=trail.job.id,
            prompt_compressed=trail.job.tokens_left_out > 0,
            tokens_left_out=trail.job.tokens_left_out,
        )

    def response_of(self, trail: Trail, target: Target, completion: Completion, began: float) -> LLMResponse:
        """The response of a stream that ended. Raises StructuredOutputError where it should hold JSON and does not."""
        parsed = None
        if trail.job.schema is not None and not completion.tool_calls:
            try:
                parsed = parse(trail.job.request, trail.job.schema, completion.text)
            except Mismatch as fault:
                trail.reject()
                raise StructuredOutputError(
                    f"the stream did not meet the schema ({fault}): query() repairs, a stream cannot",
                    raw=completion.text,
                ) from fault
        return self._response(trail, target, completion, parsed, began)
