"""Leases on record lanes: who may write to a record now. A lane is claimed whole, with all that waits for it.

A lease carries a fencing token: whatever its holder stores later is refused once the lane was taken back from it.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import Authentication, Configuration, CRMAccount
from crm_integrations.services.connections import CALLS_PER_ACT
from memorialization.deliveries.claim_sql import CLEAN, SUSPECT, run_claim
from memorialization.models import Delivery, RecordLane

# Whose turn it is on a lane: by precedence, and before that what may have been applied already, so that its mark stands
# before an older value that came late is sent.
TURN_ORDER = ("-must_look_first", "segment_ended_at", "segment_key", "revision", "pk")
HELD_LOOK_S = 60  # a lane with held deliveries is looked at this soon, however long another one's back-off is
SLACK_S = 5  # at least this much of a lease is left over when the longest call ends


class LeaseLost(Exception):
    """The lane belongs to somebody else now; nothing may be stored for it any more."""


@dataclass(frozen=True, slots=True)
class LaneHold:
    """A leased lane, as its holder knows it."""

    lane_id: int
    account_id: int
    entity_type: str
    record_id: str
    lease: uuid.UUID
    fence: int
    lost_leases: int


def call_bound_s() -> float:
    """The longest that one act on a connection can take: its calls, each up to its total time-out."""
    return CALLS_PER_ACT * settings.CALL_TIMEOUT_S


def lease_length_s() -> float:
    """LEASE_S, or more when calls may take longer than that: no call may outlive its lease."""
    return max(settings.LEASE_S, call_bound_s() + SLACK_S)


def claim_lanes(*, account_id: int, limit: int, now: datetime) -> list[LaneHold]:
    """Lease due lanes of one account, the longest due first; lanes that cost a worker its life are left out."""
    return _claim(account_id, limit, now, CLEAN)


def claim_suspect_lane(*, account_id: int, now: datetime) -> list[LaneHold]:
    """Lease one lane whose last holder never came back: alone, so that it takes no other lane with it."""
    return _claim(account_id, 1, now, SUSPECT)


def _claim(account_id: int, limit: int, now: datetime, suspects: str) -> list[LaneHold]:
    lease = uuid.uuid4()
    until = now + timedelta(seconds=lease_length_s())
    rows = run_claim(account_id=account_id, limit=limit, lease=lease, until=until, now=now, suspects=suspects)
    holds = [LaneHold(row[0], row[1], row[2], row[3], lease, row[4], row[5]) for row in rows]
    return sorted(holds, key=lambda hold: hold.lane_id)


def renew_lease(*, hold: LaneHold, now: datetime) -> None:
    """Make the lease outlive one more act; this is the check that it is still ours. Raises LeaseLost."""
    update_held_lane(hold=hold, lease_until=now + timedelta(seconds=lease_length_s()))


def update_held_lane(*, hold: LaneHold, **columns: object) -> None:
    """Change the lane as its holder. Raises LeaseLost; inside a transaction that undoes the rest of it."""
    if not held_lane(hold).update(**columns):
        raise LeaseLost


def held_lane(hold: LaneHold) -> QuerySet[RecordLane]:
    """The lane, for as long as this hold is the one that counts."""
    return RecordLane.objects.filter(pk=hold.lane_id, lease=hold.lease, fence=hold.fence)


def release_lane(*, hold: LaneHold) -> None:
    """Give the lane back, due when its first waiting delivery is; no-op when it was taken from us."""
    with transaction.atomic():
        if held_lane(hold).update(lease=None, lease_until=None, lost_leases=0):
            set_next_due(lane_id=hold.lane_id)


def postpone_lane(*, hold: LaneHold, due_at: datetime) -> None:
    """Give the lane back, not to be looked at before `due_at`; its deliveries stay as they are."""
    held_lane(hold).update(lease=None, lease_until=None, lost_leases=0, next_due_at=due_at)


def give_back_untouched(*, holds: list[LaneHold]) -> None:
    """Give back lanes that were claimed and not looked at."""
    for lease in {hold.lease for hold in holds}:
        lane_ids = [hold.lane_id for hold in holds if hold.lease == lease]
        RecordLane.objects.filter(pk__in=lane_ids, lease=lease).update(lease=None, lease_until=None)


def set_next_due(*, lane_id: int) -> None:
    """Write down when the lane's first waiting delivery may be tried.

    The caller has changed the lane's row in this very transaction. That holds the row against planners (make_lane_due
    writes it too), so what they add is either seen here or makes the lane due after us.
    """
    first = first_waiting(lane_id=lane_id)
    waiting = Delivery.objects.filter(lane_id=lane_id, state=Delivery.State.WAITING)
    due_at = first.next_attempt_at if first else None
    if due_at is None:  # only held ones, if any: they stay due, and the claim does not look at them
        due_at = waiting.aggregate(first=Min("next_attempt_at"))["first"]
    elif waiting.exclude(pk__in=unheld_deliveries().filter(lane_id=lane_id).values("pk")).exists():
        due_at = min(due_at, read_database_clock() + timedelta(seconds=HELD_LOOK_S))
    RecordLane.objects.filter(pk=lane_id).update(next_due_at=due_at)


def first_waiting(*, lane_id: int) -> Delivery | None:
    """The delivery whose turn it is on the lane; those that an authentication or configuration holds are passed over.

    One that waits for its next try keeps its place, and with it the lane: order is by precedence, not by due time.
    """
    return (
        unheld_deliveries()
        .filter(lane_id=lane_id, state=Delivery.State.WAITING)
        .select_related("configuration")
        .order_by(*TURN_ORDER)
        .first()
    )


def unheld_deliveries() -> QuerySet[Delivery]:
    """Deliveries that may be pushed as far as their configuration and authentication go."""
    return Delivery.objects.filter(
        configuration__state=Configuration.State.ACTIVE,
        configuration__authentication__state=Authentication.State.ACTIVE,
        configuration__authentication__account=F("lane__account"),
    )


def accounts_with_due_lanes(*, now: datetime) -> list[int]:
    """Accounts with work that could be done now; paused and wholly held ones are passed over."""
    due = RecordLane.objects.filter(
        Q(closed_until__isnull=True) | Q(closed_until__lte=now),
        Exists(unheld_deliveries().filter(lane=OuterRef("pk"), state=Delivery.State.WAITING, next_attempt_at__lte=now)),
        account=OuterRef("pk"),
        next_due_at__lte=now,
        lease__isnull=True,
    )
    usable = Configuration.objects.filter(
        state=Configuration.State.ACTIVE,
        authentication__state=Authentication.State.ACTIVE,
        authentication__account=OuterRef("pk"),
    )
    accounts = CRMAccount.objects.filter(
        Q(paused_until__isnull=True) | Q(paused_until__lte=now), Exists(usable), Exists(due)
    )
    return list(accounts.order_by("pk").values_list("pk", flat=True))
