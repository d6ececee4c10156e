"""A small recording written by hand, and a way to ask an emulator about it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from catalyst.clock import NEW_YORK, SimClock
from catalyst.emulator import EmulatorServer, Recording
from catalyst.filings.feed import FeedPage, parse_feed

AGENT = {"User-Agent": "Test Person test@example.com"}
DAY = "2025-06-10"


def entry(
    accession: str,
    form: str,
    name: str,
    updated: str,
    *,
    cik: str = "0009000001",
    role: str = "Filer",
    filed: str = DAY,
    items: tuple[str, ...] = (),
) -> str:
    """One feed row; `updated` is `HH:MM:SS` of the day or a full time."""
    moment = updated if "T" in updated else f"{DAY}T{updated}"
    lines = "".join(f"\n&lt;br&gt;Item {item}" for item in items)
    plain = accession.replace("-", "")
    return (
        f"<entry>\n<title>{form} - {name} ({cik}) ({role})</title>\n"
        f'<link rel="alternate" type="text/html" href="https://www.sec.gov/Archives/edgar/data/{int(cik)}/{plain}/'
        f'{accession}-index.htm"/>\n<summary type="html">\n'
        f" &lt;b&gt;Filed:&lt;/b&gt; {filed} &lt;b&gt;AccNo:&lt;/b&gt; "
        f"{accession} &lt;b&gt;Size:&lt;/b&gt; 9 KB{lines}\n</summary>\n<updated>{moment}-04:00</updated>\n"
        f'<category scheme="https://www.sec.gov/" label="form type" term="{form}"/>\n'
        f"<id>urn:tag:sec.gov,2008:accession-number={accession}</id>\n</entry>\n"
    )


ROWS = (
    entry("0009000009-25-000009", "10-Q", "Late Co", "17:00:00"),
    entry("0009000007-25-000007", "8-K/A", "Ash Co", "15:30:00", items=("8.01: Other Events",)),
    entry("0009000005-25-000005", "4", "Roe Jane", "12:00:00", cik="0009000051", role="Reporting"),
    entry("0009000005-25-000005", "4", "Oak Co", "12:00:00", cik="0009000052", role="Issuer"),
    entry("0009000003-25-000003", "8-K", "Elm &amp; Sons", "09:30:00", items=("2.02: Results", "9.01: Exhibits")),
    entry("0009000002-25-000002", "424B2", "Bank Co", "06:30:00"),
    entry("0009000008-25-000008", "8-K", "Dawn Co", "05:00:00", items=("1.01: Agreement",)),
    entry("0009000001-25-000001", "8-K", "Eve Co", "2025-06-09T18:45:00", items=("4.02: Non-Reliance",)),
    entry("0009000004-25-000004", "3", "Old Co", "2025-06-09T18:00:00", filed="2025-06-09", role="Issuer"),
)

RECORDED_8K = """<SEC-DOCUMENT>0009000777-20-000001.txt : 20200101
<SEC-HEADER>0009000777-20-000001.hdr.sgml : 20200101
<ACCEPTANCE-DATETIME>20200101101010
ACCESSION NUMBER:		0009000777-20-000001
CONFORMED SUBMISSION TYPE:	8-K
ITEM INFORMATION:		Other Events
FILER:
	COMPANY DATA:
		COMPANY CONFORMED NAME:			Recorded Co
		CENTRAL INDEX KEY:			0009000777
</SEC-HEADER>
<DOCUMENT>
<TYPE>8-K
<SEQUENCE>1
<FILENAME>r8k.htm
<DESCRIPTION>8-K
<TEXT>
<html><body>Item 2.02 recorded body</body></html>
</TEXT>
</DOCUMENT>
<DOCUMENT>
<TYPE>EX-99.1
<SEQUENCE>2
<FILENAME>ex991.htm
<TEXT>
Revenue was $5.0 million.
</TEXT>
</DOCUMENT>
</SEC-DOCUMENT>
"""

FORM_4 = (
    '<?xml version="1.0"?><ownershipDocument><issuer><issuerCik>0001111111</issuerCik><issuerName>Other</issuerName>'
    "</issuer><reportingOwner><rptOwnerCik>0002222222</rptOwnerCik><rptOwnerName>Someone</rptOwnerName>"
    "</reportingOwner></ownershipDocument>"
)


def page(rows: tuple[str, ...]) -> str:
    head = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
    return f"{head}<title>Latest Filings</title>\n{''.join(rows)}</feed>\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine rows over two days; a recorded 8-K, a recorded Form 4 document, and one filing recorded itself."""
    place = tmp_path / "recording"
    feeds, texts, owners = place / "feeds" / "getcurrent", place / "filings" / "submission", place / "filings"
    for one in (feeds, texts, owners / "ownership_xml"):
        one.mkdir(parents=True)
    # Two pages that overlap by one row, as a moving feed's do.
    (feeds / "getcurrent__walk__start-00000.xml").write_text(page(ROWS[:5]), "iso-8859-1")
    (feeds / "getcurrent__walk__start-00005.xml").write_text(page(ROWS[4:]), "iso-8859-1")
    (texts / "8-K__0009000777-20-000001.txt").write_text(RECORDED_8K)
    own = RECORDED_8K.replace("<TYPE>8-K", "<TYPE>424B2").replace("0009000777-20-000001", "0009000002-25-000002")
    (texts / "424B2__0009000002-25-000002.txt").write_text(own)
    (owners / "ownership_xml" / "4__0009000778-20-000001.xml").write_text(FORM_4)
    return place


@pytest.fixture
def recording(folder: Path) -> Recording:
    return Recording.load(folder)


def new_york(text: str, day: str = DAY) -> datetime:
    return datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=NEW_YORK)


@dataclass
class Asked:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Edgar:
    """An emulator and a declared client."""

    server: EmulatorServer
    clock: SimClock
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Asked:
        async with self.session.get(self.server.url + path, headers={**AGENT, **headers}) as answer:
            return Asked(answer.status, dict(answer.headers), await answer.read())

    async def feed(self, **params: str | int) -> FeedPage:
        query = "&".join(f"{name}={value}" for name, value in params.items())
        answer = await self.get(f"/cgi-bin/browse-edgar?action=getcurrent&output=atom&{query}")
        assert answer.status == 200
        return parse_feed(answer.body)

    async def to(self, moment: datetime) -> None:
        """Let simulated time come to a moment."""
        await self.clock.sleep((moment - self.clock.now()).total_seconds())


Opens = Callable[..., contextlib.AbstractAsyncContextManager[Edgar]]


@pytest.fixture
def edgar() -> Opens:
    """`async with edgar(recording, at)`; at infinite speed the clock stands still between sleeps."""

    @contextlib.asynccontextmanager
    async def opened(
        recording: Recording, at: datetime, speed: float = math.inf, **options: object
    ) -> AsyncIterator[Edgar]:
        clock = SimClock(at, speed)
        options.setdefault("limit", None)
        async with (
            EmulatorServer(recording, clock, **options) as server,  # type: ignore[arg-type]
            aiohttp.ClientSession() as session,
        ):
            yield Edgar(server, clock, session)

    return opened
