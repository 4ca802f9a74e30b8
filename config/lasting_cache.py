"""Django's cache on Redis with one client for each thread. Django makes a new one for every access, which takes longer
than asking the server does.
"""

from functools import cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class _LastingClient(RedisCacheClient):
    """For one server: what is written and what is read go the same way."""

    @cached_property
    def _client_of_thread(self) -> Any:
        return super().get_client(write=True)

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The client; its connections come from a pool, which replaces those that broke."""
        return self._client_of_thread


class LastingRedisCache(RedisCache):
    """See django.core.cache.backends.redis; Django keeps one of these for each thread."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _LastingClient
