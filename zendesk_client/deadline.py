"""Puts a bound on the whole of one HTTP call, and knows whether its request ever left.

``requests`` bounds the wait for each read only: a server that drips a byte now and then can hold a call, and the
lease that covers it, for hours. The connection classes below cut every read short at the call's deadline, and send
nothing once it has passed. They also note the moment the request leaves, which tells a write that surely never
happened from one that may have.
"""

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError
from urllib3.util.retry import Retry

POOL_SIZE = 4  # connections kept alive a host; one client is used by one thread at a time


class Progress(Enum):
    """How far the request of a call got."""

    UNKNOWN = "unknown"  # not seen by our connections, as when a test answers in their place
    CONNECTING = "connecting"
    SENT = "sent"


@dataclass(slots=True)
class BoundedCall:
    """The call under way in this thread: when it must be over (``time.monotonic`` seconds) and how far it got."""

    ends_at: float
    progress: Progress = Progress.UNKNOWN
    has_kept_connection: bool = False  # it goes over one that an earlier call opened

    def remaining_s(self) -> float:
        """Seconds left; raises TimeoutError when there are none."""
        remaining = self.ends_at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the call's total time is over")
        return remaining


_current: ContextVar[BoundedCall | None] = ContextVar("zendesk_client_call", default=None)


@contextmanager
def bounded_call(total_s: float) -> Iterator[BoundedCall]:
    """Bound everything this thread sends and reads inside the block to ``total_s`` seconds from now."""
    call = BoundedCall(time.monotonic() + total_s)
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)


class _BoundedReader(io.RawIOBase):
    """A socket's raw stream that gives each read no more time than the call has left."""

    def __init__(self, raw: Any, sock: socket.socket, call: BoundedCall) -> None:
        self._raw, self._sock, self._call = raw, sock, call
        self._read_s = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._call.remaining_s()
        self._sock.settimeout(remaining if self._read_s is None else min(self._read_s, remaining))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        call = _current.get()
        if call is not None:
            self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock, call))


class _BoundedConnectionMixin:
    """Goes before urllib3's connection classes."""

    response_class: Any = _BoundedResponse
    sock: Any

    def connect(self) -> None:
        call = _current.get()
        if call is not None:
            call.progress = Progress.CONNECTING
        super().connect()  # type: ignore[misc]

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _note_departure(self)
        super().send(data)  # type: ignore[misc]


def _note_departure(connection: Any) -> None:
    """Refuse to send after the deadline; else remember that from here on the request may have arrived."""
    call = _current.get()
    if call is None:
        return
    try:
        call.remaining_s()
    except TimeoutError:
        connection.close()
        if call.progress is not Progress.SENT:
            call.progress = Progress.CONNECTING
        raise ConnectTimeoutError(connection, "the call's total time was over before its request left") from None
    if call.progress is Progress.UNKNOWN:  # nothing had to be connected first
        call.has_kept_connection = True
    call.progress = Progress.SENT


class _BoundedHTTPConnection(_BoundedConnectionMixin, HTTPConnection):
    pass


class _BoundedHTTPSConnection(_BoundedConnectionMixin, HTTPSConnection):
    pass


class _BoundedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTPConnection


class _BoundedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPSConnection


class BoundedAdapter(HTTPAdapter):
    """A requests adapter whose connections obey ``bounded_call`` and which never retries."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=POOL_SIZE, max_retries=Retry(0, read=False))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give the pools of this adapter the bounded connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _BoundedHTTPPool, "https": _BoundedHTTPSPool}
