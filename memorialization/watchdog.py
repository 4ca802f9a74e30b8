"""The watchdog of a worker: one that is alive and takes no messages starts itself again.

It sends canaries through the broker to a queue that only this process reads, by the same connection and into the same
threads as all other messages.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable

from celery import current_app
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from kombu.entity import Queue

from memorialization.deafness import CANARIES, CanaryWatch
from memorialization.services.claims import lease_length_s
from memorialization.services.turns import PLACES
from memorialization.sweep_timer import RESTARTED

logger = logging.getLogger(__name__)

CANARY_TASK = "memorialization.tasks.canary"
QUEUE_LIFE_S = 3_600.0  # the broker forgets the queue of a process that has ended
LAST_CALLS_S = 10.0  # what running turns get; what is cut off is looked at before it is written again
RESTARTS_EVERY_S = 300.0  # at most: starting again does not mend everything
EXIT_FAILURE = 1
RESTARTED_AT = "WORKER_RESTARTED_AT"  # in the environment: by the monotonic clock, which outlasts the process


class Watchdog:
    """Starts with the worker and stops with it."""

    def __init__(
        self,
        *,
        queue: str,
        threads: int,
        send: Callable[[str], None] | None = None,
        restart: Callable[[], None] | None = None,
        end: Callable[[], None] | None = None,
    ) -> None:
        self.queue = queue
        self.threads = threads
        self.watch = CanaryWatch(after_s=settings.WATCHDOG_AFTER_S, full_s=lease_length_s())
        self._send = send or send_canary
        self._restart = restart or restart_process
        self._end = end or end_process
        self._busy = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to send canaries."""
        task_prerun.connect(self._on_begin, weak=False)
        task_postrun.connect(self._on_end, weak=False)
        self._thread.start()

    def stop(self) -> None:
        """The worker ends: silence is nothing to worry about any more."""
        self._stop.set()
        task_prerun.disconnect(self._on_begin)
        task_postrun.disconnect(self._on_end)

    def look(self, now: float) -> bool:
        """Judge the silence so far and send another canary; whether the worker started itself again."""
        if self.watch.is_deaf(now, is_full=self._busy >= self.threads):
            return self._start_again(now)
        try:
            self._send(self.queue)
        except Exception:  # noqa: BLE001 - whatever the broker's client raises, it did not take the message
            self.watch.forget()
        else:
            self.watch.note_sent(now)
        return False

    def _run(self) -> None:
        while not self._stop.wait(settings.WATCHDOG_AFTER_S / CANARIES):
            self.look(time.monotonic())

    def _start_again(self, now: float) -> bool:
        self.watch.forget()
        if not may_restart(now=now):
            logger.error("This worker takes no messages again; it waits before it starts itself once more.")
            return False
        logger.critical(
            "This worker took no message for %s s although the broker accepts them; it starts itself again.",
            settings.WATCHDOG_AFTER_S,
        )
        PLACES.close()
        ends_at = time.monotonic() + LAST_CALLS_S
        while (self._busy or PLACES.taken) and time.monotonic() < ends_at:
            if self._stop.wait(0.1):
                break
        if self._stop.is_set():
            return False  # it is asked to end anyway
        try:
            self._restart()
        except Exception as error:  # noqa: BLE001 - whatever it is, this process takes nothing on any more
            logger.critical("This worker could not start itself again (%s); it ends, for its supervisor.", error)
            self._end()
        return True

    def _on_begin(self, **_: object) -> None:
        self._count(1)

    def _on_end(self, **_: object) -> None:
        self._count(-1)

    def _count(self, step: int) -> None:
        with self._lock:
            self._busy += step
        self.watch.forget()


def canary_queue(*, worker: str) -> Queue:
    """The queue that only this process reads."""
    name = f"watch.{worker}.{os.getpid()}"
    return Queue(name, routing_key=name, expires=QUEUE_LIFE_S)  # type: ignore[no-untyped-call]


def send_canary(queue: str) -> None:
    """Send this process a message. Raises what the broker's client raises."""
    current_app.send_task(CANARY_TASK, queue=queue, retry=False, ignore_result=True, expires=settings.WATCHDOG_AFTER_S)


def may_restart(*, now: float) -> bool:
    """Whether the last time is long enough ago; a clock that starts anew with the machine counts as long ago."""
    last = float(os.environ.get(RESTARTED_AT, "-inf"))
    return not 0 <= now - last < RESTARTS_EVERY_S


def restart_process() -> None:
    """Become the same command anew, with the same process id; every thread, connection and file of ours is gone."""
    os.environ[RESTARTED] = "1"
    os.environ[RESTARTED_AT] = str(time.monotonic())
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command, as it was given


def end_process() -> None:
    """End at once and say that it failed; from a thread, and while others may hang, no gentler way ends the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_FAILURE)
