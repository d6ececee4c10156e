"""What the room passes around: an item as a wire gave it, a headline as we keep it, and what is asked of whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry of a feed, cleaned and bounded."""

    title: str
    url: str = ""
    guid: str = ""
    summary: str = ""
    published: datetime | None = None
    """Timezone-aware; None where the feed says nothing that can be read."""
    source: str = ""
    """The wire, in words."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A ticker that a text is about. `relevance` 0 to 1: how surely."""

    ticker: str
    relevance: float
    how: Literal["mark", "cashtag", "name"]


@dataclass(frozen=True, slots=True)
class Headline:
    """One story, as first told by one wire."""

    id: str
    """`N-` and 24 hexadecimal digits of the story's key and the moment it was first seen."""
    title: str
    source: str
    url: str
    published: datetime
    seen_at: datetime
    summary: str = ""
    mentions: tuple[Mention, ...] = ()

    @property
    def text(self) -> str:
        """What is scored: the title; a summary repeats it or is an advertisement."""
        return self.title
