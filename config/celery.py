"""The Celery application: wake-up hints and the periodic sweep. The database stays the truth.

Beat's table is below. Every worker also sweeps by a timer of its own, so that neither a dead beat nor a wiped broker
leaves anything lying, and has a watchdog that starts it again when it takes no messages any more.
"""

import gc
import logging
import os
import time
from typing import Any

from celery import Celery
from celery.concurrency.thread import TaskPool as ThreadPool
from celery.platforms import EX_FAILURE
from celery.signals import celeryd_after_setup, worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.db import connections

from config.sqlite.turns import be_worker
from config.warm_start import finish_loading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

logger = logging.getLogger(__name__)

OBJECTS_PER_COLLECTION = 50_000  # a bulk write makes ten thousand, hardly any in cycles; Python's own 700 is far less
CHECK_AUTHENTICATIONS_EVERY_S = 3_600  # no CRM tells us by itself that a system user was suspended

app = Celery("agent_integrations")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.worker_consumer = "config.lasting_consumer:LastingConsumer"
app.conf.beat_schedule = {
    "sweep": {
        "task": "memorialization.tasks.sweep",
        "schedule": settings.SWEEP_EVERY_S,
        "options": {"expires": 4 * settings.SWEEP_EVERY_S},  # rounds that piled up are worth nothing
    },
    "check-authentications": {
        "task": "crm_integrations.tasks.check_authentications",
        "schedule": CHECK_AUTHENTICATIONS_EVERY_S,
        "options": {"expires": CHECK_AUTHENTICATIONS_EVERY_S},
    },
}

_companions: list[Any] = []  # threads that begin and end with the worker


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def read_own_canaries(sender: str, instance: Any, **_: Any) -> None:
    """Before it consumes: add the queue of this process's canaries, whatever queues were asked for."""
    from memorialization.watchdog import canary_queue

    instance.app.amqp.queues.select_add(canary_queue(worker=sender))


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def warm_up(**_: Any) -> None:
    """Before it consumes or sweeps: the first delivery is not the one that waits for what all of them need."""
    finish_loading()
    gc.set_threshold(OBJECTS_PER_COLLECTION)


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def let_others_write_first(**_: Any) -> None:
    """On SQLite, which has one writer at a time: nobody who is answered waits for all threads of all workers."""
    connections.close_all()
    be_worker()


@worker_ready.connect  # type: ignore[untyped-decorator]
def start_companions(sender: Any, **_: Any) -> None:
    """The worker is up: begin to sweep, and to watch it. Worker processes show no signs of life, only threads do."""
    from memorialization.sweep_timer import SweepTimer
    from memorialization.watchdog import Watchdog, canary_queue

    _companions.append(SweepTimer(worker=sender.hostname))
    if settings.WATCHDOG_AFTER_S and isinstance(sender.pool, ThreadPool):
        queue = canary_queue(worker=sender.hostname).name
        _companions.append(Watchdog(queue=queue, threads=sender.pool.limit))
    for companion in _companions:
        companion.start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def stop_companions(**_: Any) -> None:
    """The worker goes down: no further sweep, and no further turn of a thread that is at work."""
    from memorialization.services import turns

    turns.PLACES.close()
    while _companions:
        _companions.pop().stop()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def begin_anew_after_an_error(sender: Any, **_: Any) -> None:
    """The worker ended by an error and not because it was asked to: then nobody would deliver any more."""
    from memorialization.watchdog import may_restart, restart_process

    if sender.exitcode == EX_FAILURE and may_restart(now=time.monotonic()):
        logger.critical("This worker ended by an error; it starts itself again.")
        restart_process()
