"""What the service quotes, it can show: each verified quote of the sample day stands in the document that it serves."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.app.processes import free_port, started, wait_for

pytestmark = pytest.mark.slow


def test_every_verified_quote_stands_in_the_document_that_is_served(tmp_path: Path):
    port = free_port()
    base = f"http://127.0.0.1:{port}/api"
    with started("serve", "--speed", "max", "--port", str(port), cwd=tmp_path, log=tmp_path / "log") as process:
        wait_for(port, process)
        while _get(f"{base}/status")["filings"]["final"] < 25:
            pass
        quotes = 0
        for filing in _get(f"{base}/filings/recent?limit=100")["filings"]:
            document = _get(f"{base}/filings/by-id/{filing['filing_id']}/document")
            text = _plain("\n".join(part["text"] for part in document["parts"]))
            for fact in filing["analysis"]["facts"]:
                if fact["verified"] and fact["quote"]:
                    quotes += 1
                    assert _stands(_plain(fact["quote"]), text, filing["filing_type"]), (filing["filing_id"], fact)
    assert quotes > 20


def _stands(quote: str, text: str, form: str) -> bool:
    """Forms that are XML have no sentences: their quotes are rows made of fields, each of which stands there."""
    if form.removesuffix("/A") in ("3", "4", "5", "144", "D") or form.startswith("SCHEDULE"):
        return all(word.strip(":;,|()") in text for word in quote.split())
    return quote in text


def _plain(text: str) -> str:
    return " ".join(text.split())


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
