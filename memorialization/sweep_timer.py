"""Every worker's own timer: a thread that sweeps each period, whatever became of the broker and of beat."""

import logging
import random
import threading

from django.conf import settings
from django.db import close_old_connections, connections

from memorialization.services.sweeping import sweep_once

logger = logging.getLogger(__name__)

JITTER = 0.2  # so that the timers of many workers do not sweep at the same moment


class SweepTimer:
    """Starts with the worker and stops with it."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep-timer", daemon=True)

    def start(self) -> None:
        """Begin; the first round comes at once, since a restart is when most is left behind."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for the end; a round that runs may finish, and what it does is safe to cut off anywhere."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._round()
            self._stop.wait(settings.SWEEP_EVERY_S * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - no secret
        connections.close_all()

    def _round(self) -> None:
        close_old_connections()
        try:
            sweep_once()
        except Exception:
            logger.exception("A sweep failed; the next one comes in %s s.", settings.SWEEP_EVERY_S)
            connections.close_all()
