"""Fetch one submission: a streamed `.txt`, closed after the last wanted document, bounded in bytes and time.

Every try stands in a slot of the limiter. The pipeline decides what a failure means for the filing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from catalyst.clock import Clock
from catalyst.errors import NotFound, ParseError, TimedOut, TransportError, Unreachable
from catalyst.filings.forms import MAX_BYTES, SubmissionReader
from catalyst.filings.limiter import WALK_BACK, RateLimiter, Slot, fetch_rank
from catalyst.filings.types import Filing, Submission
from catalyst.http import Http

RETRIES_404 = (0.25, 0.5, 1.0, 2.0)
"""Seconds between tries: the feed shows a filing a moment before its text is everywhere."""


@dataclass(frozen=True, slots=True)
class _Got:
    """What one try brought; `whole` unless the bytes ended before the submission did."""

    submission: Submission
    whole: bool


class Fetcher:
    """Submissions of one EDGAR (`base_url`), one at a time or many at once."""

    def __init__(
        self,
        http: Http,
        limiter: RateLimiter,
        clock: Clock,
        base_url: str,
        *,
        timeout_seconds: float = 30.0,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._http = http
        self._limiter = limiter
        self._clock = clock
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout_seconds
        self._max_bytes = max_bytes
        self._log = structlog.get_logger()

    async def fetch(self, filing: Filing, score: float) -> Submission:
        """The submission, with `problems` where it is not whole after two tries; a higher score goes first.

        Raises TransportError when it cannot be had, ParseError when what came is not this filing.
        """
        first = await self._patient(filing, score)
        if first.whole:
            return first.submission
        self._log.info("fetch.truncated", accession=filing.accession)
        try:
            return (await self._patient(filing, score)).submission
        except (TransportError, ParseError):
            return first.submission

    def answered_since(self, moment: float) -> bool:
        """Whether EDGAR has answered anyone (a 404 is an answer) since `moment` of the clock."""
        return self._limiter.answered_at >= moment

    def url(self, filing: Filing) -> str:
        """Where the full text of a filing lies."""
        cik = filing.subject.cik.lstrip("0") or "0"
        accession = filing.accession
        return f"{self._base_url}/Archives/edgar/data/{cik}/{accession.replace('-', '')}/{accession}.txt"

    async def is_gone(self, filing: Filing) -> bool:
        """Whether EDGAR has neither the filing's index page nor its text: 404 for both. One alone proves nothing.

        Raises TransportError when that cannot be said.
        """
        page = self.url(filing).removesuffix(".txt") + "-index.htm"
        return not await self._is_there(page) and not await self._is_there(self.url(filing))

    async def _is_there(self, url: str) -> bool:
        try:
            async with self._limiter.slot(WALK_BACK):
                with self._clock.working():
                    await self._http.request("HEAD", url, timeout_seconds=self._timeout)
        except NotFound:
            return False
        return True

    async def _patient(self, filing: Filing, score: float) -> _Got:
        """One try, and more while EDGAR says 404."""
        for seconds in RETRIES_404:
            try:
                return await self._once(filing, score)
            except NotFound:
                await self._clock.sleep(seconds)
        return await self._once(filing, score)

    async def _once(self, filing: Filing, score: float) -> _Got:
        async with self._limiter.slot(fetch_rank(score)) as slot:
            with self._clock.working():
                return await self._read(filing, slot)

    async def _read(self, filing: Filing, slot: Slot) -> _Got:
        reader = SubmissionReader(filing.form, self._max_bytes)
        broken = ""
        try:
            await self._stream(self.url(filing), reader, slot)
        except (Unreachable, TimedOut) as error:
            if not reader.received:
                raise
            broken = str(error)
        whole = reader.done
        submission = reader.close()
        if submission.header.accession != filing.accession:
            raise ParseError(f"what came for {filing.accession} is not that filing: it is tried again later")
        if broken:
            submission = replace(submission, problems=(*submission.problems, f"truncated: {broken}"))
        return _Got(submission, whole)

    async def _stream(self, url: str, reader: SubmissionReader, slot: Slot) -> None:
        # The reader stops at `max_bytes` by itself and keeps what it has; the stream's own bound is a second fence.
        fence = 2 * self._max_bytes
        async with self._http.stream("GET", url, timeout_seconds=self._timeout, max_bytes=fence) as answer:
            slot.answered()
            await answer.check()
            async for chunk in answer.chunks():
                reader.feed(chunk)
                if reader.done:
                    break


__all__ = ["RETRIES_404", "Fetcher"]
