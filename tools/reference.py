"""Reference pages made from the code: commands from the parser, settings from their table, REST from OpenAPI, metrics.

`pages` gives them as Markdown; `tools/docs.py` puts them into the site.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_METHODS = ("get", "put", "post", "delete", "patch")


def pages() -> dict[str, str]:
    """Name to Markdown."""
    from catalyst.bot.telemetry import BotMetrics

    document, shown = asyncio.run(_service())
    shown += BotMetrics().shown({}, 0, 0).decode()
    return {"commands": commands(), "settings": settings(), "rest": rest(document), "metrics": metrics(shown)}


async def _service() -> tuple[dict[str, Any], str]:
    """The OpenAPI document and the metrics' text, asked of a running service."""
    from catalyst.app.build.service import service
    from catalyst.app.settings import defaults
    from catalyst.app.source import opened, source_spec

    plain = defaults()
    parts = dataclasses.replace(plain, web=dataclasses.replace(plain.web, port=0))
    spec = source_spec("sample", parts, 1.0, 1, "")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "sample"
        folder.mkdir()
        async with opened(spec, parts, folder / "clock") as source, service(parts, source, folder) as made:
            serving = asyncio.create_task(made.server.run())
            await made.server.ready.wait()
            try:
                document = await asyncio.to_thread(_get, f"{made.server.url}/openapi.json")
                return json.loads(document), await asyncio.to_thread(_get, f"{made.server.url}/metrics")
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 (ourselves)
        return str(answer.read().decode())


def commands() -> str:
    """Every command with its arguments and options, from the parser itself."""
    import typer

    from catalyst.app.cli import app

    group: Any = typer.main.get_command(app)
    lines = ["# Commands", "", "Made from `catalyst --help`. Data goes to stdout, the rest to stderr.", ""]
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        lines += [f"## catalyst {name}", "", _plain(command.help), ""]
        lines += _options(command)
        for sub, one in (inner or {}).items():
            lines += [f"### catalyst {name} {sub}", "", _plain(one.help), "", *_options(one)]
    return "\n".join(lines) + "\n"


def _options(command: Any) -> list[str]:
    rows = []
    for one in command.params:
        if getattr(one, "hidden", False) or one.name == "help":
            continue
        shown = ", ".join(one.opts) if one.param_type_name == "option" else (one.metavar or one.name).upper()
        rows.append(f"| `{shown}` | {_cell(getattr(one, 'help', '') or '')} |")
    return ["| argument or option | meaning |", "|---|---|", *rows, ""] if rows else []


def settings() -> str:
    """Every environment name with default and meaning."""
    from catalyst.app.names import NAMES

    lines = ["# Settings", "", "From the environment or `.env`. `catalyst check` validates them all.", ""]
    group = ""
    for name, entry in NAMES.items():
        if entry.group != group:
            group = entry.group
            lines += ["", f"## {group}", "", "| name | default | meaning |", "|---|---|---|"]
        default = f"`{entry.default}`" if entry.default else ""
        lines.append(f"| `{name}` | {default} | {_cell(entry.help)}{' (secret)' if entry.secret else ''} |")
    return "\n".join(lines) + "\n"


def rest(document: Mapping[str, Any]) -> str:
    """Every path of the OpenAPI document with its parameters, body and answers."""
    lines = [
        "# REST routes",
        "",
        "Made from the service's own `/openapi.json`. Where keys are configured, each request needs `X-API-Key`. The",
        "[gateway](../guides/gateway.md) at `/v1` follows OpenAI's and Anthropic's own references.",
        "",
    ]
    for path, methods in sorted(document["paths"].items()):
        for method in _METHODS:
            if method in methods:
                lines += _operation(f"{method.upper()} {path}", methods[method])
    lines += ["## Bodies", ""]
    for name, schema in sorted(document.get("components", {}).get("schemas", {}).items()):
        lines += _schema(name, schema)
    return "\n".join(lines) + "\n"


def _operation(title: str, operation: Mapping[str, Any]) -> list[str]:
    lines = [f"## {title}", "", _plain(operation.get("description") or operation.get("summary") or ""), ""]
    rows = [
        f"| `{one['name']}` | {one['in']} | {_type(one.get('schema', {}))} | {_cell(one.get('description', ''))} |"
        for one in operation.get("parameters", [])
    ]
    if rows:
        lines += ["| parameter | in | type | meaning |", "|---|---|---|---|", *rows, ""]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        lines += [f"Body (`{kind}`): {_type(content.get('schema', {}))}", ""]
    answers = [f"| {code} | {_cell(one.get('description', ''))} | {_body(one)} |" for code, one in _answers(operation)]
    return [*lines, "| status | meaning | body |", "|---|---|---|", *answers, ""]


def _answers(operation: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from sorted(operation.get("responses", {}).items())


def _body(answer: Mapping[str, Any]) -> str:
    return ", ".join(_type(one.get("schema", {})) for one in answer.get("content", {}).values())


def _schema(name: str, schema: Mapping[str, Any]) -> list[str]:
    lines = [f"### {name}", "", _plain(schema.get("description", "")), ""]
    needed = schema.get("required", [])
    rows = [
        f"| `{field}` | {_type(one)} | {'yes' if field in needed else ''} | {_cell(one.get('description', ''))} |"
        for field, one in schema.get("properties", {}).items()
    ]
    return [*lines, "| field | type | required | meaning |", "|---|---|---|---|", *rows, ""] if rows else lines


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return f"`{schema['$ref'].rsplit('/', 1)[-1]}`"
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " or ".join(_type(one) for one in schema[union])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


def metrics(text: str) -> str:
    """Every metric of `/metrics`, of the text that Prometheus reads."""
    lines = [
        "# Metrics",
        "",
        "What `/metrics` shows in Prometheus' text, of the service and (`catalyst_bot_…`) of the bot; alerts and",
        "dashboards over them are in `deploy/prometheus` and `deploy/grafana`.",
        "",
        "| name | kind | meaning |",
        "|---|---|---|",
    ]
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    meanings = re.findall(r"^# HELP (catalyst_\S+) (.+)$", text, re.M)
    shown = [(name, kinds.get(name, ""), _cell(told)) for name, told in meanings if not name.endswith("_created")]
    return "\n".join([*lines, *(f"| `{name}` | {kind} | {told} |" for name, kind, told in sorted(shown))]) + "\n"


def _plain(text: str | None) -> str:
    """A docstring's paragraphs; what would be markup is shown as it is."""
    return (
        "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))
        .replace("<", "&lt;")
        .replace("|", "\\|")
    )


def _cell(text: str) -> str:
    return _plain(text).replace("\n", " ")
