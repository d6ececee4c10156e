from __future__ import annotations

from pathlib import Path

import pytest

from catalyst.app import names, settings
from catalyst.errors import SettingsError
from catalyst.llm.providers import PROVIDERS

ROOT = Path(__file__).parents[2]


def test_an_empty_environment_is_enough():
    loaded = settings.defaults()
    assert str(loaded.app.data_dir) == "data"
    assert loaded.web.host == "127.0.0.1"
    assert loaded.web.port == 8765
    assert loaded.idle == ()


def test_the_environment_wins_over_the_file(tmp_path: Path):
    file = tmp_path / ".env"
    file.write_text("CATALYST_PORT=1111\nCATALYST_DATA_DIR=/from/file\n")
    loaded = settings.load({"CATALYST_PORT": "2222"}, file)
    assert loaded.web.port == 2222
    assert str(loaded.app.data_dir) == "/from/file"


def test_all_faults_are_named_at_once():
    with pytest.raises(SettingsError) as caught:
        settings.load({"CATALYST_PORT": "many", "EDGAR_POLL_INTERVAL": "soon", "CATALYST_LOG_LEVEL": "loud"}, None)
    for name in ("CATALYST_PORT", "EDGAR_POLL_INTERVAL", "CATALYST_LOG_LEVEL"):
        assert name in str(caught.value)


def test_a_name_without_effect_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(names.WITHOUT_EFFECT, "NAME_OF_LATER", "what comes later")
    assert settings.load({"NAME_OF_LATER": "x"}, None).idle == ("NAME_OF_LATER",)


@pytest.mark.parametrize("text", ["2", "maybe", "-1"])
def test_a_switch_that_is_neither_on_nor_off_is_refused(text: str):
    with pytest.raises(SettingsError, match="neither"):
        settings.load({"FEATURE_UNIFIED_LLM_SERVICE": text}, None)


def test_the_example_file_is_what_the_names_say():
    assert (ROOT / ".env.example").read_text() == names.example()


def test_every_providers_names_are_listed():
    for row in PROVIDERS.values():
        assert set(row.key_env + row.base_url_env) <= set(names.NAMES), row.name


def test_no_name_is_listed_twice():
    assert not set(names.NAMES) & set(names.WITHOUT_EFFECT)


def test_a_secret_is_not_shown_by_repr():
    loaded = settings.load({"GEMINI_API_KEY": "canary-1234567890", "CATALYST_API_KEYS": "canary-0987654321"}, None)
    assert "canary" not in repr(loaded)
