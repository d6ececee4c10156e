"""The room's Prometheus metrics, read from the desk when they are scraped."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from catalyst.news.desk import NewsDesk

_COUNTS = {
    "stories": "Stories seen for the first time.",
    "repeats": "Headlines that were a story already known.",
    "too_old": "Headlines older than the age limit.",
    "alerts": "First messages of headlines.",
    "updates": "Last messages that followed an alert.",
    "read_by_model": "Headlines that a model judged.",
    "model_failures": "Headlines that a model was asked about in vain.",
    "errors": "Headlines that could not be told, by a fault of ours.",
    "not_asked": "Alerted headlines ended by rules: they had waited too long.",
}


class NewsCollector(Collector):
    """Register it once."""

    def __init__(self, desk: NewsDesk) -> None:
        self._desk = desk

    def collect(self) -> Iterator[Metric]:
        """What a scrape shows."""
        for name, text in _COUNTS.items():
            yield CounterMetricFamily(f"catalyst_news_{name}", text, value=self._desk.counts[name])
        states = [source.state for source in self._desk.sources]
        polls = sum(state.polls for state in states)
        yield CounterMetricFamily("catalyst_news_polls", "Polls of feeds that succeeded.", value=polls)
        failed = sum(state.failed for state in states)
        yield CounterMetricFamily("catalyst_news_poll_failures", "Polls of feeds that failed.", value=failed)
        failing = sum(state.failures > 0 for state in states)
        yield GaugeMetricFamily("catalyst_news_feeds_failing", "Feeds whose last poll failed.", value=failing)
