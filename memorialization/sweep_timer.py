"""Every worker's own timer: it wakes accounts at their moment and sweeps, whatever became of the broker and of beat."""

import logging
import os
import random
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import close_old_connections, connections

from crm_integrations.database_clock import read_database_clock
from memorialization.services.heartbeats import RESTART, WORKER, note_heartbeat
from memorialization.services.sweeping import sweep_once
from memorialization.services.turns import BackgroundPushes
from memorialization.services.waking import wake_accounts
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5  # for accounts whose moment has come: one read of an index
EARLIEST, LATEST = 0.75, 1.1  # of a period, so that the timers of many workers do not look and sweep at the same moment
RESTARTED = "WORKER_RESTARTED_ITSELF"  # in the environment of a worker that its watchdog started again


class SweepTimer:
    """Starts with the worker and stops with it. It never waits for a CRM: pushes go to threads of their own."""

    def __init__(self, *, worker: str = "", pushes: BackgroundPushes | None = None) -> None:
        self.worker = worker
        self.pushes = pushes or BackgroundPushes()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep-timer", daemon=True)
        self._failing: set[str] = set()

    def start(self) -> None:
        """Begin; the first round comes at once, since a restart is when most is left behind."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for the end; a round that runs may finish, and what it does is safe to cut off anywhere."""
        self._stop.set()
        self.pushes.stop()

    def _run(self) -> None:
        sweep_at = time.monotonic()
        while not self._stop.is_set():
            if time.monotonic() >= sweep_at:
                self._attempt(self.sweep)
                sweep_at = time.monotonic() + _about(settings.SWEEP_EVERY_S)
            self._attempt(self.look)
            self._stop.wait(_about(LOOK_EVERY_S))
        connections.close_all()

    def sweep(self) -> None:
        """One sweep, and a sign of life of this worker."""
        sweep_once(push=self.pushes.push)
        now = read_database_clock()
        if self.worker:
            note_heartbeat(name=f"{WORKER}{self.worker}", now=now)
        if RESTARTED in os.environ:
            note_heartbeat(name=f"{RESTART}{self.worker}", now=now)
            del os.environ[RESTARTED]

    def look(self) -> None:
        """Wake the accounts whose moment has come."""
        wake_accounts(now=read_database_clock(), push=self.pushes.push)

    def _attempt(self, act: Callable[[], None]) -> None:
        """Do it, and survive whatever happens; only the first failure of a row is logged."""
        close_old_connections()
        try:
            act()
        except Exception as error:  # noqa: BLE001 - its words may be a customer's: its kind and place are logged
            if act.__name__ not in self._failing:
                words = "A %s of the worker's timer failed, it goes on trying: %s."
                logger.error(words, act.__name__, describe_error(error))
            self._failing.add(act.__name__)
            connections.close_all()
        else:
            self._failing.discard(act.__name__)


def _about(seconds: float) -> float:
    return seconds * random.uniform(EARLIEST, LATEST)  # noqa: S311 - no secret
