"""Traces as a collector gets them: a filing's whole way in one trace, a request by GenAI conventions, and no text."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from catalyst.app.traces import TraceSettings, ids_of, tracing
from catalyst.errors import LLMServiceError, SettingsError
from catalyst.llm import LLMRequest
from catalyst.tracing import NO_TRACER
from tests.app.collector import Collector, attributes
from tests.app.processes import run, started
from tests.llm.hub import hub_of, settings_of


def _to(collector: Collector, **names: str) -> TraceSettings:
    return TraceSettings.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url} | names)


async def _traced(wire: Any, folder: Path, collector: Collector, *requests: LLMRequest) -> None:
    with tracing(_to(collector)) as tracer:
        async with hub_of(settings_of(wire, folder), folder, tracer=tracer) as hub:
            for request in requests:
                with contextlib.suppress(LLMServiceError):
                    await hub.query(request)


async def test_a_request_is_told_by_genai_conventions(wire: Any, tmp_path: Path):
    with Collector() as collector:
        await _traced(wire, tmp_path, collector, LLMRequest(prompt="What is a 10-K?", model="cheap", tenant="acme"))
    (attempt,) = collector.named("chat gpt-4o-mini")
    (query,) = collector.named("hub.query")
    told = attributes(attempt)
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.provider.name"] == "openai"
    assert told["gen_ai.request.model"] == "gpt-4o-mini"
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (12, 5)
    assert attempt.kind == 3  # client
    assert attempt.parent_span_id == query.span_id
    assert attempt.trace_id == query.trace_id
    assert attributes(query)["catalyst.request.id"] == told["catalyst.request.id"] != ""
    assert attributes(query)["catalyst.cache"] == "miss"
    assert collector.resource["service.name"] == "catalyst"


async def test_neither_prompt_nor_answer_nor_key_is_in_any_span(wire: Any, tmp_path: Path):
    wire.openai.says("the secret answer")
    wire.openai.answers(401, message="sk-openai-test-0123456789 the secret prompt is wrong")
    request = {"system_prompt": "the secret system", "documents": ["the secret filing"], "model": "cheap"}
    with Collector() as collector:
        await _traced(
            wire, tmp_path, collector,
            LLMRequest(prompt="the secret prompt", **request),
            LLMRequest(prompt="the secret prompt again", **request),
        )  # fmt: skip
    assert len(collector.spans) >= 4
    assert b"the secret" not in collector.raw
    assert wire.openai.key.encode() not in collector.raw


async def test_a_failed_attempt_and_its_fallback_are_both_there(wire: Any, tmp_path: Path):
    wire.openai.answers(500, times=9)
    with Collector() as collector:
        await _traced(wire, tmp_path, collector, LLMRequest(prompt="Hello", complexity="simple", max_retries=0))
    failed = collector.named("chat gpt-4o-mini")[0]
    assert attributes(failed)["error.type"] == "server"
    assert failed.status.code == 2
    assert collector.named("chat deepseek-chat")


def test_a_filing_is_one_trace_from_the_feed_to_its_last_message(tmp_path: Path):
    with Collector() as collector:
        names: Any = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-team=desk%201"}
        done = run("serve", "--source", "sample", "--speed", "max", "--port", "0", "--until-end", cwd=tmp_path, **names)
    assert done.returncode == 0, done.stderr
    assert collector.headers["x-team"] == "desk 1"
    wholes = {attributes(span)["catalyst.accession"]: span for span in collector.named("filing")}
    assert len(wholes) == 25
    for accession, whole in wholes.items():
        trace_id, span_id = ids_of(accession)
        assert (int.from_bytes(whole.trace_id, "big"), int.from_bytes(whole.span_id, "big")) == (trace_id, span_id)
        parts = [span for span in collector.spans if span.trace_id == whole.trace_id and span is not whole]
        assert {"filing.alert", "filing.fetch", "filing.parse"} <= {span.name for span in parts}, accession
        assert all(span.parent_span_id == whole.span_id for span in parts if span.name.startswith("filing."))


@pytest.mark.slow
def test_after_a_kill_the_rest_of_a_filing_joins_its_trace(tmp_path: Path, hole: str):
    """The model hangs, the process is killed, the next one has no model: what was begun is ended in the same trace."""
    with Collector() as collector:
        names: Any = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        command = ["serve", "--source", "sample", "--speed", "1", "--port", "0"]
        hanging = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": hole}
        with started(*command, cwd=tmp_path, log=tmp_path / "log", **names, **hanging) as process:
            assert collector.wait("filing.alert")
            process.send_signal(signal.SIGKILL)
        before = {bytes(span.trace_id) for span in collector.named("filing.alert")}
        done = run(*command[:3], "--speed", "max", "--port", "0", "--until-end", cwd=tmp_path, **names)
    assert done.returncode == 0, done.stderr
    assert before <= {bytes(span.trace_id) for span in collector.named("filing")}


@pytest.fixture
def hole() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(100)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/v1"


def test_a_collector_that_hangs_holds_up_no_stop(hole: str):
    began = time.monotonic()
    with tracing(TraceSettings.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": hole})) as tracer, tracer.span("one"):
        pass
    assert time.monotonic() - began < 8  # FLUSH_SECONDS is 3


def test_off_the_sdk_is_not_loaded(tmp_path: Path):
    # The API alone is imported by a dependency of ours, where it is installed.
    look = "import sys, catalyst.app.build; print([n for n in sys.modules if n.startswith('opentelemetry.sdk')])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr
    with tracing(TraceSettings()) as tracer:
        assert tracer is NO_TRACER


def test_the_settings_are_those_of_opentelemetry():
    read = TraceSettings.from_env
    assert read({}).exporter == "none"
    assert read({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}).endpoint == "http://c:4318/v1/traces"
    assert read({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}).exporter == "none"
    assert read({"OTEL_TRACES_EXPORTER": "otlp"}).endpoint == "http://127.0.0.1:4318/v1/traces"
    with pytest.raises(SettingsError, match="zipkin"):
        read({"OTEL_TRACES_EXPORTER": "zipkin"})


async def test_a_log_line_about_a_request_names_it(tmp_path: Path, wire: Any):
    wire.openai.answers(500, times=9)
    with structlog.testing.capture_logs() as lines:
        async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
            await hub.query(LLMRequest(prompt="Hi", complexity="simple", max_retries=0, request_id="r-1"))
    failed = [line for line in lines if line["event"] == "provider.failed"]
    assert failed
    assert all(line["request"] == "r-1" for line in failed)
