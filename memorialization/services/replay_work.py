"""Working on a replay run: its lease, and slice after slice, each committed together with the cursor.

Whatever is cut off leaves the run where its last slice ended: what was queued is noted, what was not is found again.
Only the holder of the lease moves a run, and a holder whose lease was taken over stores nothing any more.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q, QuerySet

from crm_integrations.models import Configuration
from crm_integrations.services.audit import record_audit
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Delivery, ReplayRun, ReplayStep
from memorialization.services.replay_choices import chosen_branches, chosen_deliveries, read_choice
from memorialization.services.replay_slices import SliceMember, find_members, replay_slice, take_back_slice
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)

State = ReplayRun.State
OPEN = (State.RUNNING, State.CANCELLING)
SLICE = 200  # deliveries in one transaction: on SQLite it keeps everybody else waiting
LEASE_S = 60  # a slice takes a fraction of a second
MOST_STALLS = 10  # workers in a row that moved nothing: whatever it is, trying again does not cure it


class RunLost(Exception):
    """The run was cancelled, has ended, or belongs to somebody else now."""


@dataclass(frozen=True, slots=True)
class RunHold:
    """A leased run, as its holder knows it."""

    run_id: int
    lease: uuid.UUID
    fence: int


def claim_run(*, run_id: int, now: datetime) -> RunHold | None:
    """Lease the run; None when it is being worked on, or is over. One that nobody can move is failed."""
    lease = uuid.uuid4()
    until = now + timedelta(seconds=LEASE_S)
    free = free_runs(now=now).filter(pk=run_id)
    if not free.update(lease=lease, lease_until=until, fence=F("fence") + 1, stalls=F("stalls") + 1):
        return None
    run = ReplayRun.objects.get(pk=run_id)
    hold = RunHold(run_id, lease, run.fence)
    if run.lease != lease:
        return None
    if run.stalls <= MOST_STALLS:
        return hold
    with transaction.atomic():
        _end(_renew(hold, now), State.FAILED, "replay_run_failed", now)
    return None


def free_runs(*, now: datetime) -> QuerySet[ReplayRun]:
    """Runs that have something left to do and that nobody works on."""
    return ReplayRun.objects.filter(Q(lease__isnull=True) | Q(lease_until__lte=now), state__in=OPEN)


def release_run(*, hold: RunHold) -> None:
    """Let somebody else go on; no-op when it was taken from us."""
    _held(hold).update(lease=None, lease_until=None)


def work_on_slice(*, hold: RunHold, now: datetime) -> bool:
    """Do the next slice; whether there may be more. Raises RunLost."""
    run = _held(hold).filter(state__in=OPEN).first()
    if run is None:
        raise RunLost
    if run.state == State.CANCELLING:
        return _take_back(hold, now)
    # What is to be done is found outside the transaction: only the holder moves the cursor, and searching takes time.
    choice = read_choice(run.choice)
    if run.total is None:
        _held(hold).update(total=chosen_deliveries(choice, last_id=run.last_id).count())
    members = find_members(chosen_branches(choice, last_id=run.last_id), after=run.cursor, limit=SLICE)
    if members:
        _replay(hold, members, now)
        return True
    with transaction.atomic():
        _end(_renew(hold, now), State.FINISHED, "replay_run_finished", now)
    return False


def counts_of(run: ReplayRun) -> dict[str, int]:
    """For the audit trail."""
    return {"replayed": run.replayed, "left_out": run.left_out, "taken_back": run.taken_back}


def configuration_of(run: ReplayRun) -> Configuration | None:
    """The configuration whose deliveries alone it concerns."""
    chosen = run.choice.get("configuration")
    return Configuration.objects.filter(pk=chosen).first() if chosen else None


def _replay(hold: RunHold, members: Sequence[SliceMember], now: datetime) -> None:
    """Queue these together; when that fails, in smaller parts, so that one of them cannot keep back the others."""
    try:
        with transaction.atomic():
            run = _renew(hold, now)
            _note(run, replay_slice(run=run, members=members, now=now), members)
    except (RunLost, OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - its words may be a customer's: its kind and place are logged
        if len(members) > 1:
            half = len(members) // 2
            _replay(hold, members[:half], now)
            _replay(hold, members[half:], now)
            return
        logger.error("Delivery %s cannot be replayed: %s.", members[0].pk, describe_error(error))
        with transaction.atomic():
            run = _renew(hold, now)
            step = ReplayStep.objects.create(run=run, delivery_id=members[0].pk, refused="error")
            _note(run, [step], members)


def _note(run: ReplayRun, steps: Sequence[ReplayStep], members: Sequence[SliceMember]) -> None:
    """Move the run beyond these members."""
    refused = Counter(step.refused for step in steps if step.refused)
    run.refused = dict(Counter(run.refused) + refused)
    run.replayed += len(steps) - refused.total()
    run.cursor, run.stalls = members[-1].pk, 0
    run.save(update_fields=["refused", "replayed", "cursor", "stalls"])


@transaction.atomic
def _take_back(hold: RunHold, now: datetime) -> bool:
    run = _renew(hold, now)
    queued = run.steps.filter(replay__isnull=False).exclude(replay=F("delivery")).order_by("pk")
    found = list(queued.filter(pk__gt=run.cursor)[:SLICE])
    if not found:
        _end_taking_back(run, queued, now)
        return False
    run.taken_back += take_back_slice(steps=found, now=now)
    run.cursor, run.stalls = found[-1].pk, 0
    run.save(update_fields=["taken_back", "cursor", "stalls"])
    return True


def _end_taking_back(run: ReplayRun, queued: QuerySet[ReplayStep], now: datetime) -> None:
    """End it, unless something is being sent: what comes back unsent is skipped there, and found here once more."""
    sending = queued.filter(replay__state=Delivery.State.SENDING).first()
    run.taken_back = queued.filter(replay__reason=DeliveryReason.TAKEN_BACK).count()
    run.cursor, run.stalls = sending.pk - 1 if sending else run.cursor, 0
    run.save(update_fields=["taken_back", "cursor", "stalls"])
    if sending is None:
        _end(run, State.CANCELLED, "replay_run_taken_back", now)


def _held(hold: RunHold) -> QuerySet[ReplayRun]:
    return ReplayRun.objects.filter(pk=hold.run_id, lease=hold.lease, fence=hold.fence)


def _renew(hold: RunHold, now: datetime) -> ReplayRun:
    """Lock the run as its holder: nobody cancels or takes it over before this transaction ends."""
    until = now + timedelta(seconds=LEASE_S)
    if not _held(hold).filter(state__in=OPEN).update(lease_until=until, moved_at=now):
        raise RunLost
    return ReplayRun.objects.get(pk=hold.run_id)


def _end(run: ReplayRun, state: str, action: str, now: datetime) -> None:
    run.state, run.finished_at, run.lease, run.lease_until = state, now, None, None
    run.save(update_fields=["state", "finished_at", "lease", "lease_until"])
    record_audit(
        actor=None,
        action=action,
        subject=run,
        configuration=configuration_of(run),
        details={"run": run.pk, **counts_of(run)},
    )
