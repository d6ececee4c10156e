"""Write deploy/grafana/dashboards/*.json from the table below: `python tools/make_dashboards.py`.

A panel is (title, unit, queries); a query is (legend, PromQL). Every metric is one that a running service shows, which
tests/deploy checks; that the files are what this writes is checked too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "deploy" / "grafana" / "dashboards"
Query = tuple[str, str]
Panel = tuple[str, str, tuple[Query, ...]]

_RATE = "[$__rate_interval]"


def _sum(by: str, metric: str) -> str:
    return f"sum by ({by}) (rate({metric}{_RATE}))"


def _quantile(share: float, metric: str, by: str = "") -> str:
    return f"histogram_quantile({share}, sum by (le{', ' + by if by else ''}) (rate({metric}_bucket{_RATE})))"


DASHBOARDS: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "filings": (
        "Catalyst: filings and stream",
        (
            (
                "Filings told a minute",
                "short",
                (("{{source}}", "60 * " + _sum("source", "catalyst_filing_alerts_total")),),
            ),
            (
                "From first sight to alert",
                "s",
                (
                    ("p50", "max(catalyst_filing_alert_delay_p50_seconds)"),
                    ("p95", "max(catalyst_filing_alert_delay_p95_seconds)"),
                ),
            ),
            ("Lag behind EDGAR's acceptance", "s", (("lag", "max(catalyst_edgar_lag_seconds)"),)),
            (
                "Polls of EDGAR a second",
                "short",
                (
                    ("polls", "sum(rate(catalyst_edgar_polls_total[5m]))"),
                    ("pages", "sum(rate(catalyst_edgar_pages_total[5m]))"),
                ),
            ),
            (
                "Refused by EDGAR",
                "short",
                (("stopped", "max(catalyst_edgar_stopped)"), ("times", "sum(catalyst_edgar_refusals_total)")),
            ),
            (
                "What did not go as it should",
                "short",
                (("{{kind}}", "sum by (kind) (increase(catalyst_filing_troubles_total[1h]))"),),
            ),
            (
                "Found by other lists",
                "short",
                (("{{source}}", "sum by (source) (increase(catalyst_reconcile_found_total[1h]))"),),
            ),
            ("Told to the end", "short", (("finals", "sum(rate(catalyst_filing_finals_total[5m])) * 60"),)),
            ("WebSocket clients", "short", (("{{instance}}", "sum by (instance) (catalyst_stream_clients)"),)),
            ("Messages to clients a second", "short", (("messages", "sum(rate(catalyst_stream_messages_total[1m]))"),)),
            (
                "Connections closed, by code",
                "short",
                (("{{code}}", "sum by (code) (increase(catalyst_stream_closed_total[15m]))"),),
            ),
            ("Head of the log", "short", (("{{instance}}", "max by (instance) (catalyst_stream_head)"),)),
        ),
    ),
    "llm": (
        "Catalyst: LLM service",
        (
            (
                "Attempts a second",
                "short",
                (("{{provider}}/{{model}}", _sum("provider, model", "catalyst_llm_calls_total")),),
            ),
            ("Outcomes", "short", (("{{outcome}}", _sum("outcome", "catalyst_llm_calls_total")),)),
            (
                "Latency",
                "s",
                (
                    ("p50 {{model}}", _quantile(0.5, "catalyst_llm_latency_seconds", "model")),
                    ("p95 {{model}}", _quantile(0.95, "catalyst_llm_latency_seconds", "model")),
                ),
            ),
            ("Tokens a second", "short", (("{{model}} {{kind}}", _sum("model, kind", "catalyst_llm_tokens_total")),)),
            (
                "Circuits (2 is open)",
                "short",
                (("{{provider}}/{{model}}", "max by (provider, model) (catalyst_llm_breaker_state)"),),
            ),
            (
                "Again and elsewhere",
                "short",
                (
                    ("retries", "sum(rate(catalyst_llm_retries_total[5m]))"),
                    ("fallbacks", "sum(rate(catalyst_llm_fallbacks_total[5m]))"),
                ),
            ),
            ("Targets skipped", "short", (("{{provider}}", _sum("provider", "catalyst_llm_skipped_total")),)),
            (
                "Gateway requests a second",
                "short",
                (("{{surface}} {{status}}", _sum("surface, status", "catalyst_gateway_requests_total")),),
            ),
        ),
    ),
    "cache": (
        "Catalyst: cache",
        (
            ("Hits a second, by kind", "short", (("{{kind}}", _sum("kind", "catalyst_llm_cache_hits_total")),)),
            (
                "Hits a second, by level",
                "short",
                (("{{level}}", _sum("level", "catalyst_llm_cache_level_hits")),),
            ),
            (
                "False hits among audited, with the interval",
                "percentunit",
                (("{{bound}}", "max by (bound) (catalyst_llm_cache_false_hit_rate)"),),
            ),
            ("Audits", "short", (("{{outcome}}", "sum by (outcome) (catalyst_llm_cache_audits)"),)),
            ("Saved", "currencyUSD", (("saved", "sum(increase(catalyst_llm_cache_saved_usd[1d]))"),)),
            ("What else the cache did", "short", (("{{event}}", _sum("event", "catalyst_llm_cache_events")),)),
        ),
    ),
    "limits": (
        "Catalyst: limits",
        (
            ("Requests waiting", "short", (("{{queue}}", "max by (queue) (catalyst_llm_queue_depth)"),)),
            ("Wait for a tenant's turn", "s", (("p95", _quantile(0.95, "catalyst_llm_quota_wait_seconds")),)),
            ("Refused by limits", "short", (("refused", "sum(increase(catalyst_llm_quota_refusals_total[5m]))"),)),
            ("Refused for money", "short", (("refused", "sum(increase(catalyst_llm_budget_refusals_total[5m]))"),)),
        ),
    ),
    "cost": (
        "Catalyst: cost",
        (
            (
                "Spent an hour, by model",
                "currencyUSD",
                (("{{provider}}/{{model}}", "sum by (provider, model) (increase(catalyst_llm_cost_usd_total[1h]))"),),
            ),
            ("Spent a day", "currencyUSD", (("spent", "sum(increase(catalyst_llm_cost_usd_total[1d]))"),)),
            ("This month's money", "currencyUSD", (("{{state}}", "max by (state) (catalyst_llm_budget_usd)"),)),
            ("Soft limits passed", "short", (("{{kind}}", "sum by (kind) (catalyst_llm_budget_alerts_total)"),)),
        ),
    ),
    "bot": (
        "Catalyst: the bot",
        (
            ("Messages a minute", "short", (("{{tier}}", "60 * " + _sum("tier", "catalyst_bot_posts_total")),)),
            (
                "From entering the outbox to Discord's acceptance",
                "s",
                (
                    ("p50 {{tier}}", _quantile(0.5, "catalyst_bot_delay_seconds", "tier")),
                    ("p95 {{tier}}", _quantile(0.95, "catalyst_bot_delay_seconds", "tier")),
                ),
            ),
            ("Rows that wait", "short", (("{{kind}}", "sum by (kind) (catalyst_bot_queue)"),)),
            ("How alerts ended", "short", (("{{state}}", _sum("state", "catalyst_bot_ends_total")),)),
            (
                "Not accepted",
                "short",
                (
                    ("doubtful: {{doubtful}}", "sum by (doubtful) (increase(catalyst_bot_failures_total[5m]))"),
                    ("429, {{scope}}", "sum by (scope) (increase(catalyst_bot_limited_total[5m]))"),
                    ("may stand twice", "sum(increase(catalyst_bot_possible_duplicates_total[5m]))"),
                ),
            ),
            (
                "Edits and digests",
                "short",
                (
                    ("edits a minute", "60 * sum(rate(catalyst_bot_edits_total[5m]))"),
                    ("merged a minute", "60 * sum(rate(catalyst_bot_merged_total[5m]))"),
                    ("received a minute", "60 * sum(rate(catalyst_bot_received_total[5m]))"),
                ),
            ),
            ("Places", "short", (("{{state}}", "sum by (state) (catalyst_bot_targets)"),)),
            ("Follows the service", "short", (("{{instance}}", "min by (instance) (catalyst_bot_following)"),)),
        ),
    ),
}


def panel(number: int, spec: Panel) -> dict[str, Any]:
    """One time series."""
    title, unit, queries = spec
    source = {"type": "prometheus", "uid": "prometheus"}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": source,
        "gridPos": {"x": 12 * (number % 2), "y": 8 * (number // 2), "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(65 + place), "datasource": source, "expr": expr, "legendFormat": legend}
            for place, (legend, expr) in enumerate(queries)
        ],
    }


def dashboard(name: str) -> str:
    """The file of one dashboard."""
    title, panels = DASHBOARDS[name]
    board = {
        "uid": f"catalyst-{name}",
        "title": title,
        "tags": ["catalyst"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "panels": [panel(number, spec) for number, spec in enumerate(panels)],
    }
    return json.dumps(board, indent=1) + "\n"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(dashboard(name))


if __name__ == "__main__":
    main()
