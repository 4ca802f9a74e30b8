"""The Celery application: wake-up hints and the periodic sweep. The database stays the truth.

Beat's table is below. Every worker also sweeps by a timer of its own, so that neither a dead beat nor a wiped broker
leaves anything lying.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

CHECK_AUTHENTICATIONS_EVERY_S = 3_600  # no CRM tells us by itself that a system user was suspended

app = Celery("agent_integrations")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
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

_timers: list[Any] = []


@worker_ready.connect  # type: ignore[untyped-decorator]
def start_sweep_timer(**_: Any) -> None:
    """The worker is up: begin to sweep."""
    from memorialization.sweep_timer import SweepTimer

    timer = SweepTimer()
    _timers.append(timer)
    timer.start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def stop_sweep_timer(**_: Any) -> None:
    """The worker goes down: no further sweep."""
    while _timers:
        _timers.pop().stop()
