"""Replay runs: started and cancelled by a person, worked on by whoever is free, gone on with by the sweep.

A hint is only the fastest way to a worker: a run whose hint was lost, or whose worker died, is found by the sweep.
"""

import logging
from collections.abc import Generator
from contextlib import closing, suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F

from crm_integrations.database_clock import Clock, read_database_clock
from crm_integrations.models import User
from crm_integrations.services.audit import PRODUCT_NAME, record_audit
from memorialization.models import ReplayRun
from memorialization.services.hints import BACKLOG_QUEUE, send_message
from memorialization.services.replay_choices import ReplayChoice, newest_delivery_id
from memorialization.services.replay_work import (
    OPEN,
    RunLost,
    claim_run,
    configuration_of,
    counts_of,
    free_runs,
    release_run,
    work_on_slice,
)
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)

State = ReplayRun.State
RUN_TASK = "memorialization.tasks.continue_replay_run"
TURN_SLICES = 20  # then the thread is free for others
LATE_PERIODS = 3  # of the sweep: hints are not answered, so it works on the run by itself
CAN_TAKE_BACK = (State.RUNNING, State.FINISHED, State.CANCELLED, State.FAILED)


def start_replay_run(
    *, choice: ReplayChoice, key: UUID, actor: User | None, now: datetime, up_to: int | None = None
) -> ReplayRun:
    """Begin a run over what the choice finds now, or up to an id; the same key again answers the run it began.

    Nobody is told of it: call `hint_on_commit`, or `work_through` at once. Else the sweep finds it.
    """
    newest = newest_delivery_id()
    columns = {
        "actor": actor,
        "actor_name": actor.get_username() if actor else PRODUCT_NAME,
        "choice": choice.as_json(),
        "last_id": newest if up_to is None else min(up_to, newest),
        "started_at": now,
        "moved_at": now,
    }
    with transaction.atomic():
        run, is_new = ReplayRun.objects.get_or_create(key=key, defaults=columns)
        if is_new:
            _audit(run, actor, "replay_run_started", filter=run.choice)
    return run


def cancel_replay_run(*, run: ReplayRun, actor: User | None, is_taking_back: bool, now: datetime) -> bool:
    """Queue nothing more; with `is_taking_back`, skip what it queued and nobody has sent. False: nothing to cancel.

    What is being sent then is skipped when it comes back unsent. Waits for the slice that is being stored, and its
    worker stores nothing after it.
    """
    states = CAN_TAKE_BACK if is_taking_back else (State.RUNNING,)
    columns = {"state": State.CANCELLING, "finished_at": None, "cursor": 0} if is_taking_back else {}
    ended = {"state": State.CANCELLED, "finished_at": now, "moved_at": now, "stalls": 0, "lease": None}
    with transaction.atomic():
        present = ReplayRun.objects.filter(pk=run.pk, state__in=states)
        if not present.update(**{**ended, **columns}, lease_until=None, fence=F("fence") + 1):
            return False
        run.refresh_from_db()
        _audit(run, actor, "replay_run_cancelled", takes_back=is_taking_back, **counts_of(run))
    return True


def hint_at_run(*, run_id: int) -> bool:
    """Tell a worker of the run; whether the broker took it. Never raises."""
    return send_message(RUN_TASK, run_id=run_id)


def hint_at_rest(*, run_id: int) -> bool:
    """The same for what is left of a run: it queues behind other backlogs and never before fresh work."""
    return send_message(RUN_TASK, queue=BACKLOG_QUEUE, run_id=run_id)


def hint_on_commit(*, run_id: int) -> None:
    """Tell a worker of the run once it can be seen."""
    transaction.on_commit(partial(hint_at_run, run_id=run_id))


def continue_replay_run(*, run_id: int, clock: Clock = read_database_clock, slices: int = TURN_SLICES) -> bool:
    """Work on the run for a while; whether it was left before its end. No-op when somebody else works on it.

    One that waits for what is being sent has nothing more to do now: the sweep comes back to it.
    """
    with closing(work_through(run_id=run_id, clock=clock)) as work:
        done = sum(1 for _run in islice(work, slices))
    return done == slices and free_runs(now=clock()).filter(pk=run_id).exists()


def continue_replay_runs(*, now: datetime, clock: Clock = read_database_clock) -> int:
    """Go on with runs that nobody works on; how many. Where hints are not answered, by itself."""
    late = now - timedelta(seconds=LATE_PERIODS * settings.SWEEP_EVERY_S)
    quiet = free_runs(now=now).filter(moved_at__lte=now - timedelta(seconds=settings.SWEEP_EVERY_S))
    waiting = list(quiet.order_by("moved_at").values_list("pk", "moved_at"))
    for run_id, moved_at in waiting:
        if moved_at <= late or not hint_at_run(run_id=run_id):
            _continue_safely(run_id, clock)
    return len(waiting)


def work_on_free_runs(*, clock: Clock = read_database_clock) -> bool:
    """Work for a while on each run that nobody works on, where there is nobody to tell; whether one has more to do."""
    runs = list(free_runs(now=clock()).order_by("moved_at").values_list("pk", flat=True))
    return sum(_continue_safely(run_id, clock) for run_id in runs) > 0


def next_run_at() -> datetime | None:
    """When an open run is worth another look: a dead worker's lease is over then, or a period of the sweep."""
    period = timedelta(seconds=settings.SWEEP_EVERY_S)
    open_runs = ReplayRun.objects.filter(state__in=OPEN).values_list("lease_until", "moved_at")
    return min((lease_until or moved_at + period for lease_until, moved_at in open_runs), default=None)


def work_through(*, run_id: int, clock: Clock = read_database_clock) -> Generator[ReplayRun, None, None]:
    """Work on the run slice by slice, showing it after each; whoever stops asking gives it back."""
    hold = claim_run(run_id=run_id, now=clock())
    if hold is None:
        return
    try:
        has_more = True
        while has_more:
            has_more = work_on_slice(hold=hold, now=clock())
            yield ReplayRun.objects.get(pk=run_id)
    except RunLost:
        return
    finally:
        with suppress(DatabaseError):  # then its lease ends by itself
            release_run(hold=hold)


def _continue_safely(run_id: int, clock: Clock) -> bool:
    """Work on a run; whether it has more to do. One that cannot be moved must not keep back everything else."""
    try:
        return continue_replay_run(run_id=run_id, clock=clock)
    except Exception as error:  # noqa: BLE001 - its words may be a customer's: its kind and place are logged
        logger.error("Replay run %s could not be continued: %s.", run_id, describe_error(error))
        return False


def _audit(run: ReplayRun, actor: User | None, action: str, **details: object) -> None:
    record_audit(
        actor=actor,
        action=action,
        subject=run,
        configuration=configuration_of(run),
        details={"run": run.pk, **details},
    )
