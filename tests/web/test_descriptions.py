"""OpenAPI and AsyncAPI say what the service does: every route, every message, every code; no answer is a 500."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from catalyst.clock import SystemClock
from catalyst.db import Database
from catalyst.filings.watchlist import Watchlist
from catalyst.news.classify import Classifier
from catalyst.sentiment import Scorer
from catalyst.stream.types import HeadlineAlert
from catalyst.web import asyncapi, fanout, messages, protocol, socket
from catalyst.web.classify import classify_router
from catalyst.web.documents import documents_router
from tests.contracts.log import alert
from tests.llm.hub import hub_of, settings_of
from tests.web.asking import ask, get
from tests.web.service import QUICK, Service

FILE = Path(__file__).parents[2] / "docs" / "api" / "asyncapi.yaml"


def test_the_file_in_docs_is_what_the_code_makes():
    assert FILE.read_text() == asyncapi.text(), "python -m catalyst.web.asyncapi > docs/api/asyncapi.yaml"


async def test_the_description_of_the_stream_is_served_as_it_stands_in_docs(service: Service):
    answer = await ask(service, "/api/asyncapi.yaml")
    assert (answer.status, yaml.safe_load(answer.body)) == (200, yaml.safe_load(FILE.read_text()))


def test_every_reference_of_the_asyncapi_document_leads_somewhere():
    whole = asyncapi.document()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            found = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return found + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    for reference in references(whole):
        place: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_the_close_codes_are_those_that_the_code_uses():
    ours = {fanout.SLOW, fanout.RESTART, protocol.BAD_MESSAGE}
    ours |= {socket.UNAUTHENTICATED, socket.FORBIDDEN, socket.TOO_MANY, socket.RESTART, socket.BROKEN}
    assert set(messages.CLOSE_CODES) == ours


def checked(model: type[BaseModel], said: dict[str, Any], optional: frozenset[str] = frozenset()) -> None:
    """`said` has the model's fields, no more and no less, and their types."""
    assert set(said) | optional == set(model.model_fields)
    model.model_validate(said)


async def test_what_the_service_sends_is_what_the_document_says(start):
    service: Service = await start(replace(QUICK, heartbeat_s=0.15))
    now = datetime.now(UTC)
    news = HeadlineAlert(filing_id="n", headline_id="n", title="t", headline="t", timestamp=now, final=True)
    async with service.client() as client:
        checked(messages.Connected, await client.receive())
        checked(messages.Subscribed, await client.subscribe())
        checked(messages.CaughtUp, await client.receive())
        await service.log.append([alert(1), alert(1, version=2), news])
        found = [message for message in await client.alerts(3)]
        for message in found[:2]:
            checked(messages.FilingMessage, message)
        checked(messages.HeadlineMessage, found[2])
        checked(messages.Heartbeat, await client.until("heartbeat"))
    async with service.client() as again:
        resumed = await again.subscribe(resume={"epoch": service.log.epoch, "after": 1})
        checked(messages.Subscribed, resumed, frozenset(("cursor",)))


async def test_every_operation_has_a_summary_a_tag_and_its_refusals(full: Service):
    document = await get(full, "/openapi.json")
    assert {"X-API-Key", "Bearer"} == set(document["components"]["securitySchemes"])
    described = {tag["name"] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method} {path}"
            assert operation["summary"], name
            assert operation.get("description"), name
            assert set(operation["tags"]) <= described, name
            if not path.startswith("/health"):
                assert {"401", "403", "503"} <= set(operation["responses"]), name


@pytest.fixture
async def full(start, wire, tmp_path: Path):
    """A service with a hub, watchlists, documents and headlines."""
    database = Database(tmp_path / "lists.db")
    lists = Watchlist(database, ())
    await lists.load()

    class Texts:
        async def get(self, accession: str) -> None:
            return None

    async with hub_of(settings_of(wire, tmp_path), tmp_path / "hub") as hub:
        routers = [documents_router(Texts()), classify_router(Classifier(Scorer(), SystemClock()))]
        service: Service = await start(hub=hub, watchlists=lists, routers=routers)
        await service.log.append([alert(1), alert(2), alert(1, version=2)])
        yield service
    database.close()


@pytest.mark.slow
async def test_no_request_that_a_machine_thinks_of_is_a_500(full: Service):
    said = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{full.http}/openapi.json"),
        *("--checks", "not_a_server_error,response_schema_conformance,status_code_conformance"),
        *("--exclude-path-regex", "^/v1/", "--max-examples", "15", "--phases", "examples,coverage,fuzzing"),
        *("--seed", "7", "--no-color", "--generation-database", "none", "--max-time", "8"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=FILE.parent,
    )
    out, _ = await asyncio.wait_for(said.communicate(), 120)
    assert said.returncode == 0, out.decode()[-4000:]
