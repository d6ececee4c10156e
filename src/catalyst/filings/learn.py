"""What a filing's own text adds to its feed row, and what is said of one that EDGAR took away. Pure."""

from __future__ import annotations

from dataclasses import replace

from catalyst.filings.types import Filing, Header
from catalyst.stream.types import Analysis

WITHDRAWN = "EDGAR no longer holds this filing: neither its text nor its index page is there."


def learned(filing: Filing, header: Header) -> Filing:
    """The filing with the parties and items that only its header names.

    Where an index showed it, which tells neither roles nor times, the header's are the filing's.
    """
    known = {party.cik for party in filing.parties}
    parties = (*filing.parties, *(party for party in header.parties if party.cik not in known))
    items = tuple(dict.fromkeys((*filing.items, *header.items)))
    if filing.timed or header.accepted is None:
        return replace(filing, parties=parties, items=items)
    return replace(filing, parties=header.parties or parties, items=items, accepted=header.accepted, timed=True)


def taken_away(told: Analysis) -> Analysis:
    """The feed row's analysis under the words that EDGAR withdrew the filing."""
    events = list(dict.fromkeys(["withdrawn", *told.event_types]))
    return told.model_copy(update={"summary": WITHDRAWN, "event_types": events, "label": "neutral"})
