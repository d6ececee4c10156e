"""What one call over a dialect costs in CPU, beside raw aiohttp and the vendors' own packages.

    python -m bench.wire [--quick] [--upstream FILE] [-c 1 64] [-n 3000]

`--upstream` is any script that serves the three formats on `--port N`. Each client runs in a process of its own under
uvloop and reads text and usage of one short answer. CPU is user + system of that process, best of three.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from bench.common import ROOT, report, say
from bench.hub import PROMPT, SYSTEM, UPSTREAM, Call, child_environ, loaded, upstream

MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash"}
PEERS = {"openai": "openai_sdk", "anthropic": "anthropic_sdk", "gemini": "genai_sdk"}
KEY = "sk-bench"
USER: Any = {"role": "user", "content": PROMPT}
TURNS: Any = [{"role": "system", "content": SYSTEM}, USER]


async def ours(name: str, base: str, stack: contextlib.AsyncExitStack) -> Call:
    from catalyst.http import Http
    from catalyst.llm.providers import PROVIDERS, make_provider
    from catalyst.llm.types import Call as Asked
    from catalyst.llm.types import Message

    http = await stack.enter_async_context(Http(per_host=100))
    provider = make_provider(PROVIDERS[name], http, KEY, f"{base}/v1")
    turns = (Message(role="system", content=SYSTEM), Message(role="user", content=PROMPT))
    asked = Asked(MODELS[name], turns, 64, 0.7)

    async def call() -> object:
        answer = await provider.complete(asked)
        return answer.text, answer.usage.output

    return call


async def raw_aiohttp(base: str, stack: contextlib.AsyncExitStack) -> Call:
    import aiohttp

    session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    body = {"model": MODELS["openai"], "messages": TURNS, "max_tokens": 64}
    headers = {"authorization": f"Bearer {KEY}"}

    async def call() -> object:
        async with session.post(f"{base}/v1/chat/completions", json=body, headers=headers) as response:
            answer = await response.json()
        return answer["choices"][0]["message"]["content"], answer["usage"]["completion_tokens"]

    return call


async def openai_sdk(base: str, stack: contextlib.AsyncExitStack) -> Call:
    import openai

    client = await stack.enter_async_context(openai.AsyncOpenAI(api_key=KEY, base_url=f"{base}/v1", max_retries=0))

    async def call() -> object:
        answer = await client.chat.completions.create(model=MODELS["openai"], messages=TURNS, max_tokens=64)
        assert answer.usage
        return answer.choices[0].message.content, answer.usage.completion_tokens

    return call


async def anthropic_sdk(base: str, stack: contextlib.AsyncExitStack) -> Call:
    import anthropic

    client = await stack.enter_async_context(anthropic.AsyncAnthropic(api_key=KEY, base_url=base, max_retries=0))

    async def call() -> object:
        answer = await client.messages.create(model=MODELS["anthropic"], system=SYSTEM, messages=[USER], max_tokens=64)
        return answer.content[0], answer.usage.output_tokens

    return call


async def genai_sdk(base: str, stack: contextlib.AsyncExitStack) -> Call:
    from google import genai
    from google.genai import types

    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=base))
    stack.push_async_callback(client.aio.aclose)
    config = types.GenerateContentConfig(system_instruction=SYSTEM, max_output_tokens=64)

    async def call() -> object:
        answer = await client.aio.models.generate_content(model=MODELS["gemini"], contents=PROMPT, config=config)
        assert answer.usage_metadata
        return answer.text, answer.usage_metadata.candidates_token_count

    return call


async def measure(kind: str, base: str, concurrency: int, count: int) -> float:
    """CPU milliseconds a call of one client, best of three runs."""
    makers = {"aiohttp": raw_aiohttp, "openai_sdk": openai_sdk, "anthropic_sdk": anthropic_sdk, "genai_sdk": genai_sdk}
    async with contextlib.AsyncExitStack() as stack:
        call = await (makers[kind](base, stack) if kind in makers else ours(kind, base, stack))
        await loaded(call, concurrency, max(200, concurrency * 4))
        runs = [await loaded(call, concurrency, count) for _ in range(3)]
    return round(min(cpu for cpu, _ in runs), 4)


def child(kind: str, base: str, concurrency: int, count: int) -> float:
    command = [sys.executable, "-m", "bench.wire", "--child", kind, base, str(concurrency), str(count)]
    done = subprocess.run(command, cwd=ROOT, env=child_environ(), stdout=subprocess.PIPE, check=True)
    return float(done.stdout.splitlines()[-1])


def run_child(kind: str, base: str, concurrency: str, count: str) -> None:
    import uvloop

    warnings.simplefilter("ignore")
    print(json.dumps(uvloop.run(measure(kind, base, int(concurrency), int(count)))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls")
    parser.add_argument("--upstream", type=Path, default=UPSTREAM, help="a script that serves --port N")
    parser.add_argument("-c", type=int, nargs="+", default=[1, 64], help="calls in flight")
    parser.add_argument("-n", type=int, default=3000, help="calls a run")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_child(*options.child)
        return
    count = options.n // 10 if options.quick else options.n
    figures: dict[str, float] = {}
    peers: dict[str, float] = {}
    with upstream(options.upstream) as base:
        for concurrency in options.c:
            for kind in (*MODELS, "aiohttp", *PEERS.values()):
                cpu = child(kind, base, concurrency, count)
                say(f"{kind} at {concurrency}: {cpu} ms")
                (figures if kind in MODELS else peers)[f"cpu_ms_{kind}_c{concurrency}"] = cpu
    most = f"c{max(options.c)}"
    for name, peer in PEERS.items():
        figures[f"ratio_{peer}"] = round(peers[f"cpu_ms_{peer}_{most}"] / figures[f"cpu_ms_{name}_{most}"], 2)
    figures["ratio_direct"] = round(figures[f"cpu_ms_openai_{most}"] / peers[f"cpu_ms_aiohttp_{most}"], 2)
    report("wire", figures, peers=peers, settings={"c": options.c, "n": count, "upstream": options.upstream})


if __name__ == "__main__":
    main()
