"""Every environment name of the hub is read, malformed ones are named, and keys are never shown."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

import catalyst.llm
from catalyst.errors import SettingsError
from catalyst.llm.settings import HubSettings, TenantLimits


def test_an_empty_environment_gives_the_specs_defaults():
    settings = HubSettings.from_env({})
    assert (settings.strategy, settings.complexity_threshold) == ("cost_optimized", 0.7)
    assert (settings.retry_delay, settings.timeout_seconds, settings.max_retries) == (2.0, 30.0, None)
    assert (settings.max_concurrent, settings.max_concurrent_requests) == (5, 10)
    assert settings.limits == TenantLimits(60, 1000, 10_000)
    assert (settings.alert_daily, settings.alert_monthly, settings.hard_limit_monthly) == (
        Decimal(30),
        Decimal(800),
        Decimal(1000),
    )
    assert (settings.local_enabled, settings.local_model, settings.local_max_length) == (False, "mistral", 1000)


def test_names_are_read_and_the_first_of_two_wins():
    settings = HubSettings.from_env(
        {
            "GEMINI_API_KEY": "g",
            "DEEPSEEK_BASE_URL": "http://127.0.0.1:1",
            "DEEPSEEK_TEMPERATURE": "0.1",
            "DEEPSEEK_MAX_TOKENS": "99",
            "DEEPSEEK_TIMEOUT": "7",
            "LLM_TIMEOUT_SECS": "11",
            "LLM_REQUEST_TIMEOUT_SECONDS": "12",
            "LLM_TENANT_LIMITS": "acme=1/2/3",
            "LLM_TENANT_BUDGETS": "acme=2.50, globex=1",
            "LLM_DAILY_QUOTAS": "gemini=0",
        }
    )
    assert settings.keys["gemini"] == "g"
    assert settings.base_urls["deepseek"] == "http://127.0.0.1:1"
    assert settings.vendors["deepseek"].max_tokens == 99
    assert settings.timeout_seconds == 11
    assert settings.tenant_limits["acme"] == TenantLimits(1, 2, 3)
    assert settings.tenant_budgets == {"acme": Decimal("2.50"), "globex": Decimal(1)}
    assert settings.daily_quotas == {"gemini": 0}
    assert HubSettings.from_env({"LLM_REQUEST_TIMEOUT_SECONDS": "12"}).timeout_seconds == 12


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LLM_ROUTING_STRATEGY", "fastest"),
        ("LLM_COMPLEXITY_THRESHOLD", "2"),
        ("LLM_MAX_RETRIES", "6"),
        ("LLM_RETRY_DELAY", "-1"),
        ("LLM_TIMEOUT_SECS", "nan"),
        ("LLM_COST_HARD_LIMIT_MONTHLY", "lots"),
        ("LLM_COST_HARD_LIMIT_MONTHLY", "NaN"),
        ("CATALYST_TIMEZONE", "Mars/Olympus"),
        ("LLM_LOCAL_ENABLED", "perhaps"),
        ("LLM_TENANT_LIMITS", "acme=1/2"),
        ("LLM_TENANT_BUDGETS", "acme=-1"),
    ],
)
def test_a_malformed_value_is_named(name, value):
    with pytest.raises(SettingsError, match=name):
        HubSettings.from_env({name: value})


def test_one_error_lists_all_faults():
    with pytest.raises(SettingsError, match=r"LLM_MAX_CONCURRENT.*LLM_RETRY_DELAY|LLM_RETRY_DELAY.*LLM_MAX_CONCURRENT"):
        HubSettings.from_env({"LLM_MAX_CONCURRENT": "0", "LLM_RETRY_DELAY": "x"})


def test_no_key_is_shown():
    settings = HubSettings.from_env({"OPENAI_API_KEY": "sk-secret", "REDIS_URL": "redis://:pass@127.0.0.1"})
    assert "sk-secret" not in repr(settings)
    assert "pass" not in repr(settings).replace("pass_", "")


def test_every_public_name_is_there_and_the_lists_agree():
    assert sorted(catalyst.llm.__all__) == dir(catalyst.llm)
    for name in catalyst.llm.__all__:
        assert getattr(catalyst.llm, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = catalyst.llm.Nonsense


def test_importing_the_hub_loads_no_prices_and_no_vendor():
    code = (
        "import sys; from catalyst.llm import LLMService, LLMRequest; import catalyst.llm.assembly; "
        "print([name for name in ('genai_prices', 'redis', 'openai', 'litellm', 'anthropic') if name in sys.modules])"
    )
    src = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": src}, check=True
    )
    assert done.stdout.strip() == "[]"
