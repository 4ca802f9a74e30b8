"""How many of a worker's threads one account may have, so that an account that hangs leaves threads to the others.

The bounds are per process: hints go to whichever worker is free, and each worker keeps them for itself.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SHARE = 3  # an account may have a third of the threads, but
LEAST_SHARE = 2  # two of them, however few there are
RESERVED = 2  # the last free threads take only accounts that nobody of this process is at work on


@dataclass
class Place:
    """A thread's leave to work on an account, or the lack of it."""

    is_granted: bool
    has_missed_hint: bool = field(default=False)  # known at the end: a hint came meanwhile and found no place


class ThreadPlaces:
    """Who is at work on what in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: Counter[int] = Counter()
        self._slow: set[int] = set()
        self._missed: set[int] = set()
        self._is_closed = False

    @contextmanager
    def place_on(self, account_id: int, *, threads: int, is_circuit_closed: Callable[[], bool]) -> Iterator[Place]:
        """A place on the account for as long as the block runs; of `threads` in all. Without one, do nothing.

        A hint without a place is dropped. What it spoke of may have come after the last claim of those at work, so the
        first of them to leave is told, and hints again.
        """
        place = Place(self._find_place(account_id, threads, is_circuit_closed))
        try:
            yield place
        finally:
            if place.is_granted:
                place.has_missed_hint = self._leave(account_id)

    def may_stay(self, *, threads: int) -> bool:
        """Whether somebody at work may go on after its turn: of `threads` some are free for other accounts."""
        with self._lock:
            return not self._is_closed and threads - self._at_work.total() > RESERVED

    def note_speed(self, account_id: int, *, is_slow: bool) -> None:
        """Remember whether the account's last turn was slow; a slow one has a single thread."""
        with self._lock:
            (self._slow.add if is_slow else self._slow.discard)(account_id)

    def close(self) -> None:
        """Grant no further place: the process is about to end."""
        self._is_closed = True

    @property
    def taken(self) -> int:
        """How many threads are at work."""
        with self._lock:
            return self._at_work.total()

    def _find_place(self, account_id: int, threads: int, is_circuit_closed: Callable[[], bool]) -> bool:
        """Take a place, or note that there was none.

        Hints come in floods: whoever finds no room is turned away before the circuit is asked for, which costs a query.
        """
        most = max(LEAST_SHARE, threads // SHARE)
        with self._lock:
            is_alone, has_room = not self._at_work[account_id], self._has_room(account_id, threads, most)
        if has_room and not is_alone and not is_circuit_closed():
            most = 1
        with self._lock:
            if not self._has_room(account_id, threads, most):
                self._missed.add(account_id)
                return False
            self._at_work[account_id] += 1
            return True

    def _has_room(self, account_id: int, threads: int, most: int) -> bool:
        own = self._at_work[account_id]
        is_free = own < (1 if account_id in self._slow else most) and threads - self._at_work.total() > RESERVED
        return not self._is_closed and (not own or is_free)

    def _leave(self, account_id: int) -> bool:
        with self._lock:
            self._at_work[account_id] -= 1
            if not self._at_work[account_id]:
                del self._at_work[account_id]
            has_missed = account_id in self._missed
            self._missed.discard(account_id)
            return has_missed
