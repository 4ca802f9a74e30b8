"""The bundled broker answers only who knows its password, and its settings are private."""

import stat

import pytest
import redis

from config.stack.valkey import prepare_valkey


def test_it_answers_at_the_address_given(valkey_url):
    with redis.Redis.from_url(valkey_url) as client:
        client.set("greeting", "hello")
        assert client.get("greeting") == b"hello"


def test_it_refuses_a_stranger(valkey_url):
    address = valkey_url.rpartition("@")[2]
    with redis.Redis.from_url(f"redis://{address}") as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_its_settings_are_for_the_owner_only(tmp_path):
    prepare_valkey(folder=tmp_path)

    assert stat.S_IMODE((tmp_path / "valkey.conf").stat().st_mode) == 0o600


def test_each_start_has_another_password(tmp_path):
    assert prepare_valkey(folder=tmp_path).url != prepare_valkey(folder=tmp_path).url
