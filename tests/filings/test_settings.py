from __future__ import annotations

import pytest

from catalyst.errors import SettingsError
from catalyst.filings.settings import FilingsSettings


def test_an_empty_environment_gives_the_defaults():
    found = FilingsSettings.from_env({})
    assert found == FilingsSettings()
    assert (found.user_agent, found.base_url, found.poll_seconds) == ("", "https://www.sec.gov", None)
    assert found.requests_per_second == 8


def test_every_name_is_read():
    found = FilingsSettings.from_env(
        {
            "SEC_USER_AGENT": "Jane Roe jane@example.com",
            "EDGAR_BASE_URL": "http://127.0.0.1:8910/",
            "EDGAR_POLL_INTERVAL": "0.5",
            "WATCHLIST": "aapl, MSFT,,brk.b",
        }
    )
    assert found.user_agent == "Jane Roe jane@example.com"
    assert found.base_url == "http://127.0.0.1:8910"
    assert found.poll_seconds == 0.5
    assert found.watchlist == ("AAPL", "MSFT", "BRK-B")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEC_USER_AGENT", "Jane\r\nX-Evil: 1"),
        ("SEC_USER_AGENT", "J" * 201),
        ("EDGAR_BASE_URL", "ftp://sec.gov"),
        ("EDGAR_BASE_URL", "sec.gov"),
        ("EDGAR_POLL_INTERVAL", "often"),
        ("EDGAR_POLL_INTERVAL", "0"),
        ("EDGAR_POLL_INTERVAL", "nan"),
        ("EDGAR_POLL_INTERVAL", "99999"),
        ("WATCHLIST", "AAPL,<b>"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name, value):
    with pytest.raises(SettingsError, match=name):
        FilingsSettings.from_env({name: value})
