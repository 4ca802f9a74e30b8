"""When a worker is deaf: the broker takes messages for it, and it executes none of them. Pure; time is passed in.

Silence alone proves nothing. A broker that is away, a process that was stopped and goes on, and threads that are all at
work are no reason to suspect a worker.
"""

import threading
from dataclasses import dataclass, field

CANARIES = 4  # sent in the time after which a worker is deaf
LEAST_UNANSWERED = 3  # a process that slept through the time sent fewer


@dataclass
class CanaryWatch:
    """Canaries: messages of a worker to itself. Any task that begins or ends is a sign of life too."""

    after_s: float
    full_s: float  # more than that long no thread is busy with one turn
    _unanswered: int = 0
    _unanswered_since: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note_sent(self, now: float) -> None:
        """The broker took a canary."""
        with self._lock:
            self._unanswered += 1
            self._unanswered_since = now if self._unanswered_since is None else self._unanswered_since

    def forget(self) -> None:
        """A sign of life, or a broker that is away: whatever was sent before proves nothing any more."""
        with self._lock:
            self._unanswered, self._unanswered_since = 0, None

    def is_deaf(self, now: float, *, is_full: bool) -> bool:
        """Whether the silence has only one explanation. `is_full`: every thread is at work, so no message is taken."""
        patience_s = self.after_s + (self.full_s if is_full else 0)
        with self._lock:
            if self._unanswered_since is None or self._unanswered < LEAST_UNANSWERED:
                return False
            return now - self._unanswered_since >= patience_s
