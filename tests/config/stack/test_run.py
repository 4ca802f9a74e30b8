"""One start at a time, and the closing block says where to go."""

import pytest

from config.stack.profile import read_profile
from config.stack.run import AlreadyRunning, exclusive_use, summary


def test_a_second_start_on_the_same_data_is_refused(tmp_path):
    with exclusive_use(tmp_path), pytest.raises(AlreadyRunning, match="already running"), exclusive_use(tmp_path):
        pass


def test_the_data_are_free_after_the_end(tmp_path):
    with exclusive_use(tmp_path):
        pass
    with exclusive_use(tmp_path):
        pass


def test_the_closing_block_names_only_what_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("PORT", "8010")
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.delenv("SITE_URL", raising=False)
    text = summary(read_profile(), running=["web", "demo zendesk"])

    assert "http://localhost:8010" in text and "demo Zendesk" in text
    assert "contact centre" not in text
    assert "with the password you chose" in text
