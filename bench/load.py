"""Users of REST and the gateway for locust, against any running service (docs/guides/testing.md, "Load").

    locust -f bench/load.py --headless --users 50 --spawn-rate 10 --run-time 60s --host http://127.0.0.1:8765

`Reader` asks as dashboards and bots do: recent filings, a page on, one filing, its ticker, again with the ETag.
`Asker` asks the gateway, every fourth time something that was asked before, every fifth as a stream. `KEY` is the API
key where one is asked for, `MODEL` the model's name (catalyst/simple). The exit code is 1 where any request failed.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import Any

from locust import HttpUser, between, task

KEY = os.environ.get("KEY", "")
MODEL = os.environ.get("MODEL", "catalyst/simple")
_NUMBERS = itertools.count(1)


class Reader(HttpUser):
    """Reads filings over REST."""

    weight = 3
    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        self.client.headers.update({"X-API-Key": KEY} if KEY else {})
        self._etag = ""
        self._known: list[dict[str, Any]] = []

    @task(5)
    def recent(self) -> None:
        headers = {"If-None-Match": self._etag} if self._etag else {}
        answer = self.client.get("/api/filings/recent?limit=50", headers=headers)
        if answer.status_code == 200:
            self._etag = answer.headers.get("etag", "")
            self._known = answer.json()["filings"]

    @task(2)
    def a_page_on(self) -> None:
        answer = self.client.get("/api/filings/recent?limit=5", name="/api/filings/recent?limit=5").json()
        if answer.get("next"):
            cursor = {"limit": 5, "cursor": answer["next"]}
            self.client.get("/api/filings/recent", params=cursor, name="/api/filings/recent?cursor=…")

    @task(2)
    def one(self) -> None:
        if self._known:
            filing = random.choice(self._known)["filing_id"]
            self.client.get(f"/api/filings/by-id/{filing}", name="/api/filings/by-id/{id}")

    @task(1)
    def of_a_ticker(self) -> None:
        if tickers := [filing["ticker"] for filing in self._known if filing["ticker"]]:
            self.client.get(f"/api/filings/{random.choice(tickers)}?limit=20", name="/api/filings/{ticker}")

    @task(1)
    def health(self) -> None:
        self.client.get("/api/status")
        self.client.get("/health/live")


class Asker(HttpUser):
    """Asks the gateway."""

    weight = 1
    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        self.client.headers.update({"Authorization": f"Bearer {KEY}"} if KEY else {})

    @task(10)
    def chat(self) -> None:
        self._ask("chat", f"Say hello in one short sentence. #{next(_NUMBERS)}")

    @task(5)
    def again(self) -> None:
        self._ask("chat, asked before", "Say hello in one short sentence.")

    @task(4)
    def stream(self) -> None:
        self._ask("chat, streamed", f"Say hello in one short sentence. #{next(_NUMBERS)}", stream=True)

    @task(1)
    def models(self) -> None:
        self.client.get("/v1/models")

    def _ask(self, name: str, text: str, **more: Any) -> None:
        body = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": text}], **more}
        self.client.post("/v1/chat/completions", json=body, name=name)
