"""The room's Prometheus metrics, read from the poller's state and the pipeline's counters when they are scraped."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from catalyst.filings.limiter import RateLimiter
from catalyst.filings.pipeline import Pipeline
from catalyst.filings.reconcile import SOURCES, Reconciler
from catalyst.filings.watch import Poller


class FilingsCollector(Collector):
    """Register it once: `registry.register(FilingsCollector(poller, pipeline, reconciler, limiter))`."""

    def __init__(self, poller: Poller, pipeline: Pipeline, reconciler: Reconciler, limiter: RateLimiter) -> None:
        self._poller = poller
        self._pipeline = pipeline
        self._reconciler = reconciler
        self._limiter = limiter

    def collect(self) -> Iterator[Metric]:
        """What a scrape shows."""
        watch, counters = self._poller.state, self._pipeline.counters
        yield CounterMetricFamily("catalyst_edgar_polls", "Polls of the feed that succeeded.", value=watch.polls)
        yield CounterMetricFamily("catalyst_edgar_pages", "Pages of the feed read.", value=watch.pages)
        yield GaugeMetricFamily("catalyst_edgar_failures", "Polls that failed in a row, now.", value=watch.failures)
        yield CounterMetricFamily("catalyst_edgar_refusals", "Times that EDGAR refused us.", value=self._limiter.stops)
        refused = float(self._limiter.stopped_for > 0)
        yield GaugeMetricFamily("catalyst_edgar_stopped", "1 while EDGAR refuses us.", value=refused)
        if watch.lag_seconds is not None:
            text = "Seconds from EDGAR's acceptance of the newest filing to the poll that showed it."
            yield GaugeMetricFamily("catalyst_edgar_lag_seconds", text, value=watch.lag_seconds)
        alerts = CounterMetricFamily("catalyst_filing_alerts", "First messages of filings.", labels=["source"])
        alerts.add_metric(["feed"], counters.alerts_from_feed)
        alerts.add_metric(["rules"], counters.alerts_from_rules)
        yield alerts
        troubles = CounterMetricFamily("catalyst_filing_troubles", "What did not go as it should.", labels=["kind"])
        for kind in ("deferred", "without_text", "unparsed", "model_failures", "errors"):
            troubles.add_metric([kind], getattr(counters, kind))
        yield troubles
        yield from self._compared()
        yield CounterMetricFamily(
            "catalyst_filings_withdrawn", "Filings that EDGAR took away.", value=counters.withdrawn
        )
        yield CounterMetricFamily("catalyst_filing_finals", "Filings told to the end.", value=counters.finals)
        for share in (0.5, 0.95):
            delay = counters.delay(share)
            if delay is not None:
                name = f"catalyst_filing_alert_delay_p{share * 100:.0f}_seconds"
                yield GaugeMetricFamily(name, "From first sight to alert, newest 2,048 filings.", value=delay)

    def _compared(self) -> Iterator[Metric]:
        state = self._reconciler.state
        told = (
            ("checks", "Comparisons with EDGAR's other lists.", state.checks),
            ("failures", "Comparisons that failed.", state.failures),
            ("found", "Filings that only another list showed.", state.found),
        )
        for name, text, counts in told:
            family = CounterMetricFamily(f"catalyst_reconcile_{name}", text, labels=["source"])
            for source in SOURCES:
                family.add_metric([source], counts[source])
            yield family
