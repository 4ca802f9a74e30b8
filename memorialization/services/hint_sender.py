"""Sends wake-up hints behind the back of whoever committed: neither a slow broker nor a busy one holds up an answer.

The first hint leaves at once; what is asked for while it travels or shortly after goes as one more per account, at the
account's pace. What has not left when the process dies is lost, and the sweep finds the work.
"""

import atexit
import threading
import time
from collections.abc import Callable

from memorialization.services.hint_pace import HintPace

GAP_S = 0.05  # between two rounds, and after the first hint at an account


class HintSender:
    """One thread of this process, started with the first hint; after a fork the child starts its own."""

    def __init__(self, send: Callable[[int], object], *, gap_s: float = GAP_S) -> None:
        self._send, self._gap_s, self._pace = send, gap_s, HintPace(gap_s)
        self._lock, self._news = threading.Lock(), threading.Event()
        self._waiting: set[int] = set()
        self._thread: threading.Thread | None = None
        atexit.register(self.send_waiting)

    def submit(self, account_id: int) -> None:
        """Have a hint sent at this account soon; once, however often it is asked for meanwhile."""
        with self._lock:
            self._waiting.add(account_id)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="hint-sender", daemon=True)
                self._thread.start()
        self._news.set()

    def send_waiting(self) -> None:
        """Send what waits, in the caller's thread: a command that ends at once takes no hint with it."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for account_id in sorted(waiting):
            self._send(account_id)

    def _run(self) -> None:
        while True:
            self._news.wait(self._rest_s())
            self._news.clear()
            self._send_ripe()
            time.sleep(self._gap_s)

    def _rest_s(self) -> float | None:
        """Until something that waits may leave; None = until there is news."""
        with self._lock:
            opens_at = self._pace.first_opening(self._waiting)
        return None if opens_at is None else max(opens_at - time.monotonic(), 0.0)

    def _send_ripe(self) -> None:
        now = time.monotonic()
        with self._lock:
            ripe = sorted(account_id for account_id in self._waiting if self._pace.opens_at(account_id) <= now)
            self._waiting -= set(ripe)
        for account_id in ripe:
            self._send(account_id)
            self._pace.note_sent(account_id, time.monotonic())
