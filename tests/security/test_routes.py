"""Every route of the whole service, as it runs: none is open that is not meant to be, and a key's scope holds."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.routing import Route, WebSocketRoute

from catalyst.web.app import Parts, create_app
from tests.app.processes import free_port, run, started, wait_for

pytestmark = pytest.mark.slow  # a process

OPEN = {"/health", "/health/live", "/health/ready"}
"""What a load balancer asks; nothing that is secret."""
UNLISTED = {"/", "/{name}", "/openapi.json", "/ws/filings", "/api/asyncapi.yaml"}
"""Not in the description: the page, which asks for the key itself, the descriptions, and the socket, which asks too."""
WRONG = "ck_wrong_wrong_wrong_wrong"


@dataclass(frozen=True)
class Running:
    """A service that asks for keys, and two of them."""

    port: int
    reader: str
    writer: str

    def ask(self, method: str, path: str, key: str = "", **headers: str) -> int:
        """The status of an answer; a body is sent where the method takes one."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        if key:
            headers["X-API-Key"] = key
        body = None if method in ("GET", "HEAD", "OPTIONS") else b"{}"
        try:
            link.request(method, path, body, {"Content-Type": "application/json"} | headers if body else headers)
            return link.getresponse().status
        finally:
            link.close()

    def routes(self) -> list[tuple[str, str]]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        link.request("GET", "/openapi.json")
        described = json.loads(link.getresponse().read())
        link.close()
        found = [(method.upper(), path) for path, methods in described["paths"].items() for method in methods]
        assert len(found) > 20
        return [(method, path.replace("{", "").replace("}", "")) for method, path in found]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("routes"), free_port()
    keys = [run("keys", "add", name, "--scopes", name, cwd=folder).stdout.strip() for name in ("read", "write")]
    assert all(keys)
    with started("serve", "--port", str(port), cwd=folder, log=folder / "log") as process:
        wait_for(port, process)
        yield Running(port, *keys)


def test_no_route_is_open_but_those_that_are_meant_to_be(service: Running):
    for method, path in service.routes():
        for key in ("", WRONG):
            status = service.ask(method, path, key)
            assert status in ((200, 503) if path in OPEN else (401,)), (method, path, key, status)


def test_a_key_in_the_address_or_a_cookie_opens_nothing(service: Running):
    for name in ("api_key", "X-API-Key", "key", "token"):
        assert service.ask("GET", f"/api/status?{name}={service.reader}") == 401
        assert service.ask("GET", "/api/status", Cookie=f"{name}={service.reader}") == 401


def test_a_key_that_may_read_reads_everything_and_writes_nothing(service: Running):
    for method, path in service.routes():
        status = service.ask(method, path, service.reader)
        assert (status == 403) == (method not in ("GET", "HEAD")), (method, path, status)
        assert status != 401


def test_no_other_method_reaches_a_route(service: Running):
    known = service.routes()
    for path in {path for _, path in known}:
        for method in {"DELETE", "PATCH", "PUT", "POST", "TRACE"} - {method for method, at in known if at == path}:
            assert service.ask(method, path, service.writer) in (401, 403, 404, 405), (method, path)


@pytest.mark.parametrize(
    "path", ["//api/status", "/api//status", "/./api/status", "/API/status", "/api/status/", "/api/status%00"]
)
def test_no_other_way_of_writing_a_path_goes_around_the_key(service: Running, path: str):
    assert service.ask("GET", path) in (307, 400, 401, 404)


def test_what_the_description_leaves_out_is_known(tmp_path: Path):
    from catalyst.db import Database
    from catalyst.stream.sqlite import SqliteLog

    db = Database(tmp_path / "stream.db", synchronous="NORMAL")
    app = create_app(Parts(SqliteLog(db)))
    hidden = {
        route.path
        for route in app.routes
        if isinstance(route, WebSocketRoute) or (isinstance(route, Route) and not route.include_in_schema)
    }
    db.close()
    assert hidden <= UNLISTED, hidden
