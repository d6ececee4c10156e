"""`catalyst check`: are the settings sound, and does everything they name answer?"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalyst.errors import CatalystError

if TYPE_CHECKING:
    from catalyst.app.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `state` is ok, warning or failed."""

    what: str
    state: str
    detail: str


def check(
    offline: Annotated[bool, typer.Option("--offline", help="Look at settings and this machine only")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
) -> None:
    """Validate every setting and try what they name: data folder, port, EDGAR, model providers.

    Exit code 1 when anything failed. No model is called, so it costs nothing.
    """
    from catalyst.app.settings import load

    try:
        settings = load()
    except CatalystError as error:
        findings = [Finding("settings", "failed", fault) for fault in str(error).split("; ")]
    else:
        findings = [*_settings(settings), _data(settings.app.data_dir), _port(settings), *_exposure(settings)]
        findings += [] if offline else asyncio.run(_connections(settings))
    _show(findings, as_json)
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(1)


def _settings(settings: Settings) -> list[Finding]:
    from catalyst.app.names import WITHOUT_EFFECT

    found = [Finding("settings", "ok", "every value is well formed")]
    found += [Finding(name, "warning", f"no effect yet: {WITHOUT_EFFECT[name]}") for name in settings.idle]
    if not settings.filings.user_agent:
        found.append(Finding("SEC_USER_AGENT", "warning", "not set: only replays run (catalyst up --source sample)"))
    elif "@" not in settings.filings.user_agent:
        found.append(Finding("SEC_USER_AGENT", "warning", "holds no e-mail address: the SEC may refuse it"))
    return found


def _data(folder: Path) -> Finding:
    place = folder if folder.exists() else folder.absolute().parent
    try:
        with tempfile.NamedTemporaryFile(dir=place) as probe:
            probe.write(b"x" * 65536)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return Finding("data folder", "failed", f"{folder}: {error.strerror or error}; set CATALYST_DATA_DIR")
    return Finding("data folder", "ok", f"{folder} can be written")


def _port(settings: Settings) -> Finding:
    host, port = settings.web.host, settings.web.port
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return Finding("port", "ok", f"{host}:{port} is free")
    except OSError as error:
        detail = f"{host}:{port}: {error.strerror or error}; is catalyst running already? else set CATALYST_PORT"
        return Finding("port", "warning", detail)


def _exposure(settings: Settings) -> list[Finding]:
    from catalyst.app.build.gateway import KEYS
    from catalyst.web.auth import Keys, check_exposure
    from catalyst.web.keybook import KeyBook

    path = settings.app.data_dir / KEYS
    try:
        found = Keys.of(settings.web.api_keys, KeyBook(path) if path.exists() else None)
        check_exposure(settings.web, found)
    except CatalystError as error:
        return [Finding("access", "failed", str(error))]
    keys = len(found)
    return [Finding("access", "ok", f"{keys} API keys" if keys else "open to this machine only")]


async def _connections(settings: Settings) -> list[Finding]:
    return [*await _edgar(settings), *await _models(settings)]


async def _edgar(settings: Settings) -> list[Finding]:
    from catalyst.filings.feed import parse_feed
    from catalyst.http import Http

    if not settings.filings.user_agent:
        return []
    url = f"{settings.filings.base_url}/cgi-bin/browse-edgar?action=getcurrent&count=10&output=atom"
    try:
        async with Http(user_agent=settings.filings.user_agent) as http:
            page = parse_feed((await http.get(url, timeout_seconds=15.0)).body)
    except CatalystError as error:
        return [Finding("EDGAR", "failed", f"{error}; check the network and SEC_USER_AGENT")]
    return [Finding("EDGAR", "ok", f"{settings.filings.base_url} shows {len(page.entries)} rows")]


async def _models(settings: Settings) -> list[Finding]:
    from catalyst.app.build.hub import hub

    if not settings.app.use_models:
        return [Finding("models", "ok", "switched off (FEATURE_UNIFIED_LLM_SERVICE=0): rules only")]
    with tempfile.TemporaryDirectory() as folder:
        async with hub(settings, Path(folder)) as llm:
            if llm is None:
                return [Finding("models", "warning", "no key and no local server: analyses come from rules")]
            return [
                Finding(f"model provider {name}", "failed" if fault else "ok", fault or "answers, and takes the key")
                for name, fault in (await llm.check()).items()
            ]


def _show(findings: list[Finding], as_json: bool) -> None:
    if as_json:
        ok = all(finding.state != "failed" for finding in findings)
        print(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in findings]}))
        return
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{finding.state:<8}{finding.what:<{width + 2}}{finding.detail}", file=sys.stdout)
