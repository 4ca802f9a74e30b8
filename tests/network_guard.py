"""No test talks to the outside: every connection and look-up beyond this machine is refused and fails the test."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

LOCAL_NAMES = {"", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::", socket.gethostname()}


class OutsideNetworkRefused(RuntimeError):
    """A test tried to reach an address that is not this machine's."""


class NetworkGuard:
    """Stands before the socket module; remembers what it refused, for code that swallows the error."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Replace the doors to the network until `patch` is undone."""
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, self._guard_connect(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", self._guard_lookup(socket.getaddrinfo))

    def _guard_connect(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def connect(sock: socket.socket, address: Any) -> Any:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                self._require_local(address[0])
            return original(sock, address)

        return connect

    def _guard_lookup(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
            self._require_local(host)
            return original(host, *arguments, **options)

        return getaddrinfo

    def _require_local(self, host: Any) -> None:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if name in LOCAL_NAMES or name.startswith("127."):
            return
        self.refused.append(name)
        raise OutsideNetworkRefused(f"Tests may only talk to this machine, not to {name!r}.")
