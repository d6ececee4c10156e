"""Requests made to break the gateway: each is answered in the vendors' shape, costs nothing, and holds up nobody."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from catalyst.web.deadline import DeadlineProtocol
from tests.llm.hub import rows
from tests.web.gateway.conftest import Running, gateway_of

TURN = {"role": "user", "content": "Say hello."}
BODY = {"model": "cheap", "messages": [TURN]}
DEEP = b'{"a":' * 500 + b"1" + b"}" * 500


def schema(of: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": of}}}


@pytest.mark.parametrize(
    "fields",
    [
        schema({"type": "object", "properties": ["a"]}),
        schema({"type": {"a": 1}}),
        schema({"type": 7}),
        schema({"type": [["object"]]}),
        schema({"type": "object", "required": 7}),
        schema({"type": "object", "required": [[]]}),
        schema({"enum": 7}),
        schema({"properties": {"a": {"items": {"minimum": "x"}}}}),
        schema({"properties": {"items": {"maxLength": "x"}}}),
        {"messages": [{"role": ["user"], "content": "x"}]},
        {"messages": [{"role": {}, "content": "x"}]},
        {"max_completion_tokens": 0},
        {"max_tokens": 0},
    ],
)
async def test_nonsense_is_refused_before_it_costs(gateway, fields):
    status, answer, _ = await gateway.chat(**fields)
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert gateway.wire.openai.requests == []


@pytest.mark.parametrize(
    "field",
    [
        b'"response_format": {"type": "json_schema", "json_schema": {"schema": {"properties": %b}}}',
        b'"response_format": {"type": "json_schema", "json_schema": {"schema": {"allOf": %b}}}',
        b'"tools": [{"type": "function", "function": {"name": "f", "parameters": %b}}]',
    ],
)
async def test_schemas_deeper_than_anything_reads_are_refused(gateway, field):
    body = json.dumps(BODY).encode()[:-1] + b", " + field % DEEP + b"}"
    async with gateway.post("/v1/chat/completions", data=body, headers={"Content-Type": "application/json"}) as answer:
        assert (answer.status, (await answer.json())["error"]["type"]) == (400, "invalid_request_error")
    assert gateway.wire.openai.requests == []


async def test_an_embedding_model_that_is_no_name_is_refused(gateway):
    async with gateway.post("/v1/embeddings", json={"model": 7, "input": "x"}) as answer:
        assert (answer.status, (await answer.json())["error"]["param"]) == (400, "model")


async def test_a_client_that_never_reads_its_stream_holds_up_nobody(wire, tmp_path, monkeypatch):
    """One slot in the hub, and a client that asks for a long answer and reads none of it."""
    monkeypatch.setattr(DeadlineProtocol, "stall_seconds", 0.3)
    async with gateway_of(wire, tmp_path, LLM_MAX_CONCURRENT_REQUESTS="1") as gateway:
        wire.openai.says("many words " * 60_000)
        stuck = await silent(gateway)
        async with asyncio.timeout(10):
            while not wire.openai.requests:
                await asyncio.sleep(0.01)
            wire.openai.says("Hello.")
            assert (await gateway.chat())[0] == 200
        stuck.close()
    assert "cancelled" in {outcome for (outcome,) in rows(tmp_path, "outcome")}


async def silent(gateway: Running) -> socket.socket:
    """A client that asks for a stream and never reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    host, port = gateway.url.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, (host, int(port)))
    body = json.dumps(BODY | {"stream": True, "max_tokens": 4000}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {gateway.key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    await loop.sock_sendall(client, head.encode() + body)
    return client
