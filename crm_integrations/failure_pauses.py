"""Leaving a helper alone for a moment after it failed, so that one that is silent does not cost everybody a wait."""

import threading
import time


class FailurePause:
    """For the threads of one process. After a failure all go without for `quiet_s`; then one tries, for all."""

    def __init__(self, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._lock = threading.Lock()
        self._failed_at: float | None = None  # monotonic; None while it answers

    def is_quiet(self) -> bool:
        """Whether to go without; False lets the caller try, who says afterwards what came of it."""
        with self._lock:
            if self._failed_at is None:
                return False
            now = time.monotonic()
            if now - self._failed_at < self._quiet_s:
                return True
            self._failed_at = now  # until it is known what comes of it, the others go without
            return False

    def note_failure(self) -> bool:
        """Begin the quiet time; whether it is the first failure of a row."""
        with self._lock:
            is_first, self._failed_at = self._failed_at is None, time.monotonic()
            return is_first

    def note_success(self) -> None:
        """It answers again."""
        with self._lock:
            self._failed_at = None
