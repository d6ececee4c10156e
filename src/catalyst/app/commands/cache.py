"""`catalyst cache stats|clear|audit`: what the answer cache holds, what it saved, and whether it can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from catalyst.llm.cache.kept import CacheStore, Pair

cache = typer.Typer(no_args_is_help=True, help="The answer cache: what it holds, what it saved, whether to trust it.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@cache.command()
def stats(as_json: Json = False) -> None:
    """Answers kept, hits and money saved in the last 30 days, and the measured share of wrong answers among hits.

    Wrong answers are measured by asking the model again for 1 % of what was served by meaning; the interval holds the
    true share with 95 % confidence.

    Examples: catalyst cache stats · catalyst cache stats --json
    """
    import asyncio

    import orjson

    found = asyncio.run(_stats())
    if as_json:
        print(orjson.dumps(found, default=str).decode())
        return
    audits = found["audits"]
    print(f"answers kept        {found['entries']:,}")
    print(f"hits in 30 days     {found['hits']:,}, beside {found['calls']:,} calls of models")
    print(f"saved               {found['saved_usd']:.4f} USD")
    print(f"served by meaning   {found['served']:,} near or verified, {found['refused']:,} refused by the guard")
    print(f"templates struck    {found['struck']:,} (two wrong answers: exact text only)")
    if audits["judged"]:
        low, high = audits["interval"]
        rate = f"{audits['false_hit_rate']:.2%} (95 %: {low:.2%} to {high:.2%})"
        print(f"wrong answers       {audits['wrong']} of {audits['judged']:,} audited hits, {rate}")
    else:
        print("wrong answers       no hit was audited yet")


@cache.command()
def audit(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many pairs, the latest first.")] = 50,
    outcome: Annotated[str, typer.Option(help="served, refused, agreed, disagreed or unclear.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Pairs of questions: what was served for what, what was refused and why, and what audits said.

    Read the served ones to trust the cache. `disagreed` are wrong answers that an audit found: each is a strike
    against its template, and the second ends matching by meaning there until `catalyst cache clear`.

    Examples: catalyst cache audit · catalyst cache audit --outcome refused --limit 200 --json
    """
    import asyncio
    from dataclasses import asdict

    import orjson

    from catalyst.errors import UsageError

    if outcome not in ("", "served", "refused", "agreed", "disagreed", "unclear"):
        raise UsageError(f"--outcome {outcome!r}: use served, refused, agreed, disagreed or unclear")
    pairs = asyncio.run(_pairs())
    chosen = [pair for pair in pairs if not outcome or pair.outcome == outcome][:limit]
    if as_json:
        for pair in chosen:
            print(orjson.dumps(asdict(pair)).decode())
        return
    _print_pairs(chosen)


@cache.command()
def clear(
    tenant: Annotated[str, typer.Option(help="Only this tenant's answers; strikes and tombstones stay.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove kept answers, and without --tenant strikes, tombstones and remembered pairs too. Nothing else is touched.

    Examples: catalyst cache clear --tenant acme --yes · catalyst cache clear
    """
    import asyncio

    if not yes:
        typer.confirm(f"Remove {f'the answers of {tenant}' if tenant else 'every kept answer'}?", abort=True, err=True)
    gone = asyncio.run(_clear(tenant or None))
    print(f"{gone:,} answers removed")


def _stores() -> list[CacheStore]:
    """Redis where it is set, else every cache.db under the data folder."""
    from catalyst.app.build.cache import cache_store
    from catalyst.app.settings import load

    settings = load()
    folder = settings.app.data_dir
    if settings.hub.redis_url:
        return [cache_store(settings.hub, folder)]
    return [cache_store(settings.hub, path.parent) for path in _files(folder)]


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("cache.db"), *folder.glob("*/cache.db")])


async def _stats() -> dict[str, Any]:
    from collections import Counter

    from catalyst.llm.cache.tally import audits_of, measured

    figures: Counter[str] = Counter()
    for store in _stores():
        await store.open()
        figures.update(await store.figures())
        await store.close()
    used = await _used()
    return {
        "entries": figures["entries"],
        "tombstones": figures["tombstones"],
        "struck": figures["struck"],
        "served": figures["near.served"] + figures["verified.served"],
        "refused": figures["near.refused"],
        "compared": {name: figures[f"verify.{name}"] for name in ("agreed", "disagreed", "unclear")},
        "audits": measured(audits_of(figures)),
        **used,
    }


async def _used() -> dict[str, Any]:
    """Hits and savings from the ledger."""
    from catalyst.app.commands.usage import _day, _lines, _shared
    from catalyst.app.settings import load

    settings = load()
    folder, redis = settings.app.data_dir, settings.hub.redis_url
    since = _day("30d", settings.hub.timezone)
    ledgers = sorted([*folder.glob("hub.db"), *folder.glob("*/hub.db")])
    lines = await (_shared(redis, "day", since) if redis else _lines(ledgers, "day", since))
    return {
        "calls": sum(line.calls for line in lines),
        "hits": sum(line.cache_hits for line in lines),
        "saved_usd": sum(line.saved_usd for line in lines),
    }


async def _pairs() -> list[Pair]:
    from catalyst.llm.cache.kept import MOST_PAIRS

    found: list[Pair] = []
    for store in _stores():
        await store.open()
        found += await store.pairs(MOST_PAIRS)
        await store.close()
    return sorted(found, key=lambda pair: pair.at, reverse=True)


async def _clear(tenant: str | None) -> int:
    gone = 0
    for store in _stores():
        await store.open()
        gone += await store.clear(tenant)
        await store.close()
    return gone


def _print_pairs(pairs: list[Pair]) -> None:
    import sys
    from datetime import UTC, datetime

    from catalyst.app.log import harmless

    if not pairs:
        print("no pair of questions was compared yet", file=sys.stderr)
    for pair in pairs:
        at = datetime.fromtimestamp(pair.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        print(f"{at}  {pair.outcome:<9} {pair.level:<9} {pair.similarity:.3f}  {harmless(pair.tenant)}")
        print(harmless(f"    asked  {pair.asked}\n    kept   {pair.kept}\n    why    {pair.reason}", keep="\n"))
