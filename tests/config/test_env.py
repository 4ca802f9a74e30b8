"""Typed readers of the environment (config.env)."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from config import env


def test_encryption_keys_are_a_comma_list():
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    assert env.fernet_keys(f"{first}, {second},") == [first, second]


def test_a_key_that_is_none_stops_the_start_and_is_not_shown():
    good = Fernet.generate_key().decode()
    with pytest.raises(ImproperlyConfigured, match="Key 2 of ENCRYPTION_KEYS") as raised:
        env.fernet_keys(f"{good},hunter2")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("word", ["2", "maybe"])
def test_an_unknown_word_for_yes_or_no_stops_the_start(monkeypatch, word):
    monkeypatch.setenv("DEMO", word)
    with pytest.raises(ImproperlyConfigured, match="DEMO must be one of"):
        env.boolean("DEMO", default=True)


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    (tmp_path / "token").write_text("from-a-file\n")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "token"))
    assert env.text("METRICS_TOKEN") == "from-a-file"


def test_production_needs_its_secrets_named(monkeypatch, tmp_path):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("SECRET_KEY_FILE", raising=False)
    with pytest.raises(ImproperlyConfigured, match="Set SECRET_KEY"):
        env.generated_secret("SECRET_KEY", folder=tmp_path, is_embedded=False)


def test_the_embedded_profile_makes_a_secret_once_and_keeps_it_private(monkeypatch, tmp_path):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    made = env.generated_secret("SECRET_KEY", folder=tmp_path, is_embedded=True)
    assert env.generated_secret("SECRET_KEY", folder=tmp_path, is_embedded=True) == made
    assert (tmp_path / "secret_key.txt").stat().st_mode & 0o777 == 0o600
