"""Sessions between two clients: their connections stay open, so that a client's first call needs no handshake.

A session holds connections and nothing else: tokens travel with each call, cookies are refused. So whoever calls the
same account next may use it, with another token as well.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import requests

from zendesk_client.connection import build_session

IDLE_S = 30.0  # servers keep a connection for a minute and more; a request must not meet its end
KEPT = 8  # of one account: as many as a process calls it at the same time

Key = tuple[int, str]


@dataclass(slots=True)
class IdleSessions:
    """For several threads; what a process inherited from the one it was forked from it leaves alone."""

    clock: Callable[[], float] = time.monotonic
    _idle: dict[Key, deque[tuple[float, requests.Session]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, account: str) -> requests.Session:
        """The session that was used last, or a new one; the caller's alone until it is given back."""
        with self._lock:
            idle = self._idle.get((os.getpid(), account))
            given = idle.pop() if idle else None
        if given is None:
            return build_session()
        idle_since, session = given
        if self.clock() - idle_since >= IDLE_S:
            session.close()  # its connections; it makes new ones
        return session

    def give(self, account: str, session: requests.Session) -> None:
        """Keep a session for the next; those that nobody has taken for long are closed."""
        now = self.clock()
        with self._lock:
            idle = self._idle.setdefault((os.getpid(), account), deque())
            idle.append((now, session))
            ended = [idle.popleft()[1] for _each in range(_count_ended(idle, now))]
        for each in ended:
            each.close()


def _count_ended(idle: deque[tuple[float, requests.Session]], now: float) -> int:
    too_old = sum(now - idle_since >= IDLE_S for idle_since, _session in idle)
    return max(too_old, len(idle) - KEPT)
