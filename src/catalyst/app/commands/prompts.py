"""`catalyst prompts`: which prompts there are, what one says, what it becomes, and how its variants fare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from catalyst.llm.prompts import Prompt, PromptRegistry

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="A prompt's id, such as filing.analyze.")]
Version = Annotated[str, typer.Option(help="A version or an alias; production when left out.")]

prompts = typer.Typer(
    no_args_is_help=True,
    help="The prompts that models are asked with: versions, aliases, variants. PROMPTS_DIR names a folder of your own.",
)


@prompts.command("list")
def listed(as_json: Json = False) -> None:
    """Every prompt with its versions, what runs in production, and the variants that are tried."""
    import json

    registry = _registry()
    rows = [_row(registry, name) for name in registry.ids()]
    if as_json:
        print(json.dumps(rows))
        return
    width = max(len(row["id"]) for row in rows)
    for row in rows:
        tried = " ".join(f"{version}:{weight:g}" for version, weight in row["variants"].items())
        count = len(row["versions"])
        runs = f"{row['production']} of {count}" if count > 1 else row["production"]
        print(f"{row['id']:<{width}}  {runs:<8}  {row['description']}{f'  (variants {tried})' if tried else ''}")


@prompts.command("show")
def show(prompt: Id, version: Version = "", as_json: Json = False) -> None:
    """What one prompt says, with its variables and settings.

    Example: catalyst prompts show field.enrich
    """
    import json

    registry = _registry()
    found = registry.get(prompt, version or None)
    if as_json:
        print(json.dumps(_described(found)))
        return
    settings = found.settings
    print(f"{found.key}\n{found.description}\n")
    print(f"tier {settings.tier}, temperature {settings.temperature:g}, at most {settings.max_tokens} tokens")
    print(f"variables: {', '.join(f'{name} ({kind})' for name, kind in found.variables.items())}")
    print(f"answer: {'JSON of a schema' if settings.output_schema else 'text'} (--json shows all)\n")
    print(f"[system]\n{found.system.strip()}\n[user]\n{found.user.strip()}")


@prompts.command("render")
def render(
    prompt: Id,
    var: Annotated[
        list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="A variable; JSON where it is no text.")
    ] = None,
    variables: Annotated[Path | None, typer.Option("--vars", help="A JSON file of variables.")] = None,
    key: Annotated[str, typer.Option(help="Whose variant to take, by the hash of this key.")] = "",
    version: Version = "",
    as_json: Json = False,
) -> None:
    """What a prompt becomes with these variables. Nothing is sent.

    Example: catalyst prompts render field.enrich --var field=total --var instruction= --var form="a number"
    """
    import json

    registry = _registry()
    chosen = registry.assign(prompt, key) if key and not version else registry.get(prompt, version or None)
    told = chosen.render(_variables(chosen, var or [], variables))
    if as_json:
        print(json.dumps({"key": told.key, "system": told.system, "user": told.user}))
        return
    print(f"[system]\n{told.system}\n[user]\n{told.user}")


@prompts.command("outcomes")
def outcomes(
    prompt: Annotated[str, typer.Argument(metavar="[ID]", help="Only this prompt.")] = "", as_json: Json = False
) -> None:
    """How each version fared, from the ledger: answers, answers that met their schema, tokens, cost, time."""
    import asyncio
    import json

    from catalyst.app.settings import load
    from catalyst.llm.prompts.outcomes import fared

    folder = load().app.data_dir
    ledgers = sorted([*folder.glob("hub.db"), *folder.glob("*/hub.db")])
    rows = asyncio.run(fared(ledgers, prompt))
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        print("no request that a prompt made is in the ledger yet")
    for row in rows:
        print(
            f"{row['template']:<50} {row['calls']:>8} calls {row['answered_share']:>6.1%} answered "
            f"{row['cached']:>7} from the cache {row['usd_per_call']:.6f} USD {row['latency_ms']:.0f} ms"
        )


def _registry() -> PromptRegistry:
    from catalyst.app.build.prompts import prompts as build
    from catalyst.app.settings import load

    return build(load())


def _row(registry: PromptRegistry, name: str) -> dict[str, Any]:
    aliases = registry.aliases(name)
    return {
        "id": name,
        "versions": registry.versions(name),
        "production": aliases["production"],
        "aliases": aliases,
        "variants": dict(registry.variants(name)),
        "description": registry.get(name).description,
    }


def _described(prompt: Prompt) -> dict[str, Any]:
    settings = prompt.settings
    return {
        "id": prompt.id,
        "version": prompt.version,
        "key": prompt.key,
        "description": prompt.description,
        "variables": dict(prompt.variables),
        "tier": settings.tier,
        "temperature": settings.temperature,
        "max_tokens": settings.max_tokens,
        "output_schema": settings.output_schema,
        "system": prompt.system,
        "user": prompt.user,
    }


def _variables(prompt: Prompt, given: list[str], path: Path | None) -> dict[str, Any]:
    """The file's variables, then those of the command line; text stays text, everything else is read as JSON."""
    import json

    from catalyst.errors import UsageError

    try:
        values = json.loads(path.read_text("utf-8")) if path else {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(values, dict):
        raise UsageError(f"{path} holds no JSON object: give one, variable to value")
    for pair in given:
        name, mark, text = pair.partition("=")
        if not mark:
            raise UsageError(f"--var {pair!r}: write NAME=VALUE")
        try:
            values[name] = text if prompt.variables.get(name, "string") == "string" else json.loads(text)
        except ValueError as error:
            raise UsageError(f"--var {name} must be a {prompt.variables[name]}, written as JSON: {error}") from error
    return values
