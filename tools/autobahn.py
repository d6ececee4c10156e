"""Autobahn|Testsuite, cases 1 to 7 and 10, against the protocol class that clients of the stream connect to.

    WSTEST=/path/to/wstest python -m tools.autobahn [OUT]

Needs `wstest` 25.10.1 (`pip install autobahntestsuite` under a Python 2.7), as WSTEST or on the path. An application
that echoes stands on `DirectProtocol` with the service's own settings, but for the length of a message (the cases send
128 KiB where the service takes 32) and deflate, which is off there too. Ends with 1 when a case fails that `KNOWN` does
not name.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvicorn

from catalyst.web.protocol import DirectProtocol

CASES = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*")
KNOWN = {
    "7.1.5": "websockets takes a close frame inside a fragmented message for a protocol error: 1002 instead of 1000"
}
"""Failures of the pinned library, each with what it does."""
SECONDS = 300


def wstest() -> str | None:
    """The fuzzing client, where this machine has one."""
    return os.environ.get("WSTEST") or shutil.which("wstest")


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Send back what comes."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send(event | {"type": "websocket.send"})


def verdicts(client: str, out: Path) -> dict[str, dict[str, Any]]:
    """Run all cases; what Autobahn says of each, by its name. Its pages lie in `out`."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = {"agent": "catalyst", "url": f"ws://127.0.0.1:{listening.getsockname()[1]}"}
    spec = {"outdir": str(out), "servers": [server], "cases": list(CASES)}
    out.mkdir(parents=True, exist_ok=True)
    (out / "plan.json").write_text(json.dumps(spec | {"exclude-cases": [], "exclude-agent-cases": {}}))
    asyncio.run(_served(listening, client, out / "plan.json"))
    found: dict[str, dict[str, Any]] = json.loads((out / "index.json").read_text())["catalyst"]
    return found


async def _served(listening: socket.socket, client: str, plan: Path) -> None:
    """Run the fuzzing client by that plan, against the echo on that socket."""
    options: dict[str, Any] = {"ws_ping_interval": 10, "ws_ping_timeout": 10, "ws_per_message_deflate": False}
    config = uvicorn.Config(echo, ws=DirectProtocol, lifespan="off", log_config=None, ws_max_size=1 << 18, **options)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        await _fuzz(client, plan)
    finally:
        server.should_exit = True
        await serving


async def _fuzz(client: str, plan: Path) -> None:
    quiet = asyncio.subprocess.DEVNULL
    run = await asyncio.create_subprocess_exec(client, "-m", "fuzzingclient", "-s", str(plan), stdout=quiet)
    try:
        await asyncio.wait_for(run.wait(), SECONDS)
    finally:
        if run.returncode is None:
            run.kill()
            await run.wait()


def failed(found: dict[str, dict[str, Any]]) -> set[str]:
    """Cases that did not go as RFC 6455 asks; `NON-STRICT` and `INFORMATIONAL` are allowed by it."""
    bad = ("FAILED", "WRONG CODE", "UNCLEAN", "FAILED BY CLIENT")
    return {name for name, case in found.items() if case["behavior"] in bad or case["behaviorClose"] in bad}


def main() -> int:
    client = wstest()
    if client is None:
        print("no wstest: name it with WSTEST, or pip install autobahntestsuite under a Python 2.7", file=sys.stderr)
        return 2
    out = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="autobahn-")).resolve()
    found = verdicts(client, out)
    by_verdict: dict[str, list[str]] = {}
    for name, case in found.items():
        by_verdict.setdefault(case["behavior"], []).append(name)
    for verdict, names in sorted(by_verdict.items()):
        print(f"{verdict:14} {len(names):4}  {'' if verdict == 'OK' else ' '.join(names)}")
    for name in sorted(failed(found)):
        print(f"{name}: {KNOWN.get(name, 'not known: see the report')}")
    print(f"report: {out / 'index.html'}")
    return 1 if failed(found) - set(KNOWN) else 0


if __name__ == "__main__":
    sys.exit(main())
