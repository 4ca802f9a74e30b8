"""How many threads of this process may wait for CRMs because a person waits: never all, so that events still come in.

A call that hangs keeps its thread for as long as a call may take, and the circuit opens only after that. While all
places are taken by acts that have only just begun, the next one waits a moment; once one of them takes its time, the
next is refused at once and told when to come back.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from django.conf import settings
from django.utils.translation import gettext_lazy

from crm_integrations.providers.errors import RetryLater
from crm_integrations.services.timed_gates import NO_LIMIT, RETRY_AFTER_S

BRISK_S = 2.0  # an act that has taken longer may go on for long: nobody waits for its place
SLOW = gettext_lazy("The CRM is slow to answer just now. Try again in a moment.")


class PlacesTaken(RetryLater):
    """As many threads as may wait for CRMs already; no call was made."""

    def __init__(self) -> None:
        super().__init__(str(SLOW), retry_after_s=RETRY_AFTER_S, limit_class=NO_LIMIT)


class CallPlaces:
    """settings.INTERACTIVE_CALLS places, one at least; for several threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._began: list[float] = []  # the monotonic times of the acts that have a place, oldest first

    @contextmanager
    def taking(self) -> Iterator[None]:
        """A place for the length of the block. Raises PlacesTaken."""
        began = self._take()
        try:
            yield
        finally:
            with self._changed:
                self._began.remove(began)
                self._changed.notify()

    def _take(self) -> float:
        with self._changed:
            if not self._has_place():
                patience_s = self._began[0] + BRISK_S - time.monotonic()
                if not self._changed.wait_for(self._has_place, timeout=max(patience_s, 0.0)):
                    raise PlacesTaken
            began = time.monotonic()
            self._began.append(began)
        return began

    def _has_place(self) -> bool:
        return len(self._began) < max(settings.INTERACTIVE_CALLS, 1)


places = CallPlaces()
