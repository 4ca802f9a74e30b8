"""Leases on record lanes: who may write to a record now. A lane is claimed whole, with all that waits for it.

A lease carries a fencing token: whatever its holder stores later is refused once the lane was taken back from it.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import Authentication, Configuration, CRMAccount
from crm_integrations.row_updates import update_rows
from crm_integrations.services.connections import CALLS_PER_ACT
from memorialization.deliveries.claim_sql import OF_TYPE, SUSPECT, run_claim
from memorialization.deliveries.coalescing import Member, travels_alone
from memorialization.models import BulkWrite, Delivery, Interaction, RecordLane

# Whose turn it is on a lane: by precedence, and before that what may have been applied already, so that its mark stands
# before an older value that came late is sent.
TURN_ORDER = ("-must_look_first", "segment_ended_at", "segment_key", "revision", "pk")
PUSHED_COLUMNS = (
    *("lane", "interaction", "entity_type", "record_id", "revision", "fields", "state", "segment_ended_at"),
    *("segment_key", "next_attempt_at", "must_look_first", "goes_alone", "attempt_count", "backoff_spent_s"),
)
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


def claim_lanes(*, account_id: int, entity_type: str, goes_alone: bool, limit: int, now: datetime) -> list[LaneHold]:
    """Lease due lanes of one account and record type, the longest due first; none that cost a worker its life."""
    return _claim(account_id, limit, now, OF_TYPE, entity_type=entity_type, goes_alone=goes_alone)


def claim_suspect_lane(*, account_id: int, now: datetime) -> list[LaneHold]:
    """Lease one lane whose last holder never came back: alone, so that it takes no other lane with it."""
    return _claim(account_id, 1, now, SUSPECT)


def _claim(account_id: int, limit: int, now: datetime, which: str, **chosen: Any) -> list[LaneHold]:
    lease = uuid.uuid4()
    until = now + timedelta(seconds=lease_length_s())
    rows = run_claim(account_id=account_id, limit=limit, lease=lease, until=until, now=now, which=which, **chosen)
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


def release_lane(*, hold: LaneHold, not_before: datetime | None = None) -> None:
    """Give the lane back, due when its first waiting delivery is; no-op when it was taken from us."""
    release_lanes(holds=[hold])
    if not_before is not None:
        RecordLane.objects.filter(pk=hold.lane_id, next_due_at__lt=not_before).update(next_due_at=not_before)


def release_lanes(*, holds: Sequence[LaneHold]) -> None:
    """The same for many lanes, of any number of claims."""
    with transaction.atomic(savepoint=False):
        ours = RecordLane.objects.filter(
            pk__in=[hold.lane_id for hold in holds], lease__in={hold.lease for hold in holds}
        )
        lane_ids = lock_lanes(ours)
        if not lane_ids:
            return
        ours.update(lease=None, lease_until=None, lost_leases=0)
        set_next_due_of_many(lane_ids=lane_ids)


def postpone_lane(*, hold: LaneHold, due_at: datetime) -> None:
    """Give the lane back, not to be looked at before `due_at`; its deliveries stay as they are."""
    held_lane(hold).update(lease=None, lease_until=None, lost_leases=0, next_due_at=due_at)


def give_back_untouched(*, holds: Sequence[LaneHold]) -> None:
    """Give back lanes that were claimed and not looked at."""
    _change_held_lanes(holds, lease=None, lease_until=None)


def send_alone(*, holds: Sequence[LaneHold]) -> None:
    """Have lanes claimed for calls of their own until they are released: what waits there cannot share a bulk write."""
    _change_held_lanes(holds, goes_alone=True)


def lock_lanes(lanes: QuerySet[RecordLane]) -> list[int]:
    """Lock lanes and answer their ids, in the order of these like everybody: a change of many takes them in any."""
    return list(lanes.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _change_held_lanes(holds: Sequence[LaneHold], **columns: object) -> None:
    ours = RecordLane.objects.filter(pk__in=[hold.lane_id for hold in holds], lease__in={hold.lease for hold in holds})
    if lane_ids := lock_lanes(ours):
        RecordLane.objects.filter(pk__in=lane_ids).update(**columns)


def set_next_due(*, lane_id: int) -> None:
    """Write down when the lane's first waiting delivery may be tried, and whether it goes alone.

    The caller has changed the lane's row in this very transaction. That holds the row against planners (make_lane_due
    writes it too), so what they add is either seen here or makes the lane due after us.
    """
    set_next_due_of_many(lane_ids=[lane_id])


def set_next_due_of_many(*, lane_ids: Sequence[int]) -> None:
    """The same for many lanes, by a few statements however many there are."""
    waiting = Delivery.objects.filter(lane__in=lane_ids, state=Delivery.State.WAITING).order_by()
    counted = waiting.values_list("lane_id").annotate(count=Count("pk"), first=Min("next_attempt_at"))
    busy = {lane_id: (count, first) for lane_id, count, first in counted}
    idle = [lane_id for lane_id in lane_ids if lane_id not in busy]
    if idle:
        RecordLane.objects.filter(pk__in=idle).update(next_due_at=None, goes_alone=False)
    unheld = waiting_on_lanes(lane_ids=list(busy)) if busy else {}
    columns = {lane_id: _due_columns(unheld[lane_id], *busy[lane_id]) for lane_id in busy}
    update_rows(RecordLane, columns, ("next_due_at", "goes_alone"))


def _due_columns(unheld: Sequence[Member], count: int, first: datetime) -> tuple[datetime, bool]:
    """When a lane is due on which so many wait, and whether it goes alone."""
    due_at = unheld[0].delivery.next_attempt_at if unheld else None
    if due_at is None:  # only held ones: they stay due, and the claim does not look at them
        return first, False
    if count > len(unheld):
        due_at = min(due_at, read_database_clock() + timedelta(seconds=HELD_LOOK_S))
    return due_at, not may_share(unheld)


def may_share(members: Sequence[Member]) -> bool:
    """Whether all that waits on a lane can go in one bulk write with others'."""
    return not any(
        travels_alone(each.delivery)
        or each.delivery.must_look_first
        or each.authentication_id != members[0].authentication_id
        for each in members
    )


def waiting_on_lanes(*, lane_ids: Sequence[int]) -> dict[int, list[Member]]:
    """What waits on each lane, in turn order; what an authentication or configuration holds is passed over.

    A delivery that waits for its next try keeps its place, and with it the lane: order is by precedence, not by due
    time.
    """
    found: dict[int, list[Member]] = {lane_id: [] for lane_id in lane_ids}
    waiting = unheld_deliveries().filter(lane__in=lane_ids, state=Delivery.State.WAITING)
    for member in read_members(waiting):
        assert member.delivery.lane_id is not None  # it was found by its lane
        found[member.delivery.lane_id].append(member)
    return found


def read_members(deliveries: QuerySet[Delivery]) -> Iterator[Member]:
    """Deliveries as members of groups, in turn order."""
    paired = deliveries.annotate(authentication_id=F("configuration__authentication"))
    for delivery in paired.only(*PUSHED_COLUMNS).order_by(*TURN_ORDER):
        yield Member(delivery, delivery.authentication_id)


def first_waiting(*, lane_id: int) -> Delivery | None:
    """The delivery whose turn it is on the lane."""
    waiting = waiting_on_lanes(lane_ids=[lane_id])[lane_id]
    return waiting[0].delivery if waiting else None


def unheld_deliveries() -> QuerySet[Delivery]:
    """Deliveries that may be pushed as far as their configuration and authentication go."""
    return Delivery.objects.filter(
        configuration__state=Configuration.State.ACTIVE,
        configuration__authentication__state=Authentication.State.ACTIVE,
        configuration__authentication__account=F("lane__account"),
    )


def accounts_with_due_lanes(*, now: datetime) -> list[int]:
    """Accounts with work whose time has come. Whether it may be done is not asked.

    Deliveries of wholly held accounts are passed over; what became of a bulk write is asked whatever was deactivated.
    """
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
    polls = BulkWrite.objects.exclude(state=BulkWrite.State.CONCLUDED).filter(account=OuterRef("pk"), poll_at__lte=now)
    matches = Interaction.objects.filter(
        match_due_at__lte=now,
        configuration__state=Configuration.State.ACTIVE,
        configuration__authentication__state=Authentication.State.ACTIVE,
        configuration__authentication__account=OuterRef("pk"),
    )
    accounts = CRMAccount.objects.filter(Exists(polls) | Exists(matches) | (Exists(usable) & Exists(due)))
    return list(accounts.order_by("pk").values_list("pk", flat=True))
