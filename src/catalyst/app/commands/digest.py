"""`catalyst digest`: one filing, read and told on one screen. Start with `digest`, then `_told`."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from catalyst.app.settings import Settings
    from catalyst.filings.types import Filing, Parsed, Submission
    from catalyst.stream.types import Analysis, Fact

_ACCESSION = re.compile(r"(\d{10})-?(\d{2})-?(\d{6})")
_INDEX = re.compile(r"-index\.html?$", re.IGNORECASE)
_CHUNK = 1 << 20
_SHOWN_FACTS = 12
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class _Told:
    """One filing with everything that is shown of it."""

    filing: Filing
    parsed: Parsed
    analysis: Analysis
    company: str
    tickers: tuple[str, ...]
    headline: str
    url: str


def digest(
    target: Annotated[str, typer.Argument(help="A file, an address (of the .txt or its -index.htm), or an accession.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    form: Annotated[str, typer.Option(help="The form, where the file is silent: 8-K, 10-Q, 4 …")] = "",
    cik: Annotated[str, typer.Option(help="Whose filing an accession is, where an agent filed it.")] = "",
    rules: Annotated[bool, typer.Option("--rules", help="Ask no model, even where one is configured.")] = False,
) -> None:
    """Read one filing: what happened, the figures with their quotes, the risks, and why it scored as it did.

    A model reads it where a key or a local server is configured; else the rules do. Files need no network. Live EDGAR
    needs SEC_USER_AGENT.

    Examples: catalyst digest 8k.txt · catalyst digest 0000320193-24-000123 · catalyst digest 4.xml --form 4 --json
    """
    import asyncio

    from catalyst.app import log
    from catalyst.app.settings import load

    log.configure()
    told = asyncio.run(_told(target, form.strip().upper(), cik, load(), rules))
    _put(_as_json(told) if as_json else "\n".join(_screen(told)))


async def _told(target: str, form: str, cik: str, settings: Settings, rules_only: bool) -> _Told:
    from catalyst.companies import Companies
    from catalyst.filings.forms import parse
    from catalyst.filings.headline import headline

    submission, url = await submission_of(target, form, cik, settings)
    parsed = parse(submission, form)
    filing = filing_of(parsed, url)
    analysis = await _analysed(filing, parsed, settings, rules_only)
    companies = Companies.load(settings.app.data_dir / "live" / "companies.json")
    tickers = companies.tickers(filing.subject.cik)
    company = filing.subject.name or companies.name(filing.subject.cik)
    return _Told(filing, parsed, analysis, company, tickers, headline(filing, company, tickers, analysis), url)


async def submission_of(target: str, form: str, cik: str, settings: Settings) -> tuple[Submission, str]:
    """The submission, and its address where it came from one."""
    if _is_here(target):
        return _from_disk(Path(target), form), ""
    url = _address(target, cik, settings)
    return await _fetched(url, form, settings), url


def _is_here(target: str) -> bool:
    try:
        return Path(target).exists()
    except (OSError, ValueError):
        return False


def _from_disk(path: Path, form: str) -> Submission:
    from catalyst.errors import UsageError
    from catalyst.filings.forms import SubmissionReader

    if not path.is_file():
        raise UsageError(f"{path} is no regular file: give a submission (.txt) or a document (.htm, .xml)")
    reader = SubmissionReader(form)
    try:
        with path.open("rb") as source:
            while not reader.done and (chunk := source.read(_CHUNK)):
                reader.feed(chunk)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    return reader.close()


def _address(target: str, cik: str, settings: Settings) -> str:
    """The address of a filing's full text. Raises UsageError for what is neither file, address nor accession."""
    from catalyst.errors import UsageError

    if target.startswith(("http://", "https://")):
        return _INDEX.sub(".txt", target)
    found = _ACCESSION.fullmatch(target.strip())
    if found is None:
        raise UsageError(f"{target!r} is no file here, no address and no accession (such as 0000320193-24-000123)")
    if cik and not (cik.isascii() and cik.isdigit() and len(cik) <= 10):
        raise UsageError(f"--cik {cik!r} is no CIK: use its digits")
    owner = (cik or found[1]).lstrip("0") or "0"
    accession = "-".join(found.groups())
    return f"{settings.filings.base_url}/Archives/edgar/data/{owner}/{''.join(found.groups())}/{accession}.txt"


async def _fetched(url: str, form: str, settings: Settings) -> Submission:
    from catalyst.app.source import REPLAY_AGENT
    from catalyst.errors import NotFound
    from catalyst.filings.forms import MAX_BYTES, SubmissionReader
    from catalyst.http import Http

    _need_agent(url, settings)
    reader = SubmissionReader(form)
    try:
        async with (
            Http(user_agent=settings.filings.user_agent or REPLAY_AGENT) as http,
            http.stream("GET", url, timeout_seconds=settings.filings.fetch_seconds, max_bytes=2 * MAX_BYTES) as answer,
        ):
            await answer.check()
            async for chunk in answer.chunks():
                reader.feed(chunk)
                if reader.done:
                    break
    except NotFound as error:
        raise NotFound(f"{error}: check the accession, and give --cik of the company if an agent filed it") from error
    return reader.close()


def _need_agent(url: str, settings: Settings) -> None:
    from urllib.parse import urlsplit

    from catalyst.errors import SettingsError

    host = urlsplit(url).hostname or ""
    if (host == "sec.gov" or host.endswith(".sec.gov")) and not settings.filings.user_agent:
        raise SettingsError(
            "live EDGAR needs SEC_USER_AGENT, your name and e-mail as the SEC asks "
            '(SEC_USER_AGENT="Jane Roe jane@example.com"); a file on disk needs none'
        )


def filing_of(parsed: Parsed, url: str) -> Filing:
    """The filing as its header names it; its items may stand in the body alone."""
    from datetime import UTC, datetime

    from catalyst.filings.types import Filing

    header, now = parsed.header, datetime.now(UTC)
    items = header.items or tuple(item.code for item in parsed.items if parsed.family == "eight_k")
    return Filing(
        parsed.accession, parsed.form, header.parties, header.accepted or now, header.filed, items, url, seen_at=now
    )


async def _analysed(filing: Filing, parsed: Parsed, settings: Settings, rules_only: bool) -> Analysis:
    """The model's analysis where there is one to ask and it answers; else the rules'."""
    from catalyst.filings.prescore import prescore
    from catalyst.filings.rules import from_rules

    rules = from_rules(filing, parsed, prescore(filing.form, filing.items))
    if rules_only or not settings.app.use_models:
        return rules
    from catalyst.app.build.hub import hub
    from catalyst.app.build.prompts import prompts
    from catalyst.errors import LLMServiceError
    from catalyst.filings.analyze import Analyst

    async with hub(settings, settings.app.data_dir) as llm:
        if llm is None:
            return rules
        try:
            return await Analyst(llm, prompts(settings)).read(filing, parsed, rules)
        except LLMServiceError as error:
            print(f"catalyst: the model could not read it ({error}): this is the rules' analysis", file=sys.stderr)
            return rules


def _as_json(told: _Told) -> str:
    import json

    filing = told.filing
    record: dict[str, Any] = {
        "filing_id": filing.accession,
        "filing_type": filing.form,
        "company": told.company,
        "cik": filing.subject.cik,
        "tickers": list(told.tickers),
        "items": list(filing.items),
        "accepted_at": told.parsed.header.accepted.isoformat() if told.parsed.header.accepted else None,
        "headline": told.headline,
        "analysis": told.analysis.model_dump(mode="json"),
        "problems": list(told.parsed.problems),
        "url": told.url,
    }
    return json.dumps(record)


def _screen(told: _Told) -> list[str]:
    analysis, accepted = told.analysis, told.parsed.header.accepted
    head = (told.filing.form, told.filing.accession, f"{accepted:%Y-%m-%d %H:%M}" if accepted else "", told.url)
    mood = f"{analysis.label} {analysis.sentiment:+.2f}" if analysis.sentiment is not None else analysis.label
    sure = f", confidence {analysis.confidence:.2f}" if analysis.confidence is not None else ""
    by = f"{analysis.source} {analysis.model} ${analysis.cost_usd:.4f}" if analysis.model else analysis.source
    lines = [told.headline, " · ".join(part for part in head if part), ""]
    lines += [f"{mood}{sure} · priority {analysis.priority} {analysis.priority_score:.2f} · by {by}", ""]
    lines += [*_wrapped(analysis.summary), ""]
    lines += _facts(analysis.facts)
    lines += _listed("Risks", analysis.risks) + _listed("Why", analysis.rules)
    if analysis.grounded_share is not None:
        lines.append(f"{analysis.grounded_share:.0%} of the figures were found in the filing")
    return lines


def _facts(facts: list[Fact]) -> list[str]:
    from catalyst.filings.amounts import shown

    lines = []
    for fact in facts[:_SHOWN_FACTS]:
        mark = "" if fact.verified else "  [unverified]"
        about = " ".join(part for part in (fact.period, fact.scope) if part)
        lines.append(f"  {fact.name:<24} {shown(fact.value, fact.unit)[:44]:<22} {about}{mark}".rstrip())
    if len(facts) > _SHOWN_FACTS:
        lines.append(f"  and {len(facts) - _SHOWN_FACTS} more (--json shows all, with their quotes)")
    return [*lines, ""] if lines else []


def _listed(title: str, texts: list[str]) -> list[str]:
    lines = [f"{title}:"] if texts else []
    for text in texts:
        lines += _wrapped(text, "  - ", "    ")
    return [*lines, ""] if lines else []


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    import textwrap

    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=rest)


def _put(text: str) -> None:
    """To stdout whatever its encoding, without control characters: a filing must not steer the terminal."""
    shown = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    sys.stdout.buffer.write(shown.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()
