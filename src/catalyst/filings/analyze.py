"""Have a model read a filing, and keep of its answer what holds. Start with `Analyst.read`.

The filing is untrusted: passages that speak to a model are taken out, the rest stands between two marks it cannot
hold, the schema bounds the answer, `guard` weighs its label, `ground` its figures; priority stays the rules' own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalyst.errors import StructuredOutputError
from catalyst.filings.ground import Grounding, ground
from catalyst.filings.guard import Verdict, verdict
from catalyst.filings.prescore import item_row, normal_form, rows
from catalyst.filings.sanitize import Clean, sanitize, speaks_to_a_model
from catalyst.filings.summary import sources
from catalyst.filings.types import Filing, Parsed
from catalyst.llm.prompts import PromptRegistry
from catalyst.llm.structured import Mismatch, find_json
from catalyst.llm.types import Complexity, LLMRequest, LLMResponse
from catalyst.stream.types import Analysis, Fact

PROMPT = "filing.analyze"
MAX_CHARS = 24_000
"""Of a filing's text, about 6,000 tokens."""
MAX_FACTS = 40
MAX_KEYWORDS, MAX_EVENTS, MAX_RISKS = 10, 6, 5
_COMPLEX_ITEMS = frozenset(("2.02", "1.01"))
_SIMPLE_ITEMS = frozenset(("8.01", "9.01"))

_Short = Annotated[str, Field(max_length=40)]


class Hub(Protocol):
    """What answers requests; `LLMService` does. Raises LLMServiceError."""

    async def query(self, request: LLMRequest) -> LLMResponse: ...


class ReadFact(BaseModel):
    """One figure as the model gives it."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=60)
    value: str = Field(min_length=1, max_length=60)
    unit: str = Field(default="", max_length=20)
    period: str = Field(default="", max_length=24)
    scope: Literal["current", "prior", "guidance", ""] = ""
    quote: str = Field(default="", max_length=400)


class Reading(BaseModel):
    """A model's answer, within the bounds of the prompt's schema."""

    model_config = ConfigDict(frozen=True)

    label: Literal["bullish", "bearish", "neutral"]
    sentiment: float = Field(ge=-1, le=1)
    confidence: float = Field(ge=0, le=1)
    evidence: list[Annotated[str, Field(max_length=400)]] = Field(default=[], max_length=3)
    summary: str = Field(max_length=600)
    keywords: list[_Short] = Field(default=[], max_length=8)
    event_types: list[_Short] = Field(default=[], max_length=4)
    facts: list[ReadFact] = Field(default=[], max_length=12)
    risks: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=5)


class Analyst:
    """Reads filings with a model. `max_chars` bounds what one filing sends, `model` pins who reads it.

    With `compress` the hub shortens what is sent; it keeps words as they stand, and answers are grounded against the
    whole filing.
    """

    def __init__(
        self,
        hub: Hub,
        prompts: PromptRegistry,
        *,
        max_chars: int = MAX_CHARS,
        timeout_seconds: float = 30.0,
        compress: bool = True,
        model: str | None = None,
    ) -> None:
        self._hub = hub
        self._prompts = prompts
        self._max_chars = max_chars
        self._timeout = timeout_seconds
        self._compress = compress
        self._model = model

    async def read(self, filing: Filing, parsed: Parsed, rules: Analysis) -> Analysis:
        """The model's grounded analysis over the rules' one. Raises LLMServiceError: then the rules' stands."""
        return (await self.answered(filing, parsed, rules))[1]

    async def answered(self, filing: Filing, parsed: Parsed, rules: Analysis) -> tuple[LLMResponse, Analysis]:
        """`read`, with the model's answer beside what was made of it. Raises LLMServiceError."""
        clean = sanitize(selected(parsed, self._max_chars))
        response = await self._hub.query(self.request(filing, clean.text, rules))
        return response, merged(_reading(response), response, rules, parsed, clean)

    def request(self, filing: Filing, text: str, rules: Analysis) -> LLMRequest:
        """What is asked of the hub about a filing whose clean text is given."""
        fence = fence_of(text)
        company = " ".join(filing.subject.name.split())[:120]
        prompt = self._prompts.assign(PROMPT, filing.accession).render(
            {
                "form": _form_in_words(filing),
                "company": "not named" if speaks_to_a_model(company) or not company else company,
                "fence": fence,
            }
        )
        settings = prompt.settings
        return LLMRequest(
            prompt=prompt.user,
            system_prompt=prompt.system,
            documents=[f"{fence}\n{text}\n{fence}"],
            output_format="json",
            output_schema=settings.output_schema,
            complexity=complexity(filing.form, filing.items),
            model=self._model,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            compress_prompt=self._compress,
            feature_name="filings",
            template=prompt.key,
            priority="high" if rules.priority == "high" else "normal",
            timeout_seconds=self._timeout,
        )


def complexity(form: str, items: Sequence[str]) -> Complexity:
    """How hard a filing is to read: earnings, agreements and annual reports are complex, an 8.01 alone is simple."""
    form = normal_form(form).removesuffix("/A")
    if form.startswith("10-K"):
        return "complex"
    codes = {row.code for item in items if (row := item_row(item)) is not None}
    if not form.startswith("8-K") or not codes:
        return "medium"
    if codes & _COMPLEX_ITEMS:
        return "complex"
    return "simple" if "8.01" in codes and codes <= _SIMPLE_ITEMS else "medium"


def selected(parsed: Parsed, limit: int) -> str:
    """A filing's most telling text within `limit` characters: press releases, items, then the main document."""
    taken: list[str] = []
    left = limit
    for text in sources(parsed):
        if left < 200:
            break
        piece = text[:left]
        taken.append(piece)
        left -= len(piece) + 2
    return "\n\n".join(taken)


def fence_of(text: str) -> str:
    """A mark that the text does not hold: made from it, so that the same filing makes the same request."""
    for count in range(1_000):
        fence = "FILING-" + hashlib.sha256(f"{count}:{text}".encode(errors="replace")).hexdigest()[:24]
        if fence not in text:
            return fence
    raise AssertionError("a text holds a thousand hashes of itself")


def merged(reading: Reading, response: LLMResponse, rules: Analysis, parsed: Parsed, clean: Clean) -> Analysis:
    """The model's reading over the rules' analysis, guarded and grounded."""
    judged = _judged(reading, rules, clean)
    summary = reading.summary if _is_fit(reading.summary) else rules.summary
    analysis = Analysis(
        sentiment=judged.sentiment,
        label=judged.label,
        confidence=judged.confidence,
        keywords=_together(MAX_KEYWORDS, reading.keywords, rules.keywords),
        event_types=_together(MAX_EVENTS, rules.event_types, reading.event_types),
        summary=summary,
        priority=rules.priority,
        priority_score=rules.priority_score,
        rules=[*rules.rules, judged.rule],
        facts=_facts(rules.facts, reading.facts),
        risks=_together(MAX_RISKS, reading.risks, rules.risks),
        source="llm",
        model=response.model,
        cost_usd=response.cost_usd,
    )
    return ground(analysis, parsed)


def _reading(response: LLMResponse) -> Reading:
    try:
        given = response.parsed_output if response.parsed_output is not None else find_json(response.text)
        return Reading.model_validate(given)
    except (ValidationError, Mismatch) as error:
        what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise StructuredOutputError(
            f"the model's analysis does not meet its schema ({what}): the rules' analysis stands", raw=response.text
        ) from error


def _judged(reading: Reading, rules: Analysis, clean: Clean) -> Verdict:
    shown = Grounding(Parsed("", "", "generic", clean.text))
    evidence = [sentence for sentence in reading.evidence if shown.quotes(sentence)]
    return verdict(reading.label, reading.sentiment, reading.confidence, evidence, rules, len(clean.removed))


def _is_fit(text: str) -> bool:
    """Whether a model's sentence may be shown: no address to follow, nothing that speaks to a model."""
    return bool(text.strip()) and "://" not in text and "www." not in text.lower() and not speaks_to_a_model(text)


def _together(limit: int, first: Iterable[str], second: Iterable[str]) -> list[str]:
    """Both lists, each thing once, the first one's first."""
    kept: dict[str, str] = {}
    for text in (*first, *second):
        said = " ".join(text.split())
        if _is_fit(said):
            kept.setdefault(said.lower(), said)
    return list(kept.values())[:limit]


def _facts(known: Sequence[Fact], read: Sequence[ReadFact]) -> list[Fact]:
    """The rules' facts, then the model's about what the rules' verified ones don't already say."""
    kept = list(known)
    told = {_about(fact) for fact in known if fact.verified}
    for fact in _as_facts(read):
        if _about(fact) not in told:
            told.add(_about(fact))
            kept.append(fact)
    return kept[:MAX_FACTS]


def _about(fact: Fact) -> tuple[str, str, str]:
    return fact.name, fact.scope, fact.period


def _as_facts(read: Sequence[ReadFact]) -> Iterator[Fact]:
    for given in read:
        if not _is_fit(given.name) or not _is_fit(given.value) or speaks_to_a_model(given.quote):
            continue
        value: Decimal | str = given.value.strip()
        try:
            number = Decimal(given.value.replace(",", "").strip())
            if not number.is_finite() or abs(number.adjusted()) > 30:
                continue
            value = Decimal(f"{number:f}")
        except InvalidOperation:
            pass
        name = "_".join(given.name.lower().split())
        yield Fact(
            name=name, value=value, unit=given.unit, period=given.period, scope=given.scope, quote=given.quote
        )  # fmt: skip


def _form_in_words(filing: Filing) -> str:
    told = [f"item {row.code} ({row.name})" if "." in row.code else row.name for row in rows(filing.form, filing.items)]
    return f"{normal_form(filing.form)}, {', '.join(told)}"
