"""Who may spend money over REST, and who pays: the tenant of the key, whatever the body names."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from catalyst.cashflow import CashflowPredictionService
from catalyst.clock import SystemClock
from catalyst.enrich import Enricher
from catalyst.llm.prompts import PromptRegistry
from catalyst.news.classify import Classifier
from catalyst.sentiment import Scorer
from catalyst.web.cashflow import cashflow_router
from catalyst.web.classify import classify_router
from catalyst.web.enrich import enrich_router
from catalyst.web.keybook import KeyBook
from catalyst.web.writer import writer_router
from catalyst.writer import WriterService
from tests.llm.hub import hub_of, rows, settings_of
from tests.web.asking import ask
from tests.web.service import QUICK, Service

DEAL = {"deal_id": "d1", "notes": [{"text": "They promised to pay on Friday."}]}
SPENDING: dict[str, dict[str, Any]] = {
    "/enrich": {"artifacts": [{"text": "Blend 7"}], "fields": [{"name": "roast", "kind": "text"}]},
    "/classify": {"texts": ["Acme shares surge 40% after FDA approval of its drug"]},
    "/writer/draft-email": {"intent": "follow up"},
    "/writer/summarize-deal": {"deal": {"deal_id": "d1"}},
    "/cashflow/predict": {"deals": [DEAL]},
}


@contextlib.asynccontextmanager
async def rooms_of(wire: Any, folder: Path, book: KeyBook | None, **names: str) -> AsyncIterator[Service]:
    """Every room that asks models, mounted as the service mounts them."""
    prompts, clock = PromptRegistry.load(), SystemClock()
    async with hub_of(settings_of(wire, folder, **names), folder) as hub:
        routers = [
            classify_router(Classifier(Scorer(), clock, None, hub, prompts)),
            enrich_router(Enricher(hub, prompts, clock)),
            writer_router(WriterService(hub, prompts, clock)),
            cashflow_router(CashflowPredictionService(clock, hub=hub, prompts=prompts)),
        ]
        service = Service(folder / "stream.db", QUICK, routers=routers, keys=book)
        await service.start()
        try:
            yield service
        finally:
            await service.stop()


@pytest_asyncio.fixture
async def book(tmp_path):
    with contextlib.closing(KeyBook(tmp_path / "keys.db")) as made:
        yield made


@pytest.mark.parametrize("path", SPENDING)
async def test_a_key_that_may_only_read_spends_nothing(wire, tmp_path, book, path):
    _, reader = book.add("viewer", scopes=("read",))
    async with rooms_of(wire, tmp_path, book) as service:
        answer = await ask(service, path, "POST", SPENDING[path], X_API_Key=reader)
        assert (answer.status, b"write" in answer.body) == (403, True)
        assert (await ask(service, "/api/status", X_API_Key=reader)).status == 200
    assert wire.openai.requests == []


@pytest.mark.parametrize("path", SPENDING)
async def test_the_key_s_tenant_pays_whatever_the_body_names(wire, tmp_path, book, path):
    _, key = book.add("acme")
    body = SPENDING[path]
    if path == "/enrich":
        body = body | {"artifacts": [{"text": "Blend 7", "tenant": "victim"}]}
    if path.startswith("/writer"):
        body = body | {"tenant": "victim"}
    async with rooms_of(wire, tmp_path, book) as service:
        assert (await ask(service, path, "POST", body, X_API_Key=key)).status == 200
    assert {tenant for (tenant,) in rows(tmp_path, "tenant")} == {"acme"}


async def test_an_admin_may_name_who_pays(wire, tmp_path, book):
    _, key = book.add("ops", scopes=("read", "write", "admin"))
    async with rooms_of(wire, tmp_path, book) as service:
        for tenant in ("roaster-7", "default", ""):
            body = SPENDING["/writer/draft-email"] | {"tenant": tenant}
            assert (await ask(service, "/writer/draft-email", "POST", body, X_API_Key=key)).status == 200
    assert [tenant for (tenant,) in rows(tmp_path, "DISTINCT tenant")] == ["roaster-7", "ops"]


@pytest.mark.parametrize("path", [path for path in SPENDING if path != "/enrich"])
async def test_no_route_passes_for_a_pipeline_of_our_own_which_has_no_limit(wire, tmp_path, path):
    body = SPENDING[path] | ({"tenant": "default"} if path.startswith("/writer") else {})
    names = {"LLM_REQUESTS_PER_MINUTE": "2", "LLM_QUEUE_SECONDS": "0"}
    async with rooms_of(wire, tmp_path, None, **names) as service:
        for _ in range(4):
            assert (await ask(service, path, "POST", body)).status == 200
    assert len(wire.openai.requests) <= 4  # two calls, each with one repair
    assert {tenant for (tenant,) in rows(tmp_path, "tenant")} == {"rest"}
