"""Answers of models kept in a file, so that an evaluation can be run again without keys or money.

JSON lines: a first line says what made them, then one line an answer: which filing, which arm, what was asked (a hash
of it) and what came back. Start with `Recorder` and `Replayed`; both stand where the hub stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TextIO

from catalyst.errors import LLMServiceError, UsageError
from catalyst.filings.analyze import Hub
from catalyst.llm.types import LLMRequest, LLMResponse

VERSION = 1
LIVE, MADE = "live", "made"
"""`made`: answers written by hand or by a fake model; their figures say nothing about real models."""
MAX_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One kept answer."""

    asked: str
    text: str
    model: str = ""
    provider: str = ""
    cost_usd: Decimal = Decimal(0)
    latency_ms: float = 0.0
    tokens_input: int = 0
    tokens_output: int = 0
    tokens_left_out: int = 0

    def response(self) -> LLMResponse:
        return LLMResponse(
            text=self.text,
            model=self.model,
            provider=self.provider,
            cost_usd=self.cost_usd,
            latency_ms=self.latency_ms,
            tokens_input=self.tokens_input,
            tokens_output=self.tokens_output,
            tokens_left_out=self.tokens_left_out,
            prompt_compressed=self.tokens_left_out > 0,
        )


class Transcript:
    """The answers of a file by (filing, arm). `source` says whether live models gave them."""

    def __init__(self, source: str = LIVE, answers: dict[tuple[str, str], Answer] | None = None) -> None:
        self.source = source
        self.answers = answers if answers is not None else {}

    @classmethod
    def load(cls, path: Path) -> Transcript:
        """Raises UsageError for what is no transcript, naming the line. A last line cut short by a kill is left out."""
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read as a transcript: {error}") from error
        head = _object(lines[0]) if lines else None
        if head is None or head.get("transcript") != VERSION or head.get("source") not in (LIVE, MADE):
            raise UsageError(f"{path} is no transcript of this version: record one with --record")
        return cls(str(head["source"]), dict(_answers(path, lines)))


def _answers(path: Path, lines: list[str]) -> Iterator[tuple[tuple[str, str], Answer]]:
    for number, line in enumerate(lines[1:], 2):
        row = _object(line)
        if row is None and number == len(lines):
            return
        try:
            assert row is not None
            fields: dict[str, Any] = {name: str(row[name]) for name in ("asked", "text", "model", "provider")}
            fields |= {name: int(row[name]) for name in ("tokens_input", "tokens_output", "tokens_left_out")}
            fields |= {"cost_usd": Decimal(row["cost_usd"]), "latency_ms": float(row["latency_ms"])}
            yield (str(row["filing"]), str(row["arm"])), Answer(**fields)
        except (AssertionError, KeyError, TypeError, ValueError, InvalidOperation) as error:
            raise UsageError(f"line {number} of {path} is no answer: record it again with --record") from error


def _object(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line) if len(line) <= MAX_LINE else None
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def asked(request: LLMRequest) -> str:
    """A hash of what a model is shown and how it was to be chosen."""
    told = [request.system_prompt, request.prompt, *request.documents, str(request.complexity), request.model or ""]
    told += [str(request.compress_prompt), str(request.max_tokens), str(request.temperature)]
    return hashlib.sha256("\0".join(told).encode(errors="replace")).hexdigest()[:32]


class Replayed:
    """A hub that answers from a transcript. `stale` counts answers to a request that has changed since."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self.filing = self.arm = ""
        self.stale = 0

    async def query(self, request: LLMRequest) -> LLMResponse:
        """Raises LLMServiceError where the transcript holds no answer for this filing and arm."""
        answer = self._transcript.answers.get((self.filing, self.arm))
        if answer is None:
            raise LLMServiceError(f"the transcript has no answer for {self.filing} ({self.arm}): add it with --record")
        self.stale += answer.asked != asked(request)
        return answer.response()


class Recorder:
    """A hub that asks another, past its cache, and writes each answer down at once; no written one is asked again."""

    def __init__(self, hub: Hub, transcript: Transcript, out: TextIO) -> None:
        self._hub = hub
        self._transcript = transcript
        self._out = out
        self.filing = self.arm = ""
        self.stale = 0

    async def query(self, request: LLMRequest) -> LLMResponse:
        known = self._transcript.answers.get((self.filing, self.arm))
        if known is not None and known.asked == asked(request):
            return known.response()
        response = await self._hub.query(request.model_copy(update={"enable_cache": False}))
        self._out.write(json.dumps(_row(self.filing, self.arm, asked(request), response)) + "\n")
        self._out.flush()
        return response


def _row(filing: str, arm: str, question: str, response: LLMResponse) -> dict[str, Any]:
    return {
        "filing": filing,
        "arm": arm,
        "asked": question,
        "text": response.text,
        "model": response.model,
        "provider": response.provider,
        "cost_usd": str(response.cost_usd),
        "latency_ms": round(response.latency_ms, 1),
        "tokens_input": response.tokens_input,
        "tokens_output": response.tokens_output,
        "tokens_left_out": response.tokens_left_out,
    }


def begun(path: Path, source: str = LIVE) -> TextIO:
    """A transcript opened to add to; a line that a kill cut short is cut off. Raises UsageError."""
    try:
        path.touch()
        with path.open("r+b") as kept:
            whole = kept.read().rfind(b"\n") + 1
            kept.truncate(whole)
        out = path.open("a", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
    if not whole:
        out.write(json.dumps({"transcript": VERSION, "source": source}) + "\n")
        out.flush()
    return out
