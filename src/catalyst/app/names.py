"""Every environment name: what it is for, its default, and the group it stands under in `.env.example`.

The names are a contract with operators (spec.md): they are never renamed, and one that is read but does nothing yet
says so once at start.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """One setting as the operator sees it."""

    group: str
    default: str
    help: str
    secret: bool = False


_EDGAR, _NEWS, _PROCESS, _WEB, _LIMITS_SHARED, _KEYS, _ROUTE, _LOCAL, _LIMITS, _MONEY, _CACHE, _ENRICH = (
    "EDGAR",
    "Headlines",
    "This process",
    "Web service",
    "Several processes or machines",
    "Model providers (a provider without a key is not used)",
    "Routing and resilience",
    "Local models",
    "Limits per tenant",
    "Money",
    "Answer cache",
    "Enrichment",
)

_PRICES = "Prices and charts (a source without a key is not asked; none: alerts come without prices)"

NAMES: dict[str, Name] = {
    "SEC_USER_AGENT": Name(_EDGAR, "", "Your name and e-mail, as the SEC asks; without it only replays run"),
    "EDGAR_POLL_INTERVAL": Name(_EDGAR, "", "Seconds between polls; empty adapts to New York's clock (1, 2 or 60)"),
    "EDGAR_BACKFILL_MINUTES": Name(_EDGAR, "15", "On the very first start, how old a filing may be to be told of"),
    "EDGAR_BASE_URL": Name(_EDGAR, "https://www.sec.gov", "Where EDGAR is; an emulator's address in tests"),
    "EDGAR_SEARCH_URL": Name(_EDGAR, "https://efts.sec.gov", "Where full-text search is; an emulator has it too"),
    "WATCHLIST": Name(_EDGAR, "", "Tickers that are always alerted at once, AAPL,MSFT"),
    "NEWS_FEEDS": Name(_NEWS, "", "RSS or Atom addresses, or .jsonl files, comma-separated"),
    "NEWS_POLL_INTERVAL": Name(_NEWS, "30", "Seconds between two polls of a feed"),
    "FEATURE_LLM_CLASSIFIER": Name(_NEWS, "1", "0: headlines are judged by rules alone"),
    "MISTRAL_MIN_PRESCALE": Name(_NEWS, "0.20", "Relevance from which a model sees a headline; mandatory words pass"),
    "MISTRAL_BATCH_SIZE": Name(_NEWS, "5", "Headlines that go to a model at once; more under backlog"),
    "MISTRAL_BATCH_DELAY": Name(_NEWS, "2.0", "Seconds between two such batches; high priority does not wait"),
    "CATALYST_DATA_DIR": Name(_PROCESS, "data", "Where databases and caches lie"),
    "CATALYST_TIMEZONE": Name(_PROCESS, "UTC", "Days and months of budgets begin at midnight here"),
    "CATALYST_LOG_LEVEL": Name(_PROCESS, "warning", "debug, info, warning or error"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": Name(_PROCESS, "", "An OTLP/HTTP collector that gets traces, http://127.0.0.1:4318"),
    "OTEL_TRACES_EXPORTER": Name(_PROCESS, "", "otlp, console or none; empty: otlp where an endpoint is set"),
    "OTEL_EXPORTER_OTLP_HEADERS": Name(_PROCESS, "", "Headers for the collector, name=value,name=value", True),
    "OTEL_SERVICE_NAME": Name(_PROCESS, "catalyst", "What traces call this process"),
    "CATALYST_LOG_FORMAT": Name(_PROCESS, "console", "console or json"),
    "FEATURE_UNIFIED_LLM_SERVICE": Name(_PROCESS, "1", "0 switches all models off: analyses come from rules"),
    "CATALYST_HOST": Name(_WEB, "127.0.0.1", "Address to bind; beyond loopback needs CATALYST_API_KEYS"),
    "CATALYST_PORT": Name(_WEB, "8765", "Port of REST, WebSocket and dashboard"),
    "CATALYST_API_KEYS": Name(_WEB, "", "Keys that clients may use, comma-separated; none on loopback: open", True),
    "CATALYST_API_KEY": Name(_WEB, "", "The key that `catalyst tail` and other clients present", True),
    "SEC_DIGESTER_URL": Name(_WEB, "ws://127.0.0.1:8765", "The service that `catalyst tail` and other clients follow"),
    "CATALYST_CORS_ORIGINS": Name(_WEB, "", "Origins that browsers may call from, comma-separated"),
    "GATEWAY_MAX_BODY_BYTES": Name(_WEB, "4194304", "Most bytes of a request to /v1"),
    "GATEWAY_MAX_TOKENS": Name(_WEB, "4096", "Most output tokens of a request to /v1 that names no limit"),
    "GATEWAY_CACHE": Name(_WEB, "exact", "exact, semantic or off: how far answers at /v1 are used again"),
    "GATEWAY_TIMEOUT_SECONDS": Name(_WEB, "120", "One deadline of a request to /v1 over all retries and fallbacks"),
    "REDIS_URL": Name(_LIMITS_SHARED, "", "Shares log, ledger, budgets and limits; one watches, all serve", True),
    "GEMINI_API_KEY": Name(_KEYS, "", "Google Gemini", True),
    "ANTHROPIC_API_KEY": Name(_KEYS, "", "Anthropic Claude", True),
    "DEEPSEEK_API_KEY": Name(_KEYS, "", "DeepSeek", True),
    "OPENROUTER_API_KEY": Name(_KEYS, "", "OpenRouter", True),
    "OPENAI_API_KEY": Name(_KEYS, "", "OpenAI", True),
    "GOOGLE_API_KEY": Name(_KEYS, "", "Another name of GEMINI_API_KEY", True),
    "OLLAMA_API_KEY": Name(_KEYS, "", "An Ollama server behind a key", True),
    "OLLAMA_BASE_URL": Name(_KEYS, "", "An Ollama server"),
    "VLLM_API_KEY": Name(_KEYS, "", "A vLLM server behind a key", True),
    "VLLM_BASE_URL": Name(_KEYS, "", "A vLLM server"),
    "CUSTOM_API_KEY": Name(_KEYS, "", "Any other OpenAI-compatible server's key", True),
    "CUSTOM_BASE_URL": Name(_KEYS, "", "Any other OpenAI-compatible server"),
    "GEMINI_BASE_URL": Name(_KEYS, "", "Another address of Gemini"),
    "ANTHROPIC_BASE_URL": Name(_KEYS, "", "Another address of Anthropic"),
    "DEEPSEEK_BASE_URL": Name(_KEYS, "", "Another address of DeepSeek"),
    "OPENROUTER_BASE_URL": Name(_KEYS, "", "Another address of OpenRouter"),
    "OPENAI_BASE_URL": Name(_KEYS, "", "Another address of OpenAI, or any compatible server"),
    "GEMINI_MODEL_DEFAULT": Name(_KEYS, "", "Gemini model where the table names none"),
    "ANTHROPIC_MODEL_DEFAULT": Name(_KEYS, "", "Claude model where the table names none"),
    "DEEPSEEK_MODEL": Name(_KEYS, "deepseek-chat", "DeepSeek model"),
    "DEEPSEEK_TEMPERATURE": Name(_KEYS, "", "Sampling temperature of DeepSeek calls that set none"),
    "DEEPSEEK_MAX_TOKENS": Name(_KEYS, "", "Most output tokens of a DeepSeek call"),
    "DEEPSEEK_TIMEOUT": Name(_KEYS, "", "Seconds for one DeepSeek attempt"),
    "LLM_ROUTING_STRATEGY": Name(_ROUTE, "cost_optimized", "cost_optimized, performance or balanced"),
    "LLM_COMPLEXITY_THRESHOLD": Name(_ROUTE, "0.7", "Score from which a request counts as complex"),
    "LLM_MAX_RETRIES": Name(_ROUTE, "", "Retries of an attempt; empty: 3 for high priority, else 1"),
    "LLM_RETRY_DELAY": Name(_ROUTE, "2.0", "Seconds that the first backoff is drawn from"),
    "LLM_TIMEOUT_SECS": Name(_ROUTE, "30", "One deadline over all retries and fallbacks, seconds"),
    "LLM_REQUEST_TIMEOUT_SECONDS": Name(_ROUTE, "", "Another name of LLM_TIMEOUT_SECS"),
    "LLM_MAX_CONCURRENT": Name(_ROUTE, "5", "Calls in flight per provider"),
    "LLM_MAX_CONCURRENT_REQUESTS": Name(_ROUTE, "10", "Calls in flight in all"),
    "LLM_MODELS_FILE": Name(_ROUTE, "", "A TOML file whose models, prices and routes extend or replace ours"),
    "PROMPTS_DIR": Name(_ROUTE, "", "A folder of prompts, versions, aliases and variants that add to ours"),
    "LLM_DAILY_QUOTAS": Name(_ROUTE, "", "Free requests a day per provider, gemini=1500; 0: no quota (a paid key)"),
    "LLM_LOCAL_ENABLED": Name(_LOCAL, "0", "1 sends short, simple inputs to a local server first"),
    "LLM_ENDPOINT_URL": Name(_LOCAL, "http://127.0.0.1:11434", "Ollama or any OpenAI-compatible server"),
    "LLM_MODEL_NAME": Name(_LOCAL, "mistral", "Model that the local server runs"),
    "LLM_LOCAL_MAX_LENGTH": Name(_LOCAL, "1000", "Longest input for the local model, characters"),
    "GPU_CLEANUP_INTERVAL_SEC": Name(_LOCAL, "300", "Seconds between releases of unused GPU memory"),
    "LLM_REQUESTS_PER_MINUTE": Name(_LIMITS, "60", "Requests of one tenant in any minute"),
    "LLM_REQUESTS_PER_HOUR": Name(_LIMITS, "1000", "Requests of one tenant in any hour"),
    "LLM_REQUESTS_PER_DAY": Name(_LIMITS, "10000", "Requests of one tenant in any 24 hours"),
    "LLM_TENANT_LIMITS": Name(_LIMITS, "", "Other limits for some tenants, acme=60/1000/10000 (minute/hour/day)"),
    "LLM_QUEUE_SECONDS": Name(_LIMITS, "30", "Longest wait for a turn; 0 refuses at once"),
    "LLM_COST_TRACKING": Name(_MONEY, "1", "0 stops budget alerts; hard limits stay"),
    "LLM_COST_ALERT_DAILY": Name(_MONEY, "30", "USD a day that raise an alert"),
    "LLM_COST_ALERT_MONTHLY": Name(_MONEY, "800", "USD a month that raise an alert"),
    "LLM_COST_HARD_LIMIT_MONTHLY": Name(_MONEY, "1000", "USD a month that are never exceeded"),
    "LLM_TENANT_BUDGETS": Name(_MONEY, "", "USD a month that a tenant never exceeds, acme=5,globex=7.5"),
    "LLM_FEATURE_BUDGETS": Name(_MONEY, "", "USD a month that a feature never exceeds, filings=300"),
    "LLM_COST_ALERT_WEBHOOK": Name(_MONEY, "", "An address that gets budget alerts as JSON"),
    "LLM_ALLOW_UNPRICED": Name(_MONEY, "0", "1 lets models without a known price be called"),
    "LLM_USAGE_LOG_PATH": Name(_MONEY, "", "A file that also gets every attempt as a JSON line"),
    "LLM_CACHE_ENABLED": Name(_CACHE, "1", "0 keeps no answers"),
    "LLM_CACHE_TTL_SECONDS": Name(_CACHE, "86400", "Seconds that an answer is kept; a request may say otherwise"),
    "LLM_CACHE_TTL": Name(_CACHE, "", "Another name of LLM_CACHE_TTL_SECONDS"),
    "LLM_CACHE_SIMILARITY_THRESHOLD": Name(_CACHE, "0.85", "Cosine from which the guard looks at a kept question"),
    "LLM_CACHE_SIMILARITY": Name(_CACHE, "", "Another name of LLM_CACHE_SIMILARITY_THRESHOLD"),
    "LLM_CACHE_STALE_SECONDS": Name(_CACHE, "0", "Seconds that an expired answer serves while a new one is fetched"),
    "DISCORD_WEBHOOK_URL": Name("The bot", "", "A channel's webhook, or several, comma-separated", True),
    "DISCORD_TOKEN": Name(
        "The bot", "", "A Discord application's bot token: posts exactly once, direct messages", True
    ),
    "DISCORD_CHANNELS": Name("The bot", "", "Ids of the channels that the bot posts in, comma-separated"),
    "DISCORD_PUBLIC_KEY": Name("The bot", "", "The application's public key: switches slash commands on"),
    "DISCORD_APPLICATION_ID": Name("The bot", "", "The application's id, for `catalyst bot register`"),
    "DISCORD_API_URL": Name("The bot", "https://discord.com/api/v10", "Where Discord is; a stand-in in tests"),
    "ALERT_WEBHOOK_URL": Name("The bot", "", "An address of yours that gets every alert as signed JSON", True),
    "ALERT_WEBHOOK_SECRET": Name(
        "The bot", "", "What those are signed with (HMAC-SHA256), 16 characters or more", True
    ),
    "ALERT_MIN_PRIORITY": Name("The bot", "0", "Least priority score, where a channel has set no threshold"),
    "PRICE_FLOOR": Name("The bot", "0", "Alerts of cheaper shares are not told, dollars, where the price is known"),
    "PRICE_CEILING": Name("The bot", "", "Alerts of dearer shares are not told, dollars, where the price is known"),
    "SKIP_OTC": Name("The bot", "0", "1: alerts of shares that trade over the counter are not told"),
    "SEC_DIGESTER_ENABLED": Name("The bot", "1", "0 stops filings: the bot goes on with headlines only"),
    "FEATURE_PROGRESSIVE_ALERTS": Name("The bot", "1", "0 sends one message with the final word, after 10 s at most"),
    "CATALYST_BOT_HOST": Name("The bot", "127.0.0.1", "Address of the bot's figures, health and slash commands"),
    "CATALYST_BOT_PORT": Name("The bot", "8766", "Port of the bot's figures, health and slash commands"),
    "QUOTE_PROVIDERS": Name(_PRICES, "", "Whom to ask, in order: alpaca, finnhub, tiingo, yahoo, recorded"),
    "ALPACA_API_KEY": Name(_PRICES, "", "Alpaca's key id (a free account has one)", True),
    "ALPACA_SECRET_KEY": Name(_PRICES, "", "Its secret", True),
    "ALPACA_FEED": Name(_PRICES, "iex", "iex, delayed_sip (all exchanges, 15 minutes late) or sip (paid)"),
    "FINNHUB_API_KEY": Name(_PRICES, "", "Finnhub (free: 60 a minute, no charts)", True),
    "TIINGO_API_KEY": Name(_PRICES, "", "Tiingo (free: 50 an hour)", True),
    "QUOTE_RECORDING": Name(_PRICES, "", "A file of recorded bars, for the source `recorded`"),
    "ALPACA_BASE_URL": Name(_PRICES, "https://data.alpaca.markets", "Where Alpaca's market data is"),
    "FINNHUB_BASE_URL": Name(_PRICES, "https://finnhub.io/api/v1", "Where Finnhub is"),
    "TIINGO_BASE_URL": Name(_PRICES, "https://api.tiingo.com", "Where Tiingo is"),
    "YAHOO_BASE_URL": Name(_PRICES, "https://query1.finance.yahoo.com", "Where Yahoo's charts are"),
    "CHART_THEME": Name(_PRICES, "dark", "dark or light: what charts look like"),
    "ENRICH_AUTO_CONFIDENCE": Name(_ENRICH, "0.95", "From this confidence on a value is applied without review"),
    "ENRICH_REVIEW_CONFIDENCE": Name(_ENRICH, "0.5", "Below this confidence a value is rejected"),
    "ENRICH_CONFIDENCE_THRESHOLDS": Name(_ENRICH, "", "Other thresholds for some fields, date=0.98,total=0.9"),
    "ENRICH_TENANT_FIELD": Name(_ENRICH, "", "The record's field that names its tenant, such as roaster_id"),
    "ENRICH_MAX_CONCURRENT": Name(_ENRICH, "100", "Fields being read at once"),
    "ENRICH_MODEL": Name(_ENRICH, "", "Pins the model that reads what rules cannot"),
    "ENRICH_CALIBRATION": Name(_ENRICH, "", "The calibration file; empty: enrich-calibration.json in the data folder"),
}

WITHOUT_EFFECT: dict[str, str] = {}
"""Names of the contract whose feature is not in this version: read, and said so once."""


def example() -> str:
    """`.env.example`: every name with its default, commented out, under its group."""
    lines = ["# Copy to .env and change what you need; every line shows the default.", ""]
    group = ""
    for name, entry in NAMES.items():
        if entry.group != group:
            lines += [f"# --- {entry.group}"]
            group = entry.group
        lines += [f"# {entry.help}", f"#{name}={entry.default}"]
    lines += ["# --- Read, without effect in this version"]
    lines += [f"# {what}\n#{name}=" for name, what in WITHOUT_EFFECT.items()]
    return "\n".join(lines) + "\n"
