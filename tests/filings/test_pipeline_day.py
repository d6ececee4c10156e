from __future__ import annotations

import math
from datetime import timedelta

import pytest

from catalyst.clock import SimClock
from catalyst.emulator import Recording
from tests.filings.rig import assert_exactly_once, watching


@pytest.mark.slow
@pytest.mark.corpus
async def test_the_recorded_friday_gives_2600_alerts_and_2600_final_messages(corpus, tmp_path):
    """Polled every 20 s to be quick; the page walk has the more to do. No fault, no refusal, no text unread."""
    recording = Recording.load(corpus / "edgar")
    assert recording.accessions == 2600
    clock = SimClock(recording.starts_at, math.inf)
    async with watching(recording, tmp_path, clock=clock, poll_seconds=20.0) as rig:
        await rig.run_until(recording.ends_at + timedelta(minutes=2))
        assert_exactly_once(await rig.messages(), [filing.accession for filing in recording.filings()])
        counters = rig.pipeline.counters
        assert (counters.alerts, counters.finals) == (2600, 2600)
        assert (counters.errors, counters.without_text, counters.unparsed, counters.repeated) == (0, 0, 0, 0)
        assert rig.server.limit.refused == 0
        assert rig.poller.state.rows_skipped == 0
