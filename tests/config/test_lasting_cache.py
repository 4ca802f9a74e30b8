"""The cache on Redis (config.lasting_cache)."""

import pytest
from redis import Redis

from config.lasting_cache import LastingRedisCache


@pytest.fixture
def cache(valkey_url):
    return LastingRedisCache(valkey_url, {})


def test_it_keeps_what_the_product_keeps(cache):
    cache.set_many({"a": {"at": 1.5, "record": None}, "b": "limited"}, timeout=60)
    assert cache.get_many(["a", "b", "c"]) == {"a": {"at": 1.5, "record": None}, "b": "limited"}
    assert cache.add("asking", 1, timeout=60) is True
    assert cache.add("asking", 1, timeout=60) is False
    cache.delete_many(["asking", "a"])
    assert cache.get("a") is None and cache.add("asking", 1, timeout=60) is True
    cache.clear()
    assert cache.get("b") is None


def test_one_client_is_used_for_every_access(cache):
    cache.set("a", 1)
    client = cache._cache.get_client("a")
    assert client is cache._cache.get_client("b", write=True)
    assert isinstance(client, Redis)


def test_a_connection_that_the_server_closed_is_replaced(cache, valkey_url):
    cache.set("a", 1)
    with Redis.from_url(valkey_url) as other:
        assert other.client_kill_filter(_type="normal", skipme=True) >= 1
    assert cache.get("a") == 1
