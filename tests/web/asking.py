"""One HTTP request to a service under test."""

from __future__ import annotations

from typing import Any

import orjson
from yarl import URL

from catalyst.http import Http, Response
from tests.web.service import Service


async def ask(service: Service, path: str, method: str = "GET", body: Any = None, **headers: str) -> Response:
    """`X_API_Key="…"` sends that header."""
    async with Http() as http:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        if data is not None:
            sent["Content-Type"] = "application/json"
        return await http.request(method, URL(service.http + path, encoded=True), headers=sent, body=data, check=False)


async def get(service: Service, path: str, **headers: str) -> Any:
    """The body of a 200."""
    answer = await ask(service, path, **headers)
    assert answer.status == 200, answer.body
    return orjson.loads(answer.body)
